/**
 * Mail waits in a table of its own and is sent after the answer; what fails is tried again by cron after a growing wait, and
 * parked after MOST_ATTEMPTS, or when its link is dead. A try is counted before it is made, so that two isolates never send
 * the same mail at once; a crash in between may send it twice.
 */
import { and, inArray, isNotNull, lt, or, sql } from "drizzle-orm";
import type { Ctx } from "../../context.ts";
import { accountTokens, mailOutbox } from "../../db/tables.ts";
import { logEvent, logFailure } from "../../platform/log.ts";
import { render } from "./render.ts";
import { TRANSPORTS } from "./transport.ts";

const FIRST_WAIT_MS = 60_000;
/** Waits of 1, 2, 4 … 64 minutes between: two hours in all. */
const MOST_ATTEMPTS = 8;
/** Sent side by side. */
const AT_ONCE = 20;
/** The cron has a minute, and other jobs. */
const ROUNDS = 20;
/** How long what was given up, or is shown at /dev/mail, is kept. */
const KEPT_MS = 30 * 86_400_000;

type Row = typeof mailOutbox.$inferSelect;

/** Sends what is due. Never throws. */
export async function sendDueMail(ctx: Ctx): Promise<void> {
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const due = await claim(ctx);
      const failures = await Promise.all(due.map((row) => send(ctx, row)));
      await recordOutcomes(ctx, due, failures);
      if (due.length < AT_ONCE) return;
    }
  } catch (error) {
    logFailure(ctx, "mail.outbox", error);
  }
}

/** Takes mails that are due, each for one try: the next one comes after the wait. */
function claim({ db, now }: Ctx): Promise<Row[]> {
  const due = sql`SELECT id FROM mail_outbox WHERE sent_at IS NULL AND parked_at IS NULL AND attempt_at <= ${now.getTime()}
    ORDER BY attempt_at LIMIT ${AT_ONCE}`;
  return db
    .update(mailOutbox)
    .set({
      attempts: sql`attempts + 1`,
      attemptAt: sql`${now.getTime()} + (${FIRST_WAIT_MS} << min(attempts, ${MOST_ATTEMPTS}))`,
    })
    .where(sql`id IN (${due})`)
    .returning();
}

/** @returns why it was not sent; null: it was */
async function send(ctx: Ctx, row: Row): Promise<string | null> {
  const { MAIL_TRANSPORT } = ctx.config;
  if (MAIL_TRANSPORT === "none" || MAIL_TRANSPORT === "local") return "No transport is set up.";
  if (row.expiresAt <= ctx.now) return "Its link is dead.";
  try {
    const mail = await render(ctx.config, row);
    await TRANSPORTS[MAIL_TRANSPORT](ctx, mail, `mail-${row.id}-${row.createdAt.getTime()}`);
    logEvent("mail.sent", { requestId: ctx.requestId, mailId: row.id, template: row.template, attempts: row.attempts });
    return null;
  } catch (error) {
    logFailure(ctx, "mail.failed", error, { mailId: row.id, template: row.template, attempts: row.attempts });
    return error instanceof Error ? error.message : String(error);
  }
}

async function recordOutcomes({ db, now, requestId }: Ctx, due: Row[], failures: (string | null)[]): Promise<void> {
  const sent = due.filter((_row, at) => failures[at] === null).map(({ id }) => id);
  const parked = due.flatMap((row, at) => {
    const reason = failures[at] ?? null;
    const isOver = row.attempts >= MOST_ATTEMPTS || row.expiresAt <= now;
    return reason !== null && isOver ? [{ id: row.id, reason }] : [];
  });
  if (sent.length > 0) await db.delete(mailOutbox).where(inArray(mailOutbox.id, sent));
  for (const { id, reason } of parked) {
    await db.update(mailOutbox).set({ parkedAt: now, reason }).where(sql`id = ${id}`);
    logEvent("mail.parked", { level: "error", requestId, mailId: id, reason });
  }
}

/** Run by cron. */
export async function forgetOldMail({ db, now }: Ctx): Promise<void> {
  const before = new Date(now.getTime() - KEPT_MS);
  const isDone = or(isNotNull(mailOutbox.sentAt), isNotNull(mailOutbox.parkedAt));
  await db.batch({
    mail: db.delete(mailOutbox).where(and(isDone, lt(mailOutbox.createdAt, before))),
    tokens: db.delete(accountTokens).where(lt(accountTokens.expiresAt, now)),
  });
}
