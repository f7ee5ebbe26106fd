/** Tells a user's friends that they came or went (SPEC 14). */
import { sql } from "drizzle-orm";
import type { Ctx } from "../../context.ts";
import { pushTo } from "../../hub/client.ts";
import { logFailure } from "../../platform/log.ts";

/** Of more friends, the latest so many hear it. */
const FRIENDS_MAX = 500;

/** One read finds the friends who are online; each of them costs a call, the others nothing. Never throws. */
export async function tellFriends(ctx: Ctx, userId: number, isOnline: boolean): Promise<void> {
  try {
    const friends = await ctx.db.all<{ id: number; lastSeenAt: number | null }>(sql`
      SELECT u.id AS id, me.last_seen_at AS lastSeenAt FROM (
        SELECT CASE WHEN low_id = ${userId} THEN high_id ELSE low_id END AS id FROM friendships
        WHERE (low_id = ${userId} OR high_id = ${userId}) AND status = 'accepted' ORDER BY since DESC LIMIT ${FRIENDS_MAX}
      ) friend CROSS JOIN users u ON u.id = friend.id CROSS JOIN users me ON me.id = ${userId}
      WHERE u.connected_at IS NOT NULL AND u.account_status = 'active'`);
    const pushes = friends.map(({ id, lastSeenAt }) => {
      const lastSeen = lastSeenAt === null ? null : new Date(lastSeenAt).toISOString();
      return pushTo(ctx, id, { type: "presence:changed", data: { userId, isOnline, lastSeen } });
    });
    const failed = (await Promise.allSettled(pushes)).find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  } catch (error) {
    // Not kept anywhere: who looks next asks.
    logFailure(ctx, "presence.friends", error);
  }
}
