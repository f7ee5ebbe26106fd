/** From a token or ticket to the user who holds it, as the database knows them now. One query for our own tokens, or none. */
import { and, eq, gt, sql } from "drizzle-orm";
import { actingAs, type Ctx, type User, type UserCtx } from "../context.ts";
import type { CallContext } from "../db/call-context.ts";
import { hookColumn, noteHook } from "../db/message-hook.ts";
import { sessions, socketTickets, users } from "../db/tables.ts";
import { anybodyListens, noteListening } from "../db/webhook-facts.ts";
import { AppError } from "../errors.ts";
import { fingerprint } from "../platform/digest.ts";
import { addressBanColumn, refuseUntil } from "./banned-address.ts";
import { CallerChanged } from "./caller-changed.ts";
import { isFromOutside, verifyOutsideToken } from "./outside.ts";
import { isOutsideSession, outsideTokenHash } from "./outside-session.ts";
import {
  type Account,
  accountColumns,
  accountOf,
  believe,
  lastUseOf,
  outsideUseOf,
  rememberSession,
  type Session,
  type Use,
  userOf,
} from "./session-cache.ts";
import { isShared, verifySharedToken } from "./shared.ts";
import { isServerKey, verifyToken } from "./tokens.ts";

/**
 * Who holds this token. A ban, a deactivation or a changed role counts at once, whatever the token says.
 * @throws AppError UNAUTHORIZED for a bad, expired or logged-out token and an erased account; FORBIDDEN, with the
 *   reason, for a banned or inactive one, and for a server's key; RATE_LIMIT for a banned address.
 */
export async function authenticate(ctx: Ctx, token: string): Promise<UserCtx> {
  const session = await sessionOf(ctx, token);
  const account = await findAccount(ctx, session);
  rememberSession(ctx, token, session, account);
  return actingAs(ctx, userOf(session, account));
}

/**
 * The same without a trip, where this isolate knows the token: the first trip of the call's work asks whether all is as it
 * was. Where it is not, that throws what `authenticate` throws, or CallerChanged.
 * @throws AppError as `authenticate`, where the token is not known here
 */
export async function authenticateByWork(ctx: Ctx, token: string): Promise<UserCtx> {
  const believed = believe(ctx, token, {
    met: recordUse,
    unmet: async () => {
      throw new CallerChanged(await authenticate(ctx, token));
    },
  });
  return believed ?? authenticate(ctx, token);
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
  return actingAs(ctx, userOf(session, await findAccount(ctx, session)));
}

async function findAccount(ctx: Ctx, { sessionId, userId }: Session): Promise<Account> {
  const now = sql`${ctx.now.getTime()}`;
  const [row] = await ctx.db
    .select({
      account: accountColumns,
      accountStatus: users.accountStatus,
      bannedAt: users.bannedAt,
      banReason: users.banReason,
      lastActiveAt: sql<number | null>`${users.lastActiveAt}`,
      // Null: the session has ended.
      lastUsedAt: isOutsideSession(sessionId)
        ? outsideUseOf(sql`${outsideTokenHash(sessionId)}`, now)
        : lastUseOf(sql`${sessionId}`, sql`${userId}`),
      listens: anybodyListens,
      asked: hookColumn,
      addressBan: addressBanColumn(ctx),
    })
    .from(users)
    .where(eq(users.id, userId));
  if (!row || row.lastUsedAt === null) throw new AppError("UNAUTHORIZED");
  refuseBarred(ctx, row);
  const { account, lastUsedAt } = row;
  recordUse({ ...ctx, actor: { id: userId, sessionId } }, { ...row, asOf: account.asOf, lastUsedAt });
  return accountOf(account);
}

/** The caller as they are now, for a call that goes on for long. @throws AppError as `authenticate` */
export async function askedAgain(ctx: Ctx): Promise<Ctx> {
  const { actor } = ctx;
  return actor.kind === "user" ? await signIn(ctx, { ...actor, userId: actor.id }) : ctx;
}

type AccountState = Pick<typeof users.$inferSelect, "bannedAt" | "banReason" | "accountStatus">;

/** @throws AppError FORBIDDEN for a banned or inactive account, RATE_LIMIT for a banned address. */
export function refuseBarred(ctx: Ctx, account: AccountState & { addressBan?: number | null }): void {
  refuseUntil(ctx, account.addressBan ?? null);
  if (account.bannedAt) throw new AppError("FORBIDDEN", `Account banned: ${account.banReason ?? "no reason given"}`);
  if (account.accountStatus !== "active") throw new AppError("FORBIDDEN", "Account is not active.");
}

type Used = CallContext & { actor: Pick<User, "id" | "sessionId"> };

/** What was read along with who calls, and what of it is written down, after the answer. */
function recordUse(ctx: Used, { listens, asked, lastActiveAt, lastUsedAt }: Use): void {
  noteListening(listens === 1);
  noteHook(asked);
  recordActivity(ctx, lastActiveAt);
  recordSessionUse(ctx, lastUsedAt);
}

/** "Active today" is one write per user and UTC day. */
function recordActivity(ctx: Used, lastActiveAt: number | null): void {
  const today = new Date(ctx.now).setUTCHours(0, 0, 0, 0);
  if (lastActiveAt !== null && lastActiveAt >= today) return;
  ctx.later(ctx.db.update(users).set({ lastActiveAt: ctx.now }).where(eq(users.id, ctx.actor.id)));
}

const USE_NOTED_EVERY_MS = 3_600_000;

/** When a session was last used is one write per hour of use (SPEC 13). */
function recordSessionUse(ctx: Used, lastUsedAt: number): void {
  if (lastUsedAt > ctx.now.getTime() - USE_NOTED_EVERY_MS) return;
  ctx.later(ctx.db.update(sessions).set({ lastUsedAt: ctx.now }).where(eq(sessions.id, ctx.actor.sessionId)));
}

/** `Authorization: Bearer …`, or `?token=` (SPEC 1), or null. */
export const tokenOf = (request: Request): string | null =>
  bearerOf(request) ?? new URL(request.url).searchParams.get("token");

/** `Authorization: Bearer …` alone, or null. */
export const bearerOf = ({ headers }: Request): string | null =>
  /^Bearer\s+(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1] ?? null;
