/** The log of what media servers sent, which streams/webhook writes and forgets. */
import { and, desc, eq, getTableColumns, sql } from "drizzle-orm";
import type { UserCtx } from "../../../context.ts";
import { offsetOf, pagination } from "../../../db/page.ts";
import { streamEvents } from "../../../db/tables.ts";
import { countMatches, hasPart } from "../search.ts";
import type { StreamEventQuery } from "./contract.ts";

const { signature: _signature, ...shown } = getTableColumns(streamEvents);

/** Newest first, in one round trip. */
export async function listEvents(ctx: UserCtx, query: StreamEventQuery) {
  const { event, source, session, outcome, requestId } = streamEvents;
  const where =
    and(
      query.streamId === undefined ? undefined : eq(streamEvents.streamId, query.streamId),
      hasPart([event, source, session, outcome, requestId], query.search),
    ) ?? sql`true`;
  const { rows, counted } = await ctx.db.batch({
    rows: ctx.db
      .select(shown)
      .from(streamEvents)
      .where(where)
      .orderBy(desc(streamEvents.id))
      .limit(query.limit)
      .offset(offsetOf(query)),
    counted: countMatches(ctx, sql`${streamEvents} WHERE ${where}`),
  });
  const events = rows.map((row) => ({ ...row, createdAt: row.createdAt.toISOString() }));
  return { events, pagination: pagination(query, counted?.total ?? 0) };
}
