/** Blocks: who is blocked cannot message, befriend, follow or invite the one who blocked (SPEC 3). */
import { and, eq, type SQLWrapper, sql } from "drizzle-orm";
import type { UserCtx } from "../../context.ts";
import { one } from "../../db/batch.ts";
import { deliverSoon, pendingFor } from "../../db/outbox.ts";
import { blocks, follows, friendships, users } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";

/**
 * The outbox's name for the private room of two people; NULL if they have none. The trigger on `blocks` tells that room,
 * where nobody may write any more, or again; reading what is pending for it in the same batch lets it hear at once.
 */
const privateRoomOf = (one: number, other: number) =>
  sql<string>`(SELECT 'room:' || id FROM rooms WHERE low_id = ${Math.min(one, other)} AND high_id = ${Math.max(one, other)})`;

/**
 * Blocks somebody: ends a friendship or request between the two, and both follows.
 * @throws AppError INVALID_REQUEST oneself · NOT_FOUND
 */
export async function blockUser(ctx: UserCtx, otherId: number) {
  const me = ctx.actor.id;
  if (otherId === me) throw new AppError("INVALID_REQUEST", "Nobody can block themself.");
  const bothWays = (oneId: SQLWrapper, twoId: SQLWrapper) =>
    sql`(${oneId} = ${me} AND ${twoId} = ${otherId}) OR (${oneId} = ${otherId} AND ${twoId} = ${me})`;
  const exists = sql`EXISTS (SELECT 1 FROM users u WHERE u.id = ${otherId})`;
  const { other, pending } = await ctx.db.batch({
    other: one(ctx.db.select({ id: users.id }).from(users).where(eq(users.id, otherId))),
    blocked: ctx.db
      .insert(blocks)
      .select(sql`SELECT ${me}, ${otherId}, ${ctx.now.getTime()} WHERE ${exists}`)
      .onConflictDoNothing(),
    friendships: ctx.db.delete(friendships).where(bothWays(friendships.lowId, friendships.highId)),
    follows: ctx.db.delete(follows).where(bothWays(follows.followerId, follows.followedId)),
    pending: pendingFor(ctx, privateRoomOf(me, otherId)),
  });
  if (!other) throw new AppError("NOT_FOUND");
  deliverSoon(ctx, pending);
  return { blocked: true };
}

/** @throws AppError NOT_FOUND */
export async function unblockUser(ctx: UserCtx, otherId: number) {
  const { other, pending } = await ctx.db.batch({
    other: one(ctx.db.select({ id: users.id }).from(users).where(eq(users.id, otherId))),
    unblocked: ctx.db.delete(blocks).where(and(eq(blocks.blockerId, ctx.actor.id), eq(blocks.blockedId, otherId))),
    pending: pendingFor(ctx, privateRoomOf(ctx.actor.id, otherId)),
  });
  if (!other) throw new AppError("NOT_FOUND");
  deliverSoon(ctx, pending);
  return { blocked: false };
}
