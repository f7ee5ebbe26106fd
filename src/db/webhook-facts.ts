/**
 * What endpoints outside hear of changes in the database: rows of the outbox that triggers write (migrations/0033). A change
 * does not know of them; whoever made one looks for them afterwards, and only where somebody listens. What a crash leaves
 * behind is found by the sweep.
 */
import { and, asc, gte, lt, sql } from "drizzle-orm";
import type { CallContext } from "./call-context.ts";
import { inList } from "./json.ts";
import { deliverNow, pendingColumns } from "./outbox.ts";
import { outbox } from "./tables.ts";

/** Whether any endpoint wants anything. For a column of a query that is made anyway; reads nothing while there is none. */
export const anybodyListens = sql<number>`EXISTS (SELECT 1 FROM webhook_events)`;

/** As this isolate last heard. A wrong one costs a needless look, or leaves it to the sweep. */
let isListenedTo = false;

export function noteListening(listens: boolean): void {
  isListenedTo = listens;
}

const ROWS = 500;

/** What waits for endpoints; a statement for a batch. */
export const pendingFacts = (ctx: CallContext) =>
  ctx.db
    .select(pendingColumns)
    .from(outbox)
    .where(and(gte(outbox.target, "webhook:"), lt(outbox.target, "webhook;")))
    .orderBy(asc(outbox.id))
    .limit(ROWS);

/** Hands over what a call has changed, after its answer. Costs nothing where it wrote nothing, or nobody listens. */
export function deliverFactsSoon(ctx: CallContext): void {
  if (isListenedTo && ctx.cost.d1RowsWritten > 0) ctx.later(deliverFacts(ctx));
}

/** Hands over all that waits. */
export async function deliverFacts(ctx: CallContext): Promise<void> {
  await deliverNow(ctx, await pendingFacts(ctx));
}

/** Whether any endpoint wants one of these events; a statement for a batch. Reads nothing while there is no endpoint. */
export const wantsAny = (ctx: CallContext, events: readonly string[]) =>
  ctx.db
    .select({ isWanted: sql<number>`EXISTS (SELECT 1 FROM webhook_events WHERE ${inList(sql`event`, events)})` })
    .from(sql`(SELECT 1)`);

export async function readWants(ctx: CallContext, events: readonly string[]): Promise<boolean> {
  const [row] = await wantsAny(ctx, events);
  return row?.isWanted === 1;
}
