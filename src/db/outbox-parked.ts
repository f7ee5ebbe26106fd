/**
 * Rows of the outbox that failed again and again: poison. They are put aside (`outbox_parked`), so that they hold up nobody,
 * and an admin tries them again or throws them away. Failures of the way (an object that is overloaded or restarting) do
 * not count.
 */
import { lt, sql } from "drizzle-orm";
import { logEvent } from "../platform/log.ts";
import { countParked } from "../platform/metrics.ts";
import type { CallContext } from "./call-context.ts";
import { outbox, outboxParked } from "./tables.ts";

/** A delivery that was not taken. `reason`: for operators; it says nothing of what was told. */
export type FailedDelivery = { id: number; reason: string };

/** A busy receiver is tried many times a second: attempts within this time count once. */
const ATTEMPT_EVERY_MS = 10_000;
/** With the sweep's pace of a minute, a row is parked some four minutes after it failed first; with pushes, sooner. */
export const PARKED_AFTER_ATTEMPTS = 5;
const REASON_CHARACTERS = 500;

/** Counts an attempt for each, and parks those that had enough. */
export async function parkAfterFailures(ctx: CallContext, failed: FailedDelivery[]): Promise<void> {
  if (failed.length === 0) return;
  const now = ctx.now.getTime();
  const json = JSON.stringify(failed.map(({ id, reason }) => ({ id, reason: oneLine(reason) })));
  const hasFailed = sql`id IN (SELECT value ->> 'id' FROM json_each(${json}))`;
  const isPoison = sql`${hasFailed} AND attempts >= ${PARKED_AFTER_ATTEMPTS}`;
  const { parked } = await ctx.db.batch({
    counted: ctx.db.run(sql`UPDATE outbox SET attempts = attempts + 1, attempted_at = ${now}
      WHERE ${hasFailed} AND coalesce(attempted_at, 0) <= ${now - ATTEMPT_EVERY_MS}`),
    copied: ctx.db.run(sql`INSERT INTO outbox_parked (id, target, payload, created_at, attempts, reason, parked_at)
      SELECT o.id, o.target, o.payload, o.created_at, o.attempts, f.value ->> 'reason', ${now}
      FROM json_each(${json}) f JOIN outbox o ON o.id = f.value ->> 'id' WHERE o.attempts >= ${PARKED_AFTER_ATTEMPTS}`),
    parked: ctx.db.delete(outbox).where(isPoison).returning({ id: outbox.id, target: outbox.target }),
  });
  for (const { id, target } of parked) {
    countParked(target.slice(0, target.indexOf(":")));
    logEvent("outbox.parked", { level: "error", requestId: ctx.requestId, outboxId: id, target });
  }
}

const oneLine = (reason: string): string => reason.replace(/\s+/g, " ").slice(0, REASON_CHARACTERS);

/** What of a parked row is shown. What was to be told is not: it may be a private message. */
export const parkedColumns = {
  id: outboxParked.id,
  target: outboxParked.target,
  bytes: sql<number>`length(CAST(${outboxParked.payload} AS BLOB))`,
  attempts: outboxParked.attempts,
  reason: outboxParked.reason,
  createdAt: outboxParked.createdAt,
  parkedAt: outboxParked.parkedAt,
};

/**
 * The statement that puts a parked row into the outbox again, for the batch of the admin's action. It gets a new id: its
 * receiver has had later ones by now, and would drop the old one as a repeat. The first id goes along as `asOf`, so that a
 * revocation does not hit who came in since.
 */
export const requeueParked = (ctx: CallContext, id: number) =>
  ctx.db.run(sql`INSERT INTO outbox (target, payload, created_at)
    SELECT target, iif(json_valid(payload), json_insert(payload, '$.asOf', id), payload), ${ctx.now.getTime()}
    FROM outbox_parked WHERE id = ${id}`);

/** A parked row is of no use to anybody after so long. */
const PARKED_KEPT_DAYS = 30;

/** Run by cron. */
export async function forgetParked(ctx: CallContext): Promise<void> {
  const before = new Date(ctx.now.getTime() - PARKED_KEPT_DAYS * 86_400_000);
  await ctx.db.delete(outboxParked).where(lt(outboxParked.parkedAt, before));
}

/**
 * For `GET /metrics`, in one statement: how many rows wait, at most as many as are looked at, since when, and since when an
 * endpoint of webhooks has taken nothing.
 */
export async function measureDeliveries(ctx: CallContext) {
  const oldest = sql<number | null>`(SELECT created_at FROM outbox ORDER BY id LIMIT 1)`;
  const failing = sql<number | null>`(SELECT min(failing_since) FROM webhooks)`;
  const [row] = await ctx.db
    .select({ parked: sql<number>`count(*)`, oldest, failing })
    .from(sql`(SELECT 1 FROM outbox_parked LIMIT 1000)`);
  const secondsSince = (ms: number | null = null): number =>
    ms === null ? 0 : Math.max(0, ctx.now.getTime() - ms) / 1000;
  return {
    parked: row?.parked ?? 0,
    oldestSeconds: secondsSince(row?.oldest),
    webhookFailingSeconds: secondsSince(row?.failing),
  };
}
