/**
 * Accepted means delivered, once, in order. A change and what it has to tell are committed in one batch; the telling is
 * then tried at once, and again by the cron sweep and by the receiver itself, until it has arrived.
 *
 * Order without gaps: the batch that writes a row also reads every row still pending for its receiver (`pendingFor`) and
 * pushes them all. So what was committed before is delivered before, even when its own push is slower or was lost; the
 * receiver drops the ids that it has had.
 */
import { asc, inArray, type SQL, sql } from "drizzle-orm";
import { logFailure } from "../platform/log.ts";
import type { CallContext } from "./call-context.ts";
import { outbox } from "./tables.ts";

/** Who is told: `user:12`, `room:01J…`, `file:…`. The part before the colon picks the deliverer. */
export type Target = `${string}:${string}`;

/** One thing to tell, as its receiver gets it. Ids of one target only grow. */
export type Delivery = { id: number; payload: unknown };

/**
 * Hands deliveries to the receiver `name`, oldest first, and resolves once they are safe there. Repeats will come: the
 * receiver drops ids that it has had, or does what may be done twice.
 */
export type OutboxHandler = (ctx: CallContext, name: string, deliveries: Delivery[]) => Promise<void>;

/** Some were not taken, and must come again; all others were. Thrown by a handler. */
export class FailedDeliveries extends Error {
  override name = "FailedDeliveries";
  readonly ids: ReadonlySet<number>;

  constructor(ids: number[]) {
    super(`${ids.length} deliveries failed`);
    this.ids = new Set(ids);
  }
}

/** A row read back from the outbox. */
export type Pending = { id: number; target: string; payload: string };

const handlers = new Map<string, OutboxHandler>();

/** Says who delivers to `<kind>:…`. Called once per kind, by src/wiring.ts. */
export function handleOutbox(kind: string, deliver: OutboxHandler): void {
  handlers.set(kind, deliver);
}

/** Tells one receiver, in the batch of the change. */
export function enqueue(ctx: CallContext, target: Target, payload: unknown) {
  return ctx.db.insert(outbox).values({ target, payload: JSON.stringify(payload), createdAt: ctx.now });
}

/**
 * Tells whoever `select` yields, in the batch of the change: a SELECT of (target, payload JSON). With `WHERE changes() > 0`
 * it tells only if the statement just before it changed something; `last_insert_rowid()` is the row that one made.
 */
export function enqueueSelect(ctx: CallContext, select: SQL) {
  return ctx.db.run(
    sql`INSERT INTO outbox (target, payload, created_at) SELECT told.*, ${ctx.now.getTime()} FROM (${select}) AS told`,
  );
}

/** Enough for any burst; a receiver that was away for longer gets the rest, still in order, with the next push or sweep. */
const PENDING_ROWS = 500;

/**
 * Reads all that is still pending for these receivers; the last statement of the batch. Targets may be SQL; a SELECT that
 * stands alone may yield any number of them.
 */
export function pendingFor(ctx: CallContext, ...targets: (Target | SQL)[]) {
  return ctx.db
    .select({ id: outbox.id, target: outbox.target, payload: outbox.payload })
    .from(outbox)
    .where(inArray(outbox.target, targets as string[]))
    .orderBy(asc(outbox.id))
    .limit(PENDING_ROWS);
}

/** Delivers after the answer. What fails stays in the outbox for the sweep. */
export function deliverSoon(ctx: CallContext, pending: Pending[]): void {
  if (pending.length > 0) ctx.later(deliverNow(ctx, pending));
}

/** Delivers to every receiver, side by side, and clears what arrived in one write. Never throws. */
export async function deliverNow(ctx: CallContext, pending: Pending[]): Promise<void> {
  const byTarget = Map.groupBy(pending, (row) => row.target);
  const arrived = await Promise.all([...byTarget].map(([target, rows]) => deliverTarget(ctx, target, rows)));
  const ids = arrived.flat();
  try {
    // Chunked: a statement takes 100 bound parameters (platform limit).
    for (let from = 0; from < ids.length; from += 90) {
      await ctx.db.delete(outbox).where(inArray(outbox.id, ids.slice(from, from + 90)));
    }
  } catch (error) {
    logFailure(ctx, "outbox.clear", error);
  }
}

async function deliverTarget(ctx: CallContext, target: string, rows: Pending[]): Promise<number[]> {
  const colon = target.indexOf(":");
  const deliver = handlers.get(target.slice(0, colon));
  try {
    if (!deliver) throw new Error(`Nobody delivers to ${target.slice(0, colon)}`);
    const deliveries = rows.map((row): Delivery => ({ id: row.id, payload: JSON.parse(row.payload) }));
    await deliver(ctx, target.slice(colon + 1), deliveries);
    return rows.map((row) => row.id);
  } catch (error) {
    logFailure(ctx, "outbox.deliver", error, { target });
    return error instanceof FailedDeliveries ? rows.map(({ id }) => id).filter((id) => !error.ids.has(id)) : [];
  }
}

/** Rows older than this were left behind by a crash or an overload; younger ones are being delivered right now. */
const LEFT_BEHIND_MS = 20_000;
const SWEEP_ROWS = 500;

/** The net under everything: delivers what a crash left behind. Run by cron. Returns how many rows it looked at. */
export async function sweepOutbox(ctx: CallContext, olderThanMs: number = LEFT_BEHIND_MS): Promise<number> {
  const before = ctx.now.getTime() - olderThanMs;
  const stale = ctx.db
    .selectDistinct({ target: outbox.target })
    .from(outbox)
    .where(sql`${outbox.id} IN (SELECT id FROM outbox WHERE created_at <= ${before} ORDER BY id LIMIT ${SWEEP_ROWS})`);
  const pending = await ctx.db
    .select({ id: outbox.id, target: outbox.target, payload: outbox.payload })
    .from(outbox)
    .where(inArray(outbox.target, stale))
    .orderBy(asc(outbox.id))
    .limit(SWEEP_ROWS * 2);
  await deliverNow(ctx, pending);
  return pending.length;
}
