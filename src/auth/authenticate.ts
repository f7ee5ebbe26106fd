/** From a token or ticket to the user who holds it, as the database knows them now. One query for our own tokens. */
import { and, eq, gt, sql } from "drizzle-orm";
import { actingAs, type Ctx, type User, type UserCtx } from "../context.ts";
import { generationColumn } from "../db/generation.ts";
import { hookColumn, noteHook } from "../db/message-hook.ts";
import { newestOutboxId } from "../db/outbox.ts";
import { addressBans, revokedTokens, sessions, socketTickets, users } from "../db/tables.ts";
import { anybodyListens, noteListening } from "../db/webhook-facts.ts";
import { AppError } from "../errors.ts";
import { fingerprint } from "../platform/digest.ts";
import { ROLES, type Role } from "../roles.ts";
import { isFromOutside, verifyOutsideToken } from "./outside.ts";
import { isOutsideSession, outsideTokenHash, roleOfSession } from "./outside-session.ts";
import { isShared, verifySharedToken } from "./shared.ts";
import { isServerKey, verifyToken } from "./tokens.ts";

type Session = { userId: number; sessionId: string; expiresAt: number };

/**
 * Who holds this token. A ban, a deactivation or a changed role counts at once, whatever the token says.
 * @throws AppError UNAUTHORIZED for a bad, expired or logged-out token and an erased account; FORBIDDEN, with the
 *   reason, for a banned or inactive one, and for a server's key; RATE_LIMIT for a banned address.
 */
export async function authenticate(ctx: Ctx, token: string): Promise<UserCtx> {
  return signIn(ctx, await sessionOf(ctx, token));
}

async function sessionOf(ctx: Ctx, token: string): Promise<Session> {
  if (isServerKey(token)) throw new AppError("FORBIDDEN", "A server's key opens no user's door.");
  if (await isShared(ctx.config, token)) return verifySharedToken(ctx, token);
  if (isFromOutside(ctx.config, token)) return verifyOutsideToken(ctx, token);
  return verifyToken(ctx.config, token, ctx.now);
}

/**
 * Uses up a socket ticket: of any number of sockets that come with it, one gets in.
 * @throws AppError as `authenticate`
 */
export async function redeemTicket(ctx: Ctx, ticket: string): Promise<UserCtx> {
  const [row] = await ctx.db
    .delete(socketTickets)
    .where(and(eq(socketTickets.hash, await fingerprint(ticket)), gt(socketTickets.expiresAt, ctx.now)))
    .returning();
  if (!row) throw new AppError("UNAUTHORIZED");
  return signIn(ctx, {
    userId: row.userId,
    sessionId: row.sessionId,
    expiresAt: row.tokenExpiresAt.getTime(),
  });
}

/**
 * Whoever was let in before, as they are now: for connections that outlive what was known when they began.
 * @throws AppError as `authenticate`
 */
export async function signIn(ctx: Ctx, session: Session): Promise<UserCtx> {
  // Null: it has ended. Of a token that somebody else signed no use is noted: it counts as used now.
  const lastUsedAt = isOutsideSession(session.sessionId)
    ? sql<number | null>`CASE WHEN NOT EXISTS (SELECT 1 FROM ${revokedTokens}
        WHERE ${revokedTokens.hash} = ${outsideTokenHash(session.sessionId)}) THEN ${ctx.now.getTime()} END`
    : sql<number | null>`(SELECT ${sessions.lastUsedAt} FROM ${sessions}
        WHERE ${sessions.id} = ${session.sessionId} AND ${sessions.userId} = ${session.userId})`;
  const [row] = await ctx.db
    .select({
      id: users.id,
      username: users.username,
      displayName: users.displayName,
      avatarUrl: users.avatarUrl,
      role: users.role,
      roleSetAt: users.roleSetAt,
      accountStatus: users.accountStatus,
      bannedAt: users.bannedAt,
      banReason: users.banReason,
      lastActiveAt: users.lastActiveAt,
      lastUsedAt,
      createdAt: users.createdAt,
      asOf: newestOutboxId,
      generation: generationColumn,
      listens: anybodyListens,
      asked: hookColumn,
      addressBan: addressBanColumn(ctx),
    })
    .from(users)
    .where(eq(users.id, session.userId));
  if (row) {
    noteListening(row.listens === 1);
    noteHook(row.asked);
  }
  if (!row || row.lastUsedAt === null) throw new AppError("UNAUTHORIZED");
  refuseBarred(ctx, row);
  noteActivity(ctx, row.id, row.lastActiveAt);
  noteUse(ctx, session.sessionId, row.lastUsedAt);
  const user: User = {
    kind: "user",
    id: row.id,
    username: row.username,
    displayName: row.displayName,
    avatarUrl: row.avatarUrl,
    role: row.roleSetAt ? row.role : higherRole(row.role, roleOfSession(session.sessionId)),
    sessionId: session.sessionId,
    expiresAt: session.expiresAt,
    asOf: row.asOf,
    generation: row.generation,
    bornAt: row.createdAt.getTime(),
  };
  return actingAs(ctx, user);
}

/** The caller as they are now, for a call that goes on for long. @throws AppError as `authenticate` */
export async function askedAgain(ctx: Ctx): Promise<Ctx> {
  const { actor } = ctx;
  return actor.kind === "user" ? await signIn(ctx, { ...actor, userId: actor.id }) : ctx;
}

/** A token may give a role while nobody here has said what the account's is. */
const higherRole = (own: Role, given: Role | null): Role =>
  given !== null && ROLES.indexOf(given) > ROLES.indexOf(own) ? given : own;

type Standing = Pick<typeof users.$inferSelect, "bannedAt" | "banReason" | "accountStatus">;

/** @throws AppError FORBIDDEN for a banned or inactive account, RATE_LIMIT for a banned address. */
export function refuseBarred(ctx: Ctx, account: Standing & { addressBan?: number | null }): void {
  refuseUntil(ctx, account.addressBan ?? null);
  if (account.bannedAt) throw new AppError("FORBIDDEN", `Account banned: ${account.banReason ?? "no reason given"}`);
  if (account.accountStatus !== "active") throw new AppError("FORBIDDEN", "Account is not active.");
}

/** "Active today" is one write per user and UTC day, after the answer. */
function noteActivity(ctx: Ctx, userId: number, lastActiveAt: Date | null): void {
  const today = new Date(ctx.now).setUTCHours(0, 0, 0, 0);
  if (lastActiveAt && lastActiveAt.getTime() >= today) return;
  ctx.later(ctx.db.update(users).set({ lastActiveAt: ctx.now }).where(eq(users.id, userId)));
}

const USE_NOTED_EVERY_MS = 3_600_000;

/** When a session was last used is one write per hour of use, after the answer (SPEC 13). */
function noteUse(ctx: Ctx, sessionId: string, lastUsedAt: number): void {
  if (lastUsedAt > ctx.now.getTime() - USE_NOTED_EVERY_MS) return;
  ctx.later(ctx.db.update(sessions).set({ lastUsedAt: ctx.now }).where(eq(sessions.id, sessionId)));
}

/** @throws AppError RATE_LIMIT for a banned address; for doors that nobody is signed in at yet. */
export async function refuseBannedAddress(ctx: Ctx): Promise<void> {
  const [ban] = await ctx.db
    .select({ until: addressBans.until })
    .from(addressBans)
    .where(and(eq(addressBans.address, ctx.address), gt(addressBans.until, ctx.now)));
  refuseUntil(ctx, ban?.until.getTime() ?? null);
}

/** Until when the caller's address is banned, ms, or null; for a column of a query. */
export const addressBanColumn = ({ address, now }: Ctx) =>
  sql<number | null>`(SELECT ${addressBans.until} FROM ${addressBans}
    WHERE ${addressBans.address} = ${address} AND ${addressBans.until} > ${now.getTime()})`;

/** @throws AppError RATE_LIMIT until then, ms */
export function refuseUntil({ now }: Ctx, until: number | null): void {
  if (until === null) return;
  throw new AppError("RATE_LIMIT", undefined, { retryAfterSeconds: Math.ceil((until - now.getTime()) / 1000) });
}

/** `Authorization: Bearer …`, or `?token=` (SPEC 1), or null. */
export const tokenOf = (request: Request): string | null =>
  bearerOf(request) ?? new URL(request.url).searchParams.get("token");

/** `Authorization: Bearer …` alone, or null. */
export const bearerOf = ({ headers }: Request): string | null =>
  /^Bearer\s+(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1] ?? null;
