/** The log of what media servers sent, for admins. */
import { count, desc, eq, lt, type SQL } from "drizzle-orm";
import type { Ctx } from "../../../context.ts";
import { offsetOf, pagination } from "../../../db/page.ts";
import { streamEvents } from "../../../db/tables.ts";
import type { StreamEventQuery } from "../contract.ts";
import type { MediaEvent } from "./forms.ts";

/**
 * Notes an event, in the batch of what it did and right after that statement: `outcome` may look at `changes()`.
 * The stream's key and a recording's path, whose name may be the key, are not kept.
 */
export function noteEvent(
  ctx: Ctx,
  event: MediaEvent,
  streamId: number | null,
  outcome: SQL,
  signature: string | undefined,
) {
  return ctx.db
    .insert(streamEvents)
    .values({
      streamId,
      source: event.source,
      event: event.name,
      session: event.session,
      outcome: outcome as SQL<string>,
      signature,
      requestId: ctx.requestId,
      createdAt: ctx.now,
    })
    .returning({ outcome: streamEvents.outcome });
}

/** Newest first. */
export async function listEvents(ctx: Ctx, query: StreamEventQuery) {
  const where = query.streamId === undefined ? undefined : eq(streamEvents.streamId, query.streamId);
  const [rows, [total]] = await ctx.db.batch([
    ctx.db
      .select()
      .from(streamEvents)
      .where(where)
      .orderBy(desc(streamEvents.id))
      .limit(query.limit)
      .offset(offsetOf(query)),
    ctx.db.select({ count: count() }).from(streamEvents).where(where),
  ]);
  const events = rows.map(({ signature: _signature, createdAt, ...event }) => ({
    ...event,
    createdAt: createdAt.toISOString(),
  }));
  return { events, pagination: pagination(query, total?.count ?? 0) };
}

/** Run by cron. */
export async function forgetOldEvents(ctx: Ctx): Promise<void> {
  const before = new Date(ctx.now.getTime() - ctx.config.STREAM_EVENTS_KEPT_DAYS * 86_400_000);
  // The oldest have the lowest ids: no index on the time is needed to find where they end.
  const [kept] = await ctx.db
    .select({ createdAt: streamEvents.createdAt })
    .from(streamEvents)
    .orderBy(streamEvents.id)
    .limit(1);
  if (kept && kept.createdAt < before) await ctx.db.delete(streamEvents).where(lt(streamEvents.createdAt, before));
}
