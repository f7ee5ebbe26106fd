/** Making an account, and signing in and out. What its owner does with it: own-account.ts. */
import { and, eq, lt, or, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { refuseBarred } from "../../auth/authenticate.ts";
import { isOutsideSession, outsideTokenHash } from "../../auth/outside-session.ts";
import { accountColumns, accountOf, rememberSession } from "../../auth/session-cache.ts";
import { signToken } from "../../auth/tokens.ts";
import type { Ctx, UserCtx } from "../../context.ts";
import { one, type Statements } from "../../db/batch.ts";
import { foldedNames } from "../../db/folding.ts";
import { deliverSoon, enqueue, pendingFor } from "../../db/outbox.ts";
import { revokedTokens, sessions, socketTickets, users } from "../../db/tables.ts";
import { AppError, CLOSE } from "../../errors.ts";
import type { HubPayload } from "../../hub/delivery.ts";
import { fingerprint, randomSecret } from "../../platform/digest.ts";
import { fold } from "../../text.ts";
import { hasMail, limitMailTo, sendMailSoon } from "../mail/service.ts";
import type { Login, Register } from "./contract.ts";
import { limitLogins } from "./limits.ts";
import { refuseUnverified, reminderTo, verificationOf } from "./mail-verification.ts";
import { toAccount } from "./own-account.ts";
import { hashPassword, isOutdated, verifyPassword } from "./password.ts";

type Row = typeof users.$inferSelect;
/** The statement that makes an account, if name and email are free. */
type Making = BatchItem<"sqlite"> & { _: { result: Row[] } };

/** A login that opens no connection counts as presence for this long (SPEC 1). */
const LOGIN_PRESENCE_MS = 5 * 60_000;
const TICKET_LIFE_MS = 30_000;
/** What tells browsers and systems apart stands before that. */
const USER_AGENT_CHARACTERS = 300;

/**
 * Makes an account and signs it in; null where the email must be verified first (REQUIRE_VERIFIED_EMAIL): then a taken one is
 * answered alike, and its owner is told.
 * @throws AppError CONFLICT when the username or email is taken, in whatever case · RATE_LIMIT · FORBIDDEN where accounts are
 *   a backend's to make
 */
export async function register(ctx: Ctx, input: Register) {
  if (ctx.config.USER_IDS === "subject")
    throw new AppError("FORBIDDEN", "Accounts are made by the product's own backend.");
  await limitLogins(ctx, fold(input.username));
  const { password, ...profile } = input;
  const isVerifiedFirst = ctx.config.REQUIRE_VERIFIED_EMAIL === "1";
  const account = ctx.db
    .insert(users)
    .values({
      ...profile,
      ...foldedNames(profile),
      isFolded: true,
      passwordHash: hashPassword(password, ctx.config.PASSWORD_SCRYPT_LOG_N),
      createdAt: ctx.now,
      lastActiveAt: ctx.now,
      onlineUntil: isVerifiedFirst ? null : signedInUntil(ctx),
    })
    .onConflictDoNothing()
    .returning();
  const [made] = hasMail(ctx) ? await makeWithMail(ctx, input, account) : await account;
  if (isVerifiedFirst) return null;
  if (!made) throw new AppError("CONFLICT", "This username or email is taken.");
  return { user: toAccount(made), ...(await openSession(ctx, made.id)) };
}

/** Makes the account, and mails what its owner, or the owner of a taken email, has to do. @throws AppError CONFLICT, RATE_LIMIT */
async function makeWithMail(ctx: Ctx, { username, email }: Register, account: Making): Promise<Row[]> {
  const named = ctx.db.select({ id: users.id }).from(users).where(sql`username = ${username} COLLATE NOCASE`);
  const verification = await verificationOf(ctx, username, email);
  if (ctx.config.REQUIRE_VERIFIED_EMAIL === "0") {
    const { made } = await ctx.db.batch({ made: account, ...verification });
    sendMailSoon(ctx);
    return made;
  }
  await limitMailTo(ctx, email);
  // The same statements for a taken email, so that not even the time tells.
  const { taken, made } = await ctx.db.batch({
    taken: named,
    made: account,
    ...verification,
    ...(await reminderTo(ctx, email, sql`u.created_at <> ${ctx.now.getTime()}`)),
  });
  sendMailSoon(ctx);
  if (taken.length > 0) throw new AppError("CONFLICT", "This username is taken.");
  return made;
}

/**
 * Signs in by username or email.
 * @throws AppError UNAUTHORIZED for a wrong pair, in the same time whether or not the account exists · FORBIDDEN for a
 *   banned or inactive account, or one whose email must be verified first, only after the right password · RATE_LIMIT
 */
export async function login(ctx: Ctx, { username, password }: Login) {
  const name = fold(username).trim();
  await limitLogins(ctx, name);
  const [user] = await ctx.db
    .select()
    .from(users)
    .where(or(sql`${users.username} = ${name} COLLATE NOCASE`, sql`${users.email} = ${name} COLLATE NOCASE`));
  const cost = ctx.config.PASSWORD_SCRYPT_LOG_N;
  const isRight = password.length <= 128 && verifyPassword(password, user?.passwordHash ?? null, cost);
  if (!user || !isRight) throw new AppError("UNAUTHORIZED", "Wrong username or password.");
  refuseBarred(ctx, user);
  refuseUnverified(ctx, user);
  const passwordHash = isOutdated(user.passwordHash ?? "", cost) ? hashPassword(password, cost) : user.passwordHash;
  return signIn(ctx, user, { passwordHash });
}

/** Until when a sign-in of now counts as presence. */
const signedInUntil = (ctx: Ctx): Date => new Date(ctx.now.getTime() + LOGIN_PRESENCE_MS);

/** A session for somebody whose account is there already, which is active from now on; `more` changes with it. */
export async function signIn(ctx: Ctx, user: Row, more: { passwordHash?: string | null } = {}) {
  const active = { ...more, lastActiveAt: ctx.now, onlineUntil: signedInUntil(ctx) };
  const here = ctx.db.update(users).set(active).where(eq(users.id, user.id));
  return { user: toAccount(user), ...(await openSession(ctx, user.id, undefined, { here })) };
}

/**
 * A session and its token, for an account that may have one; `record` belongs into its batch. Life: JWT_EXPIRE_MINUTES, if
 * nothing else is said.
 */
export async function openSession(ctx: Ctx, userId: number, lifeSeconds?: number, record: Statements = {}) {
  const sessionId = randomSecret(16);
  const { token, expiresAt } = await signToken(ctx.config, { userId, sessionId, now: ctx.now, lifeSeconds });
  const { account } = await ctx.db.batch({
    started: ctx.db.insert(sessions).values({
      id: sessionId,
      userId,
      createdAt: ctx.now,
      expiresAt,
      userAgent: ctx.userAgent.slice(0, USER_AGENT_CHARACTERS),
      address: ctx.address,
      lastUsedAt: ctx.now,
    }),
    forgotten: ctx.db.delete(sessions).where(and(eq(sessions.userId, userId), lt(sessions.expiresAt, ctx.now))),
    ...record,
    account: one(ctx.db.select(accountColumns).from(users).where(eq(users.id, userId))),
  });
  // The first call with it, most often the connect of a socket, costs one trip like all that follow.
  if (account) rememberSession(ctx, token, { userId, sessionId, expiresAt: expiresAt.getTime() }, accountOf(account));
  return { token, expiresAt: expiresAt.toISOString() };
}

/** A new token of the same session; a logout ends both. */
export async function refreshToken(ctx: UserCtx) {
  const { id: userId, sessionId } = ctx.actor;
  // An outside provider's token is turned into a session of ours only by the provider itself.
  if (isOutsideSession(sessionId)) throw new AppError("FORBIDDEN", "Ask your identity provider for a new token.");
  const { token, expiresAt } = await signToken(ctx.config, { userId, sessionId, now: ctx.now });
  await ctx.db.update(sessions).set({ expiresAt }).where(eq(sessions.id, sessionId));
  return { token, expiresAt: expiresAt.toISOString() };
}

/** The token is dead from the next request on; its sockets close with 4001. */
export async function logout(ctx: UserCtx): Promise<void> {
  const { id: userId, sessionId, expiresAt } = ctx.actor;
  const end = isOutsideSession(sessionId)
    ? ctx.db
        .insert(revokedTokens)
        .values({ hash: outsideTokenHash(sessionId), expiresAt: new Date(expiresAt) })
        .onConflictDoNothing()
    : ctx.db.delete(sessions).where(eq(sessions.id, sessionId));
  const payload: HubPayload = { revocation: { code: CLOSE.unauthorized, reason: "UNAUTHORIZED", sessionId } };
  const { pending } = await ctx.db.batch({
    ended: end,
    seen: ctx.db.update(users).set({ lastSeenAt: ctx.now, onlineUntil: null }).where(eq(users.id, userId)),
    told: enqueue(ctx, `user:${userId}`, payload),
    pending: pendingFor(ctx, `user:${userId}`),
  });
  deliverSoon(ctx, pending);
}

/** A ticket for one socket, so that no token stands in a URL (and so in a log). Single use, 30 s. */
export async function makeSocketTicket(ctx: UserCtx) {
  const ticket = randomSecret();
  const expiresAt = new Date(ctx.now.getTime() + TICKET_LIFE_MS);
  await ctx.db.insert(socketTickets).values({
    hash: await fingerprint(ticket),
    userId: ctx.actor.id,
    sessionId: ctx.actor.sessionId,
    tokenExpiresAt: new Date(ctx.actor.expiresAt),
    expiresAt,
  });
  return { ticket, expiresAt: expiresAt.toISOString() };
}
