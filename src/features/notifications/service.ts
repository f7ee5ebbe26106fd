/** Notifications: made in the batch of what they tell of, read, marked as seen. */
import { and, count, eq, isNull, type SQL, sql } from "drizzle-orm";
import { type Actor, actorId, type Ctx, type UserCtx } from "../../context.ts";
import { after } from "../../db/batch.ts";
import { inList } from "../../db/json.ts";
import { deliverSoon, enqueueSelect, pendingFor } from "../../db/outbox.ts";
import { type FeedQuery, feedPart, newestFirst } from "../../db/page.ts";
import { notifications, rooms, users } from "../../db/tables.ts";
import { frameFor } from "../../hub/client.ts";
import type { MarkNotificationsSeen, Notification } from "./contract.ts";
import { framesOfNew, hasBlocked, unseenOf } from "./receivers.ts";

export { notifyMentioned } from "./room-mentions.ts";

/** A video's title as it is now; of what is gone, what was noted. `alias`: of the notification. */
const titleOf = (alias: "n" | "notifications"): SQL => {
  const column = (name: string) => sql.raw(`${alias}.${name}`);
  return sql`coalesce(${column("target_title")}, (SELECT title FROM videos
    WHERE ${column("target_type")} = 'video' AND videos.id = ${column("target_id")}))`;
};

type Notice = {
  /** A SELECT of (user_id, type, ref_id, target_type, target_id, target_title), one row for each who is to know. */
  who: SQL;
  /** The statement whose `changes()` `who` reads: the one just before. */
  onlyAfter?: string;
  /** Finds exactly the rows that this makes, as a condition on `n`; one row at most needs none. */
  made?: SQL;
  /** Word from the service itself, which no block keeps out. */
  isOfficial?: boolean;
};

/**
 * The two statements that notify, for the batch of the change they tell of. Nobody is notified of their own act, or by
 * someone they have blocked. Append `pendingFor` the receivers, and `deliverSoon` its rows.
 */
export function notify(ctx: Ctx, { who, onlyAfter, made, isOfficial = false }: Notice) {
  const me = actorId(ctx.actor);
  const now = ctx.now.getTime();
  const insert = ctx.db.run(sql`
    INSERT INTO notifications (user_id, type, ref_id, actor_id, target_type, target_id, target_title, created_at)
    SELECT w.user_id, w.type, w.ref_id, nullif(${me}, 0), w.target_type, w.target_id,
      iif(w.target_type = 'video' AND w.type <> 'video_deleted', NULL, w.target_title), ${now} FROM (${who}) AS w
    WHERE w.user_id <> ${me}
      AND (${isOfficial} OR NOT ${hasBlocked(sql`w.user_id`, me)})`);
  const frames = framesOfNew({
    type: sql`n.type`,
    refId: sql`n.ref_id`,
    actor: shownActor(ctx.actor),
    target: { type: sql`n.target_type`, id: sql`n.target_id`, title: titleOf("n") },
  });
  // The title is the words of the video's owner, whom no key of the frame names.
  const payload = sql`json_set(${frames}, '$.about', json_array(
    (SELECT owner_id FROM videos WHERE id = n.target_id AND n.target_type = 'video')))`;
  const push = enqueueSelect(
    ctx,
    sql`SELECT 'user:' || n.user_id, ${payload} FROM notifications n
      WHERE changes() > 0 AND n.actor_id IS nullif(${me}, 0) AND n.created_at = ${now} AND (${made ?? sql`n.id = last_insert_rowid()`})`,
  );
  return {
    notified: onlyAfter === undefined ? insert : after(onlyAfter, insert),
    notifiedNews: after("notified", push),
  };
}

/** The service itself is nobody. */
const shownActor = (actor: Actor) =>
  actor.kind === "user" ? { id: actor.id, username: actor.username, avatarUrl: actor.avatarUrl } : null;

/** Newest first. */
export async function listNotifications(ctx: UserCtx, query: FeedQuery) {
  const part = feedPart(notifications.id, query);
  const rows = await ctx.db
    .select({
      notification: notifications,
      title: sql<string | null>`${titleOf("notifications")}`,
      actor: { id: users.id, username: users.username, avatarUrl: users.avatarUrl },
      room: sql<string | null>`coalesce(${rooms.chosenId}, ${notifications.roomId})`,
    })
    .from(notifications)
    .leftJoin(rooms, eq(rooms.id, notifications.roomId))
    .leftJoin(users, eq(users.id, notifications.actorId))
    .where(and(eq(notifications.userId, ctx.actor.id), part.where))
    .orderBy(part.order)
    .limit(part.rows);
  const flat = rows.map((row) => ({ ...row.notification, targetTitle: row.title, actor: row.actor, room: row.room }));
  const { items, nextCursor } = newestFirst(flat, query);
  return { notifications: items.map(toNotification), nextCursor };
}

type Row = typeof notifications.$inferSelect & { actor: Notification["actor"]; room: string | null };

const toNotification = (row: Row): Notification => ({
  id: row.id,
  userId: row.userId,
  type: row.type,
  refId: row.messageId ?? row.refId,
  createdAt: row.createdAt.toISOString(),
  seen: row.seenAt !== null,
  actor: row.actor,
  target: { type: row.targetType, id: row.room ?? row.targetId, title: row.targetTitle },
});

export async function countUnseen(ctx: UserCtx): Promise<{ count: number }> {
  const [row] = await ctx.db
    .select({ count: count() })
    .from(notifications)
    .where(and(eq(notifications.userId, ctx.actor.id), isNull(notifications.seenAt)));
  return { count: row?.count ?? 0 };
}

/** Marks own notifications as seen; others' ids change nothing. All devices get the new count, if it changed. */
export async function markNotificationsSeen(ctx: UserCtx, { notificationIds }: MarkNotificationsSeen) {
  const me = ctx.actor.id;
  const { marked, pending } = await ctx.db.batch({
    marked: ctx.db
      .update(notifications)
      .set({ seenAt: ctx.now })
      .where(
        and(
          eq(notifications.userId, me),
          isNull(notifications.seenAt),
          notificationIds.length > 0 ? inList(notifications.id, notificationIds) : undefined,
        ),
      )
      .returning({ id: notifications.id }),
    told: after(
      "marked",
      enqueueSelect(
        ctx,
        sql`SELECT ${`user:${me}`}, ${frameFor("notification:unseen_count", { count: unseenOf(me) })} WHERE changes() > 0`,
      ),
    ),
    pending: pendingFor(ctx, `user:${me}`),
  });
  deliverSoon(ctx, pending);
  return { notificationIds: marked.map((row) => row.id) };
}
