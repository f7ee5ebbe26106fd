/**
 * Whether mail to an account's address reaches its owner, and the change of that address (SPEC 13). A link is good for the
 * account that it was made for, and only as long as its address is the account's, or the one that it is to have.
 */
import { and, eq, gt, type SQL, sql } from "drizzle-orm";
import type { Ctx, UserCtx } from "../../context.ts";
import { accountTokens, users } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { badField } from "../../input.ts";
import { fingerprint } from "../../platform/digest.ts";
import {
  limitMailFrom,
  limitMailTo,
  newLink,
  queueMail,
  requireMail,
  sendMailSoon,
  storeLink,
} from "../mail/service.ts";
import { limitAddress } from "./limits.ts";

/** Nobody else's account has the address. `u`: the account that may get it. */
const isFree = (email: SQL | string): SQL =>
  sql`NOT EXISTS (SELECT 1 FROM users o WHERE o.email = ${email} COLLATE NOCASE AND o.id <> u.id)`;

/** Statements that mail the first link to a new account: the one of this name and address. */
export async function verificationOf(ctx: Ctx, username: string, email: string) {
  const link = await newLink(ctx, "verify");
  const where = sql`u.username = ${username} AND u.email = ${email} AND u.created_at = ${ctx.now.getTime()}`;
  return { token: storeLink(ctx, link, where), mail: queueMail(ctx, { template: "verify", link, where }) };
}

/**
 * Statements that tell the owner of an address that they have an account, for whoever gives it for another one.
 * @param isOther SQL over `u`: it is not the account that the address was given for
 */
export async function reminderTo(ctx: Ctx, email: string, isOther: SQL) {
  const link = await newLink(ctx, "reset");
  const where = sql`u.email = ${email} COLLATE NOCASE AND u.account_status = 'active' AND ${isOther}`;
  return {
    resetToken: storeLink(ctx, link, where),
    reminder: queueMail(ctx, { template: "account-exists", link, where }),
  };
}

/**
 * Follows a link: the address counts. Of any number of tries at once, one does it.
 * @throws AppError INVALID_REQUEST used, too old, or of an address that the account is not to have any more · CONFLICT
 *   another account has the address by now · RATE_LIMIT
 */
export async function verifyEmail(ctx: Ctx, token: string): Promise<void> {
  await limitAddress(ctx);
  const isThis = and(
    eq(accountTokens.hash, await fingerprint(token)),
    eq(accountTokens.kind, "verify"),
    gt(accountTokens.expiresAt, ctx.now),
  );
  const [known] = await ctx.db.select().from(accountTokens).where(isThis);
  if (!known) throw deadLink();
  const { userId, email, hash } = known;
  const isLive = sql`EXISTS (SELECT 1 FROM account_tokens WHERE hash = ${hash})`;
  const mine = sql`u.id = ${userId} AND ${isLive} AND u.pending_email = ${email} AND ${isFree(email)}`;
  const { changed, used } = await ctx.db.batch({
    told: queueMail(ctx, { template: "email-changed", where: sql`${mine} AND u.email <> ${email} COLLATE NOCASE` }),
    changed: ctx.db
      .update(users)
      .set({ email, emailVerifiedAt: ctx.now, pendingEmail: sql`nullif(pending_email, ${email})` })
      .where(
        sql`id = (SELECT u.id FROM users u WHERE u.id = ${userId} AND ${isLive} AND ${email} IN (u.email, u.pending_email)
          AND ${isFree(email)})`,
      )
      .returning({ id: users.id }),
    used: ctx.db.delete(accountTokens).where(isThis).returning({ hash: accountTokens.hash }),
  });
  if (used.length === 0) throw deadLink();
  if (changed.length === 0)
    throw new AppError("CONFLICT", "This address is not to be the account's any more, or is another's.");
  sendMailSoon(ctx);
}

export const deadLink = (): AppError => badField("token", "has been used, or is too old: ask for a new link");

/**
 * Mails a link again: to the caller's new or unverified address, or for who is not signed in to `email`; then the answer is
 * the same, and as fast, whether or not there is such an account.
 * @throws AppError INVALID_REQUEST nobody is signed in, and there is no `email` · FORBIDDEN no mail is set up · RATE_LIMIT
 */
export async function resendVerification(ctx: Ctx, email: string | undefined): Promise<void> {
  requireMail(ctx);
  if (ctx.actor.kind === "user") {
    const isMe = sql`u.id = ${ctx.actor.id}`;
    const [me] = await ctx.db
      .select({ email: users.email, pendingEmail: users.pendingEmail })
      .from(users)
      .where(eq(users.id, ctx.actor.id));
    await limitMailTo(ctx, me?.pendingEmail ?? me?.email ?? "");
    return mailVerification(ctx, isMe);
  }
  if (email === undefined) throw badField("email", "is needed from callers who are not signed in");
  await limitMailFrom(ctx, email);
  ctx.later(mailVerification(ctx, sql`u.email = ${email} COLLATE NOCASE AND u.pending_email IS NULL`));
}

async function mailVerification(ctx: Ctx, who: SQL): Promise<void> {
  const link = await newLink(ctx, "verify");
  const to = sql`coalesce(u.pending_email, u.email)`;
  const where = sql`${who} AND (u.pending_email IS NOT NULL OR u.email_verified_at IS NULL) AND ${isFree(to)}`;
  await ctx.db.batch({
    token: storeLink(ctx, link, where, to),
    mail: queueMail(ctx, { template: "verify", link, where, to }),
  });
  sendMailSoon(ctx);
}

/**
 * Asks for another address. It counts once it is verified; the one that counts now is told. An address that another account
 * has is answered alike, and only its owner is told. The own address takes a change back.
 * @throws AppError FORBIDDEN no mail is set up · RATE_LIMIT
 */
export async function changeEmail(ctx: UserCtx, email: string): Promise<void> {
  const me = ctx.actor.id;
  const isOwn = sql`(SELECT ${users.email} FROM ${users} WHERE ${users.id} = ${me}) = ${email}`;
  requireMail(ctx);
  await limitMailTo(ctx, email);
  await limitMailTo(ctx, `change:${me}`);
  const link = await newLink(ctx, "verify");
  const asked = sql`u.id = ${me} AND u.pending_email = ${email}`;
  const wanted = sql`${asked} AND ${isFree(email)}`;
  await ctx.db.batch({
    pending: ctx.db
      .update(users)
      .set({ pendingEmail: sql`CASE WHEN ${isOwn} THEN NULL ELSE ${email} END` })
      .where(eq(users.id, me)),
    token: storeLink(ctx, link, wanted, sql`u.pending_email`),
    mail: queueMail(ctx, { template: "verify", link, where: wanted, to: sql`u.pending_email` }),
    told: queueMail(ctx, { template: "email-change-asked", where: asked }),
    ...(await reminderTo(ctx, email, sql`u.id <> ${me}`)),
  });
  sendMailSoon(ctx);
}

/** Whether an account may sign in with its password, as far as its address goes. @throws AppError FORBIDDEN */
export function refuseUnverified(
  ctx: Ctx,
  { emailVerifiedAt }: Pick<typeof users.$inferSelect, "emailVerifiedAt">,
): void {
  if (ctx.config.REQUIRE_VERIFIED_EMAIL === "1" && emailVerifiedAt === null) {
    throw new AppError(
      "FORBIDDEN",
      "Verify your email first: follow the link that was mailed to you, or ask for a new one.",
    );
  }
}
