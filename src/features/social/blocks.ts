/** Blocks: who is blocked cannot message, befriend, follow or invite the one who blocked (SPEC 3). */
import { and, eq, or, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { Ctx, UserCtx } from "../../context.ts";
import { deliverSoon, pendingFor } from "../../db/outbox.ts";
import { blocks, follows, friendships, users } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { privateRoomOf } from "../rooms/access.ts";

type Id = number | SQLWrapper;

/**
 * Whether one of two people has blocked the other, as a condition for the statement that it guards. It holds both ways:
 * who has blocked somebody has to unblock them first, or they would be talked at without a way to answer.
 */
export const blockedBetween = (oneId: Id, otherId: Id): SQL<number> =>
  sql`EXISTS (SELECT 1 FROM blocks block WHERE (block.blocker_id = ${oneId} AND block.blocked_id = ${otherId})
    OR (block.blocker_id = ${otherId} AND block.blocked_id = ${oneId}))`;

/** Whether one of two people has blocked the other; one query. */
export async function isBlockedBetween(ctx: Ctx, oneId: number, otherId: number): Promise<boolean> {
  const [block] = await ctx.db
    .select({ since: blocks.since })
    .from(blocks)
    .where(
      or(
        and(eq(blocks.blockerId, oneId), eq(blocks.blockedId, otherId)),
        and(eq(blocks.blockerId, otherId), eq(blocks.blockedId, oneId)),
      ),
    )
    .limit(1);
  return block !== undefined;
}

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
  const [[other], , , , pending] = await ctx.db.batch([
    ctx.db.select({ id: users.id }).from(users).where(eq(users.id, otherId)),
    ctx.db
      .insert(blocks)
      .select(sql`SELECT ${me}, ${otherId}, ${ctx.now.getTime()} WHERE ${exists}`)
      .onConflictDoNothing(),
    ctx.db.delete(friendships).where(bothWays(friendships.lowId, friendships.highId)),
    ctx.db.delete(follows).where(bothWays(follows.followerId, follows.followedId)),
    // A trigger tells the private room of the two, where nobody may write now.
    pendingFor(ctx, privateRoomOf(me, otherId)),
  ]);
  if (!other) throw new AppError("NOT_FOUND");
  deliverSoon(ctx, pending);
  return { blocked: true };
}

/** @throws AppError NOT_FOUND */
export async function unblockUser(ctx: UserCtx, otherId: number) {
  const [[other], , pending] = await ctx.db.batch([
    ctx.db.select({ id: users.id }).from(users).where(eq(users.id, otherId)),
    ctx.db.delete(blocks).where(and(eq(blocks.blockerId, ctx.actor.id), eq(blocks.blockedId, otherId))),
    pendingFor(ctx, privateRoomOf(ctx.actor.id, otherId)),
  ]);
  if (!other) throw new AppError("NOT_FOUND");
  deliverSoon(ctx, pending);
  return { blocked: false };
}
