/** The log of what media servers sent: admins read it (admin/stream-events). */
import { type SQL, sql } from "drizzle-orm";
import type { Ctx } from "../../../context.ts";
import { streamEvents } from "../../../db/tables.ts";
import type { MediaEvent } from "./read-event.ts";

/**
 * Notes an event, in the batch of what it did and right after that statement: `outcome` may look at `changes()`.
 * The stream's key and a recording's path, whose name may be the key, are not kept.
 */
export function recordEvent(
  ctx: Ctx,
  event: MediaEvent,
  streamId: number | null,
  outcome: SQL<string>,
  signature: string | undefined,
) {
  return ctx.db
    .insert(streamEvents)
    .values({
      streamId,
      source: event.source,
      event: event.name,
      session: event.session,
      outcome,
      signature,
      requestId: ctx.requestId,
      createdAt: ctx.now,
    })
    .returning({ outcome: streamEvents.outcome });
}

const FORGOTTEN_AT_ONCE = 1000;
const FORGETTING_ROUNDS = 10;

/**
 * Run by cron. Ids grow with time, so what is too old is among the lowest: no statement reads more than its share, and needs
 * no index on the time. What is more than a run's share goes in the next minute's.
 */
export async function forgetOldEvents(ctx: Ctx): Promise<void> {
  const before = ctx.now.getTime() - ctx.config.STREAM_EVENTS_KEPT_DAYS * 86_400_000;
  for (let round = 0; round < FORGETTING_ROUNDS; round += 1) {
    const { meta } = await ctx.db.delete(streamEvents).where(
      sql`${streamEvents.id} IN (SELECT id FROM
        (SELECT id, created_at FROM stream_events ORDER BY id LIMIT ${FORGOTTEN_AT_ONCE}) WHERE created_at < ${before})`,
    );
    if (meta.changes === 0) return;
  }
}
