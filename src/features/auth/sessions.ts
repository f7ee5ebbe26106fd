/**
 * Where one is signed in, and ending that elsewhere (SPEC 13). Tokens that somebody else signed have no row, so they are
 * not listed; a logout ends each of them.
 */
import { and, desc, eq, gt, ne, sql } from "drizzle-orm";
import type { UserCtx } from "../../context.ts";
import { after } from "../../db/batch.ts";
import { deliverSoon, enqueue, enqueueSelect, pendingFor } from "../../db/outbox.ts";
import { sessions, socketTickets } from "../../db/tables.ts";
import { AppError, CLOSE } from "../../errors.ts";
import type { HubPayload } from "../../hub/delivery.ts";
import type { Session } from "./contract.ts";
import { deviceOf } from "./device.ts";

/** More than anybody looks through; older ones end by `revoke-others`, or by their time. */
const LISTED = 100;

/** Where the caller is signed in, the last used first. */
export async function listSessions(ctx: UserCtx): Promise<Session[]> {
  const rows = await ctx.db
    .select()
    .from(sessions)
    .where(and(eq(sessions.userId, ctx.actor.id), gt(sessions.expiresAt, ctx.now)))
    .orderBy(desc(sessions.lastUsedAt), desc(sessions.createdAt))
    .limit(LISTED);
  return rows.map((row) => ({
    id: row.id,
    device: deviceOf(row.userAgent),
    address: row.address || null,
    createdAt: row.createdAt.toISOString(),
    lastUsedAt: row.lastUsedAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    isCurrent: row.id === ctx.actor.sessionId,
  }));
}

/**
 * Ends one session of the caller's; its sockets close with 4001.
 * @throws AppError NOT_FOUND they have none of this id
 */
export async function revokeSession(ctx: UserCtx, sessionId: string): Promise<void> {
  const { id: userId } = ctx.actor;
  const payload: HubPayload = { revocation: { code: CLOSE.unauthorized, reason: "UNAUTHORIZED", sessionId } };
  const { ended, pending } = await ctx.db.batch({
    ended: ctx.db
      .delete(sessions)
      .where(and(eq(sessions.id, sessionId), eq(sessions.userId, userId)))
      .returning({ id: sessions.id }),
    told: after(
      "ended",
      enqueueSelect(ctx, sql`SELECT ${`user:${userId}`}, ${JSON.stringify(payload)} WHERE changes() > 0`),
    ),
    tickets: ctx.db
      .delete(socketTickets)
      .where(and(eq(socketTickets.sessionId, sessionId), eq(socketTickets.userId, userId))),
    pending: pendingFor(ctx, `user:${userId}`),
  });
  if (ended.length === 0) throw new AppError("NOT_FOUND");
  deliverSoon(ctx, pending);
}

/** Ends all sessions of the caller's but this one; their sockets close with 4001. */
export async function revokeOtherSessions(ctx: UserCtx): Promise<void> {
  const { pending } = await ctx.db.batch(endOtherSessions(ctx));
  deliverSoon(ctx, pending);
}

/** Statements for the end of a batch: only this session stays. Hand `pending` to `deliverSoon`. */
export function endOtherSessions(ctx: UserCtx) {
  const { id: userId, sessionId } = ctx.actor;
  const payload: HubPayload = {
    revocation: { code: CLOSE.unauthorized, reason: "UNAUTHORIZED", exceptSessionId: sessionId },
  };
  return {
    sessions: ctx.db.delete(sessions).where(and(eq(sessions.userId, userId), ne(sessions.id, sessionId))),
    tickets: ctx.db
      .delete(socketTickets)
      .where(and(eq(socketTickets.userId, userId), ne(socketTickets.sessionId, sessionId))),
    told: enqueue(ctx, `user:${userId}`, payload),
    pending: pendingFor(ctx, `user:${userId}`),
  };
}
