/**
 * Accepted means delivered, once, in order. A change and what it has to tell are committed in one batch; the telling is
 * then tried at once, and again by the cron sweep and by the receiver itself, until it has arrived.
 *
 * Order without gaps: the batch that writes a row also reads every row still pending for its receiver (`pendingFor`) and
 * pushes them all. So what was committed before is delivered before, even when its own push is slower or was lost; the
 * receiver drops the ids that it has had.
 */
import { asc, type SQL, sql } from "drizzle-orm";
import { isTransient } from "../errors.ts";
import { logFailure } from "../platform/log.ts";
import { countDeliveries } from "../platform/metrics.ts";
import type { CallContext } from "./call-context.ts";
import { generationColumn } from "./generation.ts";
import { inJson } from "./json.ts";
import { type FailedDelivery, parkAfterFailures } from "./outbox-parked.ts";
import { type Builder, prepared } from "./prepared-batch.ts";
import { outbox } from "./tables.ts";

/** Who is told: `user:12`, `room:01J…`, `file:…`. The part before the colon picks the handler. */
export type Target = `${string}:${string}`;

/** One thing to tell, as its receiver gets it. Ids of one target only grow, within a generation of the database. */
export type Delivery = { id: number; payload: unknown; generation?: string };

/**
 * Hands deliveries to the receiver `name`, oldest first, and resolves once they are safe there. Repeats will come: the
 * receiver drops ids that it has had, or does what may be done twice.
 */
export type OutboxHandler = (ctx: CallContext, name: string, deliveries: Delivery[]) => Promise<void>;

/** Some were not taken, and must come again; all others were. Thrown by a handler. */
export class FailedDeliveries extends Error {
  override name = "FailedDeliveries";
  readonly failed: FailedDelivery[];

  constructor(failed: FailedDelivery[]) {
    super(`${failed.length} deliveries failed`);
    this.failed = failed;
  }
}

/** A row read back from the outbox. */
export type Pending = { id: number; target: string; payload: string; generation: string };

/** What a query of the outbox reads. */
export const pendingColumns = {
  id: outbox.id,
  target: outbox.target,
  payload: outbox.payload,
  generation: generationColumn,
};

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
export function enqueueSelect({ db, now }: { db: Builder; now: Date | SQL }, select: SQL) {
  const time = now instanceof Date ? now.getTime() : now;
  return db.run(sql`INSERT INTO outbox (target, payload, created_at) SELECT told.*, ${time} FROM (${select}) AS told`);
}

/**
 * The newest id that the outbox has given: how far all that was ever told has come. Read with other facts it orders them,
 * without a clock: what is told under a higher id was committed after them. For a column of a query.
 */
export const newestOutboxId = sql<number>`coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0)`;

/** Enough for any burst; a receiver that was away for longer gets the rest, still in order, with the next push or sweep. */
const PENDING_ROWS = 500;

/**
 * Reads all that is still pending for these receivers; the last statement of the batch. Targets may be SQL; a SELECT that
 * stands alone may yield any number of them.
 */
export function pendingFor({ db }: { db: Builder }, ...targets: (Target | SQL)[]) {
  return db
    .select(pendingColumns)
    .from(outbox)
    .where(
      sql`${outbox.target} IN (${sql.join(
        targets.map((target) => sql`${target}`),
        sql`, `,
      )})`,
    )
    .orderBy(asc(outbox.id))
    .limit(PENDING_ROWS);
}

/** Delivers after the answer. What fails stays in the outbox for the sweep. */
export function deliverSoon(ctx: CallContext, pending: Pending[]): void {
  if (pending.length > 0) ctx.later(deliverNow(ctx, pending));
}

const clearing = prepared((db) => ({
  cleared: db.delete(outbox).where(inJson(outbox.id, sql`${sql.placeholder("ids")}`)),
}));

/**
 * Delivers to every receiver, side by side, and clears what arrived in one write. Never throws.
 * @returns how many arrived
 */
export async function deliverNow(ctx: CallContext, pending: Pending[]): Promise<number> {
  const byTarget = Map.groupBy(pending, (row) => row.target);
  const outcomes = await Promise.all([...byTarget].map(([target, rows]) => deliverTarget(ctx, target, rows)));
  const arrived = outcomes.flatMap((outcome) => outcome.arrived);
  try {
    if (arrived.length > 0) await ctx.db.again(clearing(), { ids: JSON.stringify(arrived) });
    await parkAfterFailures(
      ctx,
      outcomes.flatMap((outcome) => outcome.failed),
    );
  } catch (error) {
    logFailure(ctx, "outbox.clear", error);
  }
  return arrived.length;
}

type DeliveryOutcome = { arrived: number[]; failed: FailedDelivery[] };

async function deliverTarget(ctx: CallContext, target: string, rows: Pending[]): Promise<DeliveryOutcome> {
  const outcome = await tryTarget(ctx, target, rows);
  const arrived = outcome.arrived.length;
  countDeliveries(target.slice(0, target.indexOf(":")), arrived, rows.length - arrived);
  return outcome;
}

async function tryTarget(ctx: CallContext, target: string, rows: Pending[]): Promise<DeliveryOutcome> {
  const colon = target.indexOf(":");
  const deliver = handlers.get(target.slice(0, colon));
  const deliveries: Delivery[] = [];
  const unreadable: FailedDelivery[] = [];
  for (const { id, payload, generation } of rows) {
    try {
      deliveries.push({ id, payload: JSON.parse(payload), generation });
    } catch {
      unreadable.push({ id, reason: "The payload is no JSON." });
    }
  }
  const ids = deliveries.map(({ id }) => id);
  try {
    if (!deliver) throw new Error(`Nobody delivers to ${target.slice(0, colon)}`);
    if (deliveries.length > 0) await deliver(ctx, target.slice(colon + 1), deliveries);
    return { arrived: ids, failed: unreadable };
  } catch (error) {
    logFailure(ctx, "outbox.deliver", error, { target });
    const failed = failedOf(ids, error);
    const isWhole = !(error instanceof FailedDeliveries);
    const missed = new Set(failed.map(({ id }) => id));
    return { arrived: isWhole ? [] : ids.filter((id) => !missed.has(id)), failed: [...unreadable, ...failed] };
  }
}

/** Whose fault it was. Of a group that failed as one, the first is taken for it; of a receiver that was not there, none. */
function failedOf([first]: number[], error: unknown): FailedDelivery[] {
  if (error instanceof FailedDeliveries) return error.failed;
  if (first === undefined || isTransient(error)) return [];
  return [{ id: first, reason: error instanceof Error ? error.message : String(error) }];
}
