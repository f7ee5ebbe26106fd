/** Presence: what the database knows of it, and what others are told. Two writes per stay online, none in between. */
import { eq } from "drizzle-orm";
import type { Ctx, UserCtx } from "../../context.ts";
import { deliverSoon } from "../../db/outbox.ts";
import { users } from "../../db/tables.ts";
import { pendingFacts } from "../../db/webhook-facts.ts";
import { AppError } from "../../errors.ts";
import { isConnected } from "../../hub/client.ts";
import { logFailure } from "../../platform/log.ts";
import { blockedBetween } from "../social/service.ts";
import { isShown } from "../users/service.ts";
import type { UserStatus } from "./contract.ts";

export { tellFriends } from "./friends.ts";

/**
 * Online from a login or a first connection until logout or the close of the last one. The hub is only asked about users
 * whose row says that they are connected: it knows who vanished without a close. Between two people of whom one has blocked
 * the other, nobody is ever here.
 * @throws AppError NOT_FOUND
 */
export async function readStatus(ctx: UserCtx, userId: number): Promise<UserStatus> {
  const [user] = await ctx.db
    .select({
      connectedAt: users.connectedAt,
      onlineUntil: users.onlineUntil,
      lastSeenAt: users.lastSeenAt,
      isBlocked: blockedBetween(ctx.actor.id, userId),
    })
    .from(users)
    .where(isShown(ctx, userId));
  if (!user) throw new AppError("NOT_FOUND");
  if (user.isBlocked) return { isOnline: false, lastSeen: null };
  const isOnline = await isOnlineNow(ctx, { id: userId, ...user });
  return { isOnline, lastSeen: user.lastSeenAt?.toISOString() ?? null };
}

type Known = { id: number; connectedAt: Date | null; onlineUntil: Date | null };

/** What the user's row says; whether one who is said to be connected still is, the hub knows. */
export async function isOnlineNow(ctx: Ctx, { id, connectedAt, onlineUntil }: Known): Promise<boolean> {
  const hasJustLoggedIn = onlineUntil !== null && onlineUntil > ctx.now;
  return hasJustLoggedIn || (connectedAt !== null && (await isConnected(ctx, id)));
}

/** Written by the hub on a user's first connection and after the last one. */
export async function recordPresence(ctx: Ctx, userId: number, isHere: boolean): Promise<void> {
  const change = isHere
    ? { connectedAt: ctx.now, onlineUntil: null }
    : { connectedAt: null, onlineUntil: null, lastSeenAt: ctx.now };
  try {
    const { pending } = await ctx.db.batch({
      noted: ctx.db.update(users).set(change).where(eq(users.id, userId)),
      pending: pendingFacts(ctx),
    });
    deliverSoon(ctx, pending);
  } catch (error) {
    // The hub answers for those the row says are connected; a stale row only costs a question.
    logFailure(ctx, "presence", error);
  }
}
