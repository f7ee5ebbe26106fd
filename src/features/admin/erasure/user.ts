/** What an erased user leaves behind. Their row went first, so nothing new can come while this runs. */
import { type SQL, sql } from "drizzle-orm";
import { NOBODY } from "../../../auth/identities.ts";
import { ERASED_NAME } from "../../../auth/user-names.ts";
import { pendingDeletions } from "../../../bytes/deletions.ts";
import { giveUpUploads } from "../../../bytes/store.ts";
import { folderOf } from "../../../bytes/store-form.ts";
import type { CallContext } from "../../../db/call-context.ts";
import { type Delivery, deliverNow } from "../../../db/outbox.ts";
import { eraseReferences } from "../../../db/user-references.ts";
import { framesName } from "../../../realtime/people.ts";
import { eraseUploadsOf } from "../../files/service.ts";
import { eraseFromRooms } from "../../rooms/service.ts";
import { isFactOf } from "../../webhooks/service.ts";
import { eraseSessionsOf } from "../../webrtc/service.ts";
import { ROUND_ROWS, runRounds } from "./rounds.ts";

/** Each takes up to 1500 rows along (trigger videos_delete). */
const ROUND_VIDEOS = 10;
/** What the audit's details call what somebody gave a name to: titles, and the places of files. */
const NAMES = ["title", "folder", "name", "toFolder", "toName"];
/** Each takes its replies along, as deleting one comment does. */
const ROUND_COMMENTS = 50;

/** The outbox's way to the erasure of user `name`. */
export async function deliverErasure(ctx: CallContext, name: string, _deliveries: Delivery[]): Promise<void> {
  const userId = Number(name);
  await eraseFromRooms(ctx, userId);
  await runRounds(ctx, `erase:${name}`, (round) => eraseRound(round, userId));
  await deliverNow(ctx, await pendingDeletions(ctx));
}

async function eraseRound(ctx: CallContext, userId: number): Promise<boolean> {
  const erased = Object.entries(statements(userId)).map(([name, statement]) => [name, ctx.db.run(statement)] as const);
  const results = await ctx.db.batch(Object.fromEntries(erased));
  const rest = [
    await eraseSessionsOf(ctx, userId),
    await eraseUploadsOf(ctx, userId),
    await giveUpUploads(ctx, folderOf(userId)),
    await eraseReferences(ctx, userId),
  ];
  return rest.includes(true) || Object.values(results).some((result) => result.meta.changes > 0);
}

/** The rows, a bounded number of each. The first files, and streams, went by triggers on `users`. */
function statements(userId: number): Record<string, SQL> {
  const rows = ROUND_ROWS;
  return {
    // The identity stays known as nobody's: a token of the provider that is still valid must make no new account.
    identities: sql`UPDATE identities SET user_id = ${NOBODY}, email = NULL WHERE user_id = ${userId}`,
    sessions: sql`DELETE FROM sessions WHERE user_id = ${userId}`,
    pushes: sql`DELETE FROM push_subscriptions WHERE user_id = ${userId}`,
    pushSettings: sql`DELETE FROM push_settings WHERE user_id = ${userId}`,
    tickets: sql`DELETE FROM socket_tickets WHERE user_id = ${userId}`,
    videos: sql`DELETE FROM videos WHERE id IN (SELECT id FROM videos WHERE owner_id = ${userId} LIMIT ${ROUND_VIDEOS})`,
    files: sql`DELETE FROM files WHERE id IN (SELECT id FROM files WHERE owner_id = ${userId} LIMIT ${rows})`,
    comments: sql`DELETE FROM comments WHERE id IN (
      WITH RECURSIVE thread (id) AS (
        SELECT id FROM (SELECT id FROM comments WHERE author_id = ${userId} LIMIT ${ROUND_COMMENTS})
        UNION SELECT reply.id FROM comments reply JOIN thread ON reply.parent_id = thread.id)
      SELECT id FROM thread)`,
    likes: sql`DELETE FROM likes WHERE (video_id, user_id) IN (
      SELECT video_id, user_id FROM likes WHERE user_id = ${userId} LIMIT ${rows})`,
    following: sql`DELETE FROM follows WHERE (follower_id, followed_id) IN (
      SELECT follower_id, followed_id FROM follows WHERE follower_id = ${userId} LIMIT ${rows})`,
    followers: sql`DELETE FROM follows WHERE (follower_id, followed_id) IN (
      SELECT follower_id, followed_id FROM follows WHERE followed_id = ${userId} LIMIT ${rows})`,
    friendships: sql`DELETE FROM friendships WHERE (low_id, high_id) IN (
      SELECT low_id, high_id FROM friendships WHERE low_id = ${userId} OR high_id = ${userId} LIMIT ${rows})`,
    blocks: sql`DELETE FROM blocks WHERE (blocker_id, blocked_id) IN (
      SELECT blocker_id, blocked_id FROM blocks WHERE blocker_id = ${userId} OR blocked_id = ${userId} LIMIT ${rows})`,
    // Messages have an index by pair of people, and the pairs are the conversations.
    messages: sql`DELETE FROM messages WHERE id IN (
      SELECT m.id FROM conversations c
      JOIN messages m ON min(m.sender_id, m.receiver_id) = c.low_id AND max(m.sender_id, m.receiver_id) = c.high_id
      WHERE c.low_id = ${userId} OR c.high_id = ${userId} LIMIT ${rows})`,
    conversations: sql`DELETE FROM conversations WHERE (low_id = ${userId} OR high_id = ${userId}) AND NOT EXISTS (
      SELECT 1 FROM messages m WHERE min(m.sender_id, m.receiver_id) = conversations.low_id
      AND max(m.sender_id, m.receiver_id) = conversations.high_id)`,
    notifications: sql`DELETE FROM notifications WHERE id IN (
      SELECT id FROM notifications WHERE user_id = ${userId} LIMIT ${rows})`,
    caused: sql`DELETE FROM notifications WHERE id IN (
      SELECT id FROM notifications WHERE actor_id = ${userId} LIMIT ${rows})`,
    reports: sql`DELETE FROM reports WHERE id IN (
      SELECT id FROM reports WHERE reporter_id = ${userId} LIMIT ${rows})`,
    // What their objects could not take, and what was put aside for others that has words of theirs.
    parked: sql`DELETE FROM outbox_parked WHERE target = ${`user:${userId}`}
      OR (target >= 'user:' AND target < 'user;' AND ${framesName(sql`payload`, userId)})
      OR (target >= 'webhook:' AND target < 'webhook;' AND ${isFactOf(sql`payload`, userId)})`,
    // The record of what admins did stays; of whom it tells, it keeps the number.
    acted: sql`UPDATE audit SET admin_username = ${ERASED_NAME}
      WHERE admin_id = ${userId} AND admin_username <> ${ERASED_NAME}`,
    accounted: sql`UPDATE audit SET details = NULL
      WHERE target_type = 'user' AND target_id = ${String(userId)} AND details IS NOT NULL`,
    titles: sql`UPDATE audit SET details = json_remove(details, ${sql.raw(NAMES.map((name) => `'$.${name}'`).join(", "))})
      WHERE target_type IN ('video', 'file', 'stream', 'recording', 'call')
      AND coalesce(details ->> 'ownerId', details ->> 'userId', details ->> 'hostId') = ${userId}
      AND coalesce(${sql.raw(NAMES.map((name) => `details ->> '${name}'`).join(", "))}) IS NOT NULL`,
    reported: sql`DELETE FROM reports WHERE id IN (
      SELECT id FROM reports WHERE target_type = 'user' AND target_id = ${userId} LIMIT ${rows})`,
  };
}
