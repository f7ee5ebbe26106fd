/** Writing to people about their accounts. What is queued in the batch of a change is sent once that is committed. */
import { type SQL, sql } from "drizzle-orm";
import { spend, spendAtDoor } from "../../auth/rate-limit.ts";
import type { Ctx } from "../../context.ts";
import { AppError } from "../../errors.ts";
import { fingerprint } from "../../platform/digest.ts";
import { fold } from "../../text.ts";
import type { NewLink } from "./links.ts";
import { forgetOldMail, sendDueMail } from "./outbox.ts";
import { languageOf, type TemplateName } from "./templates.ts";

export { newLink } from "./links.ts";

/** What an account is given for an email when nobody said one: RFC 2606 lets no mail go there. */
const NOWHERE = "%@%.invalid";
/** A notice that could not be sent for so long is of no use. */
const NOTICE_LIFE_MS = 86_400_000;

/** Whether mail can be sent here at all. */
export const hasMail = ({ config }: Ctx): boolean => config.MAIL_TRANSPORT !== "none";

/** @throws AppError FORBIDDEN no transport is set up */
export function requireMail(ctx: Ctx): void {
  if (!hasMail(ctx)) throw new AppError("FORBIDDEN", "This service sends no mail: MAIL_TRANSPORT is not set.");
}

/**
 * A statement that stores what a link will prove, for the accounts `u` that `where` finds, and says where it is mailed to.
 * @param to SQL over `u`
 */
export const storeLink = ({ db }: Ctx, { kind, hash, expiresAt }: NewLink, where: SQL, to: SQL = sql`u.email`) =>
  db.run(sql`INSERT INTO account_tokens (hash, kind, user_id, email, expires_at)
    SELECT ${hash}, ${kind}, u.id, ${to}, ${expiresAt.getTime()} FROM users u WHERE ${where}`);

type Letter = { template: TemplateName; link?: NewLink; where: SQL; to?: SQL };

/**
 * A statement that queues one mail for each account `u` that `where` finds; call `sendMailSoon` after the batch.
 * @param to SQL over `u`; their email otherwise
 */
export function queueMail(ctx: Ctx, { template, link, where, to = sql`u.email` }: Letter) {
  const now = ctx.now.getTime();
  const expiresAt = link?.expiresAt.getTime() ?? now + NOTICE_LIFE_MS;
  const sentAt = ctx.config.MAIL_TRANSPORT === "local" ? now : null;
  return ctx.db.run(sql`INSERT INTO mail_outbox
    (user_id, recipient, template, language, username, token_id, created_at, expires_at, attempt_at, sent_at)
    SELECT u.id, ${to}, ${template}, ${languageOf(ctx.acceptLanguage)}, u.username, ${link?.tokenId ?? null},
      ${now}, ${expiresAt}, ${now}, ${sentAt}
    FROM users u WHERE (${where}) AND ${to} NOT LIKE ${NOWHERE}`);
}

/** Sends what was queued, after the answer. */
export function sendMailSoon(ctx: Ctx): void {
  if (hasMail(ctx) && ctx.config.MAIL_TRANSPORT !== "local") ctx.later(sendDueMail(ctx));
}

/** Run by cron: sends what has failed before, and forgets what is done. */
export async function sweepMail(ctx: Ctx): Promise<void> {
  if (!hasMail(ctx)) return;
  await sendDueMail(ctx);
  await forgetOldMail(ctx);
}

/** As long as the life of a reset link: whoever is over the limit has one that still works. */
const WINDOW_SECONDS = 30 * 60;
/** People behind one address, a school's say. */
const MAILS_PER_ADDRESS = 4;

/**
 * Counts a mail that a caller asks for, by the address that it goes to, whether or not there is such an account.
 * @throws AppError RATE_LIMIT
 */
export async function limitMailTo(ctx: Ctx, email: string): Promise<void> {
  await spend(ctx, await byAddressee(ctx, email));
}

/** As `limitMailTo`, and by the caller's address. @throws AppError RATE_LIMIT, also for a banned address */
export async function limitMailFrom(ctx: Ctx, email: string): Promise<void> {
  const limit = ctx.config.RATE_LIMIT_MAILS * MAILS_PER_ADDRESS;
  const byAddress = { key: `mails:${ctx.address}`, limit, windowSeconds: WINDOW_SECONDS };
  await spendAtDoor(ctx, [byAddress, await byAddressee(ctx, email)]);
}

const byAddressee = async (ctx: Ctx, email: string) => ({
  key: `mail:${await fingerprint(fold(email))}`,
  limit: ctx.config.RATE_LIMIT_MAILS,
  windowSeconds: WINDOW_SECONDS,
});
