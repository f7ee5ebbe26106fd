/** A new password for who has forgotten theirs (SPEC 13). */
import { and, eq, type SQL, sql } from "drizzle-orm";
import { BACKEND } from "../../auth/identities.ts";
import type { Ctx } from "../../context.ts";
import { deliverSoon, enqueueSelect, pendingFor } from "../../db/outbox.ts";
import { accountTokens, sessions, socketTickets, users } from "../../db/tables.ts";
import { CLOSE } from "../../errors.ts";
import type { HubPayload } from "../../hub/delivery.ts";
import { fingerprint } from "../../platform/digest.ts";
import { limitMailFrom, newLink, queueMail, requireMail, sendMailSoon, storeLink } from "../mail/service.ts";
import type { ResetPassword } from "./contract.ts";
import { limitAddress } from "./limits.ts";
import { deadLink } from "./mail-verification.ts";
import { hashPassword } from "./password.ts";

/**
 * Mails a link for a new password. The same answer, and as fast, whether or not there is such an account: the work comes
 * after it. Whom the product's own backend signs in has no password here, and gets none.
 * @throws AppError FORBIDDEN no mail is set up · RATE_LIMIT
 */
export async function forgotPassword(ctx: Ctx, email: string): Promise<void> {
  requireMail(ctx);
  await limitMailFrom(ctx, email);
  ctx.later(mailReset(ctx, email));
}

async function mailReset(ctx: Ctx, email: string): Promise<void> {
  const link = await newLink(ctx, "reset");
  const where = sql`u.email = ${email} COLLATE NOCASE AND u.account_status = 'active'
    AND NOT EXISTS (SELECT 1 FROM identities i WHERE i.user_id = u.id AND i.issuer = ${BACKEND})`;
  await ctx.db.batch({
    token: storeLink(ctx, link, where),
    mail: queueMail(ctx, { template: "reset", link, where }),
  });
  sendMailSoon(ctx);
}

/**
 * Sets a new password by a mailed link, which also shows that mail arrives. Ends every session; sockets close with 4001. Of
 * any number of tries at once, one does it.
 * @throws AppError INVALID_REQUEST the link was used, is too old, or went to an address that the account has no more · RATE_LIMIT
 */
export async function resetPassword(ctx: Ctx, { token, password }: ResetPassword): Promise<void> {
  await limitAddress(ctx);
  const hash = await fingerprint(token);
  const isLive = (userId: SQL | number): SQL => sql`EXISTS (
    SELECT 1 FROM account_tokens t JOIN users u ON u.id = t.user_id AND u.email = t.email COLLATE NOCASE
    WHERE t.hash = ${hash} AND t.kind = 'reset' AND t.expires_at > ${ctx.now.getTime()} AND t.user_id = ${userId})`;
  const [known] = await ctx.db
    .select({ userId: accountTokens.userId })
    .from(accountTokens)
    .where(and(eq(accountTokens.hash, hash), isLive(sql`${accountTokens.userId}`)));
  // Before the slow hash, which whoever tries tokens would make us compute.
  if (!known) throw deadLink();
  const { userId } = known;
  const payload: HubPayload = { revocation: { code: CLOSE.unauthorized, reason: "UNAUTHORIZED" } };
  const { used, pending } = await ctx.db.batch({
    changed: ctx.db
      .update(users)
      .set({
        passwordHash: hashPassword(password, ctx.config.PASSWORD_SCRYPT_LOG_N),
        emailVerifiedAt: sql`coalesce(email_verified_at, ${ctx.now.getTime()})`,
        pendingEmail: null,
        onlineUntil: null,
      })
      .where(and(eq(users.id, userId), isLive(userId))),
    sessions: ctx.db.delete(sessions).where(and(eq(sessions.userId, userId), isLive(userId))),
    tickets: ctx.db.delete(socketTickets).where(and(eq(socketTickets.userId, userId), isLive(userId))),
    told: enqueueSelect(ctx, sql`SELECT ${`user:${userId}`}, ${JSON.stringify(payload)} WHERE ${isLive(userId)}`),
    // All of the account's: what was asked for before is of no use any more.
    used: ctx.db
      .delete(accountTokens)
      .where(and(eq(accountTokens.userId, userId), isLive(userId)))
      .returning({ hash: accountTokens.hash }),
    pending: pendingFor(ctx, `user:${userId}`),
  });
  if (used.length === 0) throw deadLink();
  deliverSoon(ctx, pending);
}
