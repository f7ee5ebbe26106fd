/** What the database knows of the people in a stream's room. */
import { eq, sql } from "drizzle-orm";
import type { Ctx } from "../../context.ts";
import { streams } from "../../db/tables.ts";

/** Written by the room, at most once a second. Lists show it when their time to live is over, details at once. */
export async function recordRoomViewers(ctx: Ctx, streamId: number, count: number): Promise<void> {
  const peak = sql`CASE WHEN ${streams.status} = 'live' THEN max(${streams.peakViewers}, ${count}) ELSE ${streams.peakViewers} END`;
  await ctx.db.update(streams).set({ roomViewers: count, peakViewers: peak }).where(eq(streams.id, streamId));
}
