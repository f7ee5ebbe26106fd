/** What D1 keeps of a user, in pages: each reads a bounded number of rows, by an index. */
import { type SQL, sql } from "drizzle-orm";
import { iso, jsonObject } from "../../db/json.ts";

/** Rows of a page. */
export const PAGE = 500;

/** Rows of (cursor, item): an item is JSON, and the next page goes on after the cursor of the last. */
export type Pages = { start: string | number; after: (cursor: string | number) => SQL };
export type Section = { name: string; pages: Pages[] };

const column = (name: string): SQL => sql.raw(name);
const time = (name: string): SQL => iso(column(name));

type Fields = Record<string, SQL>;
type Read = { cursor: SQL; fields: Fields; from: SQL; where: SQL; start?: string };

function pages({ cursor, fields, from, where, start }: Read): Pages {
  return {
    start: start ?? 0,
    after: (last) => sql`SELECT ${cursor} AS cursor, ${jsonObject(fields)} AS item FROM ${from}
      WHERE ${where} AND ${cursor} > ${last} ORDER BY ${cursor} LIMIT ${PAGE}`,
  };
}

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
    createdAt: time("m.created_at"),
    seenAt: time("m.seen_at"),
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

const likeness = (userId: number, mine: string, other: string, since: string, table: string): Pages =>
  pages({
    cursor: column(other),
    fields: { userId: column(other), since: time(since) },
    from: column(table),
    where: sql`${column(mine)} = ${userId}`,
  });

/** Everything but files, whose links are made elsewhere, and what objects keep. */
export function sectionsOf(userId: number): Section[] {
  const me = sql`${userId}`;
  const friend = sql`iif(low_id = ${me}, high_id, low_id)`;
  return [
    {
      name: "identities",
      pages: [
        pages({
          cursor: column("(issuer || char(10) || subject)"),
          fields: {
            issuer: column("issuer"),
            subject: column("subject"),
            email: column("email"),
            linkedAt: time("linked_at"),
          },
          from: column("identities"),
          where: sql`user_id = ${me}`,
          start: "",
        }),
      ],
    },
    {
      name: "pushSubscriptions",
      pages: [
        pages({
          cursor: column("id"),
          fields: { id: column("id"), endpoint: column("endpoint"), createdAt: time("created_at") },
          from: column("push_subscriptions"),
          where: sql`user_id = ${me}`,
          start: "",
        }),
      ],
    },
    {
      name: "pushSettings",
      pages: [
        pages({
          cursor: column("user_id"),
          fields: {
            messages: column("json(iif(messages, 'true', 'false'))"),
            notifications: column("json(iif(notifications, 'true', 'false'))"),
            quietFrom: column("quiet_from"),
            quietTo: column("quiet_to"),
            timeZone: column("time_zone"),
          },
          from: column("push_settings"),
          where: sql`user_id = ${me}`,
        }),
      ],
    },
    {
      name: "sessions",
      pages: [
        pages({
          cursor: column("id"),
          fields: {
            id: column("id"),
            userAgent: column("user_agent"),
            address: column("address"),
            createdAt: time("created_at"),
            lastUsedAt: time("last_used_at"),
            expiresAt: time("expires_at"),
          },
          from: column("sessions"),
          where: sql`user_id = ${me}`,
          start: "",
        }),
      ],
    },
    { name: "following", pages: [likeness(userId, "follower_id", "followed_id", "created_at", "follows")] },
    { name: "followers", pages: [likeness(userId, "followed_id", "follower_id", "created_at", "follows")] },
    {
      name: "friendships",
      pages: [
        pages({
          cursor: friend,
          fields: {
            userId: friend,
            status: column("status"),
            requestedBy: column("requested_by"),
            since: time("since"),
          },
          from: column("friendships"),
          where: sql`(low_id = ${me} OR high_id = ${me})`,
        }),
      ],
    },
    { name: "blocks", pages: [likeness(userId, "blocker_id", "blocked_id", "since", "blocks")] },
    { name: "messages", pages: [messagesAs(userId, "low_id"), messagesAs(userId, "high_id")] },
    {
      name: "notifications",
      pages: [
        pages({
          cursor: column("id"),
          fields: {
            id: column("id"),
            type: column("type"),
            actorId: column("actor_id"),
            targetType: column("target_type"),
            targetId: column("target_id"),
            createdAt: time("created_at"),
            seenAt: time("seen_at"),
          },
          from: column("notifications"),
          where: sql`user_id = ${me}`,
        }),
      ],
    },
    {
      name: "videos",
      pages: [
        pages({
          cursor: column("id"),
          fields: {
            id: column("id"),
            title: column("title"),
            description: column("description"),
            videoUrl: column("video_url"),
            thumbUrl: column("thumb_url"),
            visibility: column("visibility"),
            views: column("views"),
            createdAt: time("created_at"),
          },
          from: column("videos"),
          where: sql`owner_id = ${me}`,
        }),
      ],
    },
    {
      name: "likes",
      pages: [
        pages({
          cursor: column("video_id"),
          fields: { videoId: column("video_id"), createdAt: time("created_at") },
          from: column("likes"),
          where: sql`user_id = ${me}`,
        }),
      ],
    },
    {
      name: "comments",
      pages: [
        pages({
          cursor: column("id"),
          fields: {
            id: column("id"),
            videoId: column("video_id"),
            parentId: column("parent_id"),
            content: column("content"),
            createdAt: time("created_at"),
          },
          from: column("comments"),
          where: sql`author_id = ${me}`,
        }),
      ],
    },
    {
      name: "reports",
      pages: [
        pages({
          cursor: column("id"),
          fields: {
            id: column("id"),
            targetType: column("target_type"),
            targetId: column("target_id"),
            reason: column("reason"),
            details: column("details"),
            status: column("status"),
            createdAt: time("created_at"),
          },
          from: column("reports"),
          where: sql`reporter_id = ${me}`,
        }),
      ],
    },
    {
      name: "rooms",
      pages: [
        pages({
          cursor: column("r.id"),
          fields: {
            id: column("coalesce(r.chosen_id, r.id)"),
            place: column("('room:' || r.id)"),
            kind: column("r.kind"),
            name: column("r.name"),
            courseId: column("r.course_id"),
            joinedAt: time("m.joined_at"),
          },
          from: column("room_members m JOIN rooms r ON r.id = m.room_id"),
          where: sql`m.user_id = ${me}`,
          start: "",
        }),
      ],
    },
    {
      name: "streams",
      pages: [
        pages({
          cursor: column("id"),
          fields: {
            id: column("id"),
            title: column("title"),
            description: column("description"),
            status: column("status"),
            startedAt: time("started_at"),
            endedAt: time("ended_at"),
            createdAt: time("created_at"),
          },
          from: column("streams"),
          where: sql`user_id = ${me}`,
        }),
      ],
    },
    {
      name: "recordings",
      pages: [
        pages({
          cursor: column("v.id"),
          fields: {
            id: column("v.id"),
            streamId: column("v.stream_id"),
            title: column("v.title"),
            fileName: column("v.file_name"),
            size: column("v.size"),
            createdAt: time("v.created_at"),
          },
          from: column("streams s JOIN vods v ON v.stream_id = s.id"),
          where: sql`s.user_id = ${me}`,
        }),
      ],
    },
    {
      name: "calls",
      pages: [
        pages({
          cursor: column("id"),
          fields: {
            id: column("coalesce(chosen_id, id)"),
            place: column("('webrtc:' || id)"),
            title: column("title"),
            courseId: column("course_id"),
            createdAt: time("created_at"),
            endedAt: time("ended_at"),
          },
          from: column("webrtc_sessions"),
          where: sql`host_id = ${me}`,
          start: "",
        }),
      ],
    },
    {
      name: "adminActions",
      pages: [
        pages({
          cursor: column("id"),
          fields: {
            id: column("id"),
            action: column("action"),
            targetType: column("target_type"),
            targetId: column("target_id"),
            reason: column("reason"),
            createdAt: time("created_at"),
          },
          from: column("audit"),
          where: sql`admin_id = ${me}`,
        }),
      ],
    },
  ];
}
