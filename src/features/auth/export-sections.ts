/** What D1 keeps of a user, by what it is about; test/sessions.test.ts holds it to the tables that there are. */
import { type SQL, sql } from "drizzle-orm";
import { iso, jsonObject } from "../../db/json.ts";
import { PAGE, type Pages, pages, type Section, section } from "./export-pages.ts";

const column = (name: string): SQL => sql.raw(name);

/**
 * Direct messages with everybody, by the pair's index: those of the pairs in which the user has the lower id, or the higher.
 * The cursor is the other's id and the message's.
 */
function messagesAs(userId: number, mine: "low_id" | "high_id"): Pages {
  const peer = column(mine === "low_id" ? "c.high_id" : "c.low_id");
  const fields = {
    id: column("m.id"),
    senderId: column("m.sender_id"),
    receiverId: column("m.receiver_id"),
    content: column("m.content"),
    createdAt: iso(column("m.created_at")),
    seenAt: iso(column("m.seen_at")),
  };
  return {
    start: "[0,0]",
    // CROSS JOIN: SQLite keeps the order, so that each page begins where the last one ended.
    after: (last) => sql`SELECT json_array(${peer}, m.id) AS cursor, ${jsonObject(fields)} AS item
      FROM conversations c CROSS JOIN messages m
      WHERE ${column(`c.${mine}`)} = ${userId} AND ${peer} >= ${last} ->> 0
        AND min(m.sender_id, m.receiver_id) = c.low_id AND max(m.sender_id, m.receiver_id) = c.high_id
        AND m.id > iif(${peer} = ${last} ->> 0, ${last} ->> 1, 0)
      ORDER BY ${peer}, m.id LIMIT ${PAGE}`,
  };
}

/** Everything but files, whose links are made elsewhere, and what objects keep. */
export const sectionsOf = (userId: number): Section[] => [
  ...accountSections(userId),
  ...peopleSections(userId),
  ...videoSections(userId),
  ...placeSections(userId),
  ...adminSections(userId),
];

/** What opens the account, and what it is told. */
function accountSections(userId: number): Section[] {
  const where = sql`user_id = ${userId}`;
  return [
    section("standing", {
      from: "users",
      where: sql`id = ${userId}`,
      columns: ["pending_email", "ban_reason"],
      times: ["email_verified_at", "banned_at", "role_set_at", "last_active_at"],
    }),
    section("identities", {
      from: "identities",
      where,
      cursor: "(issuer || char(10) || subject)",
      start: "",
      columns: ["issuer", "subject", "email"],
      times: ["linked_at"],
    }),
    section("sessions", {
      from: "sessions",
      where,
      start: "",
      columns: ["id", "user_agent", "address"],
      times: ["created_at", "last_used_at", "expires_at"],
    }),
    section("mailedLinks", {
      from: "account_tokens",
      where,
      cursor: "hash",
      start: "",
      columns: ["kind", "email"],
      times: ["expires_at"],
    }),
    section("mail", {
      from: "mail_outbox",
      where,
      columns: ["template", "language", "recipient"],
      times: ["created_at", "sent_at"],
    }),
    section("pushSubscriptions", {
      from: "push_subscriptions",
      where,
      start: "",
      columns: ["id", "endpoint"],
      times: ["created_at"],
    }),
    section("pushSettings", {
      from: "push_settings",
      where,
      cursor: "user_id",
      columns: ["quiet_from", "quiet_to", "time_zone"],
      flags: ["messages", "notifications"],
    }),
    section("notifications", {
      from: "notifications",
      where,
      columns: ["id", "type", "actor_id", "target_type", "target_id", "target_title", "room_id", "message_id"],
      times: ["created_at", "seen_at"],
    }),
  ];
}

/** Rows about two people: the other one, and since when. */
const withOther = (name: string, userId: number, from: string, mine: string, other: string, since: string): Section =>
  section(name, {
    from,
    where: sql`${column(mine)} = ${userId}`,
    cursor: other,
    as: { userId: other },
    times: [since],
  });

function peopleSections(userId: number): Section[] {
  return [
    withOther("following", userId, "follows", "follower_id", "followed_id", "created_at"),
    withOther("followers", userId, "follows", "followed_id", "follower_id", "created_at"),
    {
      name: "friendships",
      pages: (
        [
          ["low_id", "high_id"],
          ["high_id", "low_id"],
        ] as const
      ).map(([mine, other]) =>
        pages({
          from: "friendships",
          where: sql`${column(mine)} = ${userId}`,
          cursor: other,
          columns: ["status", "requested_by"],
          as: { userId: other },
          times: ["since"],
        }),
      ),
    },
    withOther("blocks", userId, "blocks", "blocker_id", "blocked_id", "since"),
    { name: "messages", pages: [messagesAs(userId, "low_id"), messagesAs(userId, "high_id")] },
    section("reports", {
      from: "reports",
      where: sql`reporter_id = ${userId}`,
      columns: ["id", "target_type", "target_id", "reason", "details", "status"],
      times: ["created_at"],
    }),
  ];
}

function videoSections(userId: number): Section[] {
  return [
    section("videos", {
      from: "videos",
      where: sql`owner_id = ${userId}`,
      columns: ["id", "title", "description", "video_url", "thumb_url", "visibility", "duration", "views"],
      times: ["created_at", "hidden_at"],
    }),
    section("likes", {
      from: "likes",
      where: sql`user_id = ${userId}`,
      cursor: "video_id",
      columns: ["video_id"],
      times: ["created_at"],
    }),
    section("views", {
      from: "video_views",
      where: sql`viewer = ${`user:${userId}`}`,
      cursor: "video_id",
      columns: ["video_id"],
      times: ["counted_at"],
    }),
    section("comments", {
      from: "comments",
      where: sql`author_id = ${userId}`,
      columns: ["id", "video_id", "parent_id", "content"],
      times: ["created_at"],
    }),
  ];
}

/** Rooms, streams and calls, and what is uploaded. */
function placeSections(userId: number): Section[] {
  return [
    section("rooms", {
      from: "room_members m JOIN rooms r ON r.id = m.room_id",
      where: sql`m.user_id = ${userId}`,
      cursor: "r.id",
      start: "",
      columns: ["r.kind", "r.name", "r.course_id", "m.read_seq"],
      as: { id: "coalesce(r.chosen_id, r.id)", place: "('room:' || r.id)" },
      times: ["m.joined_at"],
    }),
    section("removedFrom", {
      from: "room_removals",
      where: sql`user_id = ${userId}`,
      cursor: "room_id",
      start: "",
      columns: ["room_id"],
    }),
    section("streams", {
      from: "streams",
      where: sql`user_id = ${userId}`,
      columns: ["id", "title", "description", "status"],
      times: ["scheduled_at", "started_at", "ended_at", "created_at"],
    }),
    section("broadcasts", {
      from: "streams s JOIN stream_sessions b ON b.stream_id = s.id",
      where: sql`s.user_id = ${userId}`,
      cursor: "b.id",
      columns: ["b.stream_id", "b.end_reason", "b.peak_viewers", "b.plays"],
      times: ["b.started_at", "b.ended_at"],
    }),
    section("recordings", {
      from: "streams s JOIN vods v ON v.stream_id = s.id",
      where: sql`s.user_id = ${userId}`,
      cursor: "v.id",
      columns: ["v.id", "v.stream_id", "v.title", "v.file_name", "v.size"],
      times: ["v.created_at"],
    }),
    section("calls", {
      from: "webrtc_sessions",
      where: sql`host_id = ${userId}`,
      start: "",
      columns: ["title", "course_id"],
      as: { id: "coalesce(chosen_id, id)", place: "('webrtc:' || id)" },
      times: ["created_at", "ended_at"],
    }),
    section("unfinishedUploads", {
      from: "resumable_uploads",
      where: sql`owner_id = ${userId}`,
      start: "",
      columns: ["id", "original_name", "folder", "visibility", "length", "offset", "file_id"],
      times: ["expires_at"],
    }),
  ];
}

/** Of who runs the service. */
function adminSections(userId: number): Section[] {
  const where = sql`created_by = ${userId}`;
  return [
    section("adminActions", {
      from: "audit",
      where: sql`admin_id = ${userId}`,
      columns: ["id", "action", "target_type", "target_id", "reason"],
      times: ["created_at"],
    }),
    section("serverKeys", {
      from: "server_keys",
      where,
      start: "",
      columns: ["id", "name"],
      times: ["created_at", "expires_at", "last_used_at"],
    }),
    section("webhooks", { from: "webhooks", where, columns: ["id", "url", "description"], times: ["created_at"] }),
    section("messageHook", { from: "message_hook", where, columns: ["url"], times: ["created_at"] }),
  ];
}
