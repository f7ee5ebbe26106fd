/**
 * What the database knows of what was said in a room: enough for a list of rooms. The room writes it, at once after a
 * quiet time and every SYNC_EVERY_MS while it is busy; for BUSY_MS after a write a reader asks the room itself. So a list
 * is right as soon as a message's write has reached the database, which set out together with its ack, and a crash in
 * between is made good by the room's alarm within SYNC_EVERY_MS.
 */
import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../context.ts";
import { one } from "../db/batch.ts";
import { noteHook, selectHook } from "../db/message-hook.ts";
import { rooms } from "../db/tables.ts";
import { wantsAny } from "../db/webhook-facts.ts";

export const SYNC_EVERY_MS = 10_000;
/** A change in the last moment before the next write waits SYNC_EVERY_MS for its alarm, and an alarm may be late. */
const BUSY_MS = 30_000;

export const Summary = z.object({
  head: z.number().int(),
  messageCount: z.number().int(),
  /** The newest deletions; see `unread`. */
  deletedSeqs: z.array(z.number().int()),
  lastMessage: z.record(z.string(), z.unknown()).nullable(),
  lastAt: z.number().nullable(),
});
export type Summary = z.infer<typeof Summary>;

/** How far somebody has read, and how many messages there were by then. */
export type Mark = { userId: number; seq: number; count: number };

/** Deleted messages are taken out of unread counts as long as they are among the room's last 500 deletions. */
export const DELETIONS_KEPT = 500;

/** Messages of others after the read mark: sending counts as having read, so none after it is one's own. */
export function unread(
  { messageCount, deletedSeqs }: Pick<Summary, "messageCount" | "deletedSeqs">,
  mark: Mark,
): number {
  const deleted = deletedSeqs.filter((seq) => seq > mark.seq).length;
  return Math.max(0, messageCount - mark.count - deleted);
}

/**
 * Writes a room's summary, and read marks that moved, in one round trip.
 * @returns whether anybody outside wants to hear of one of these events
 */
export async function writeSummary(
  ctx: Ctx,
  roomId: string,
  { summary, marks, events }: { summary: Summary; marks: Mark[]; events: readonly string[] },
): Promise<boolean> {
  const { head, messageCount, deletedSeqs, lastMessage, lastAt } = summary;
  const { wanted, asked } = await ctx.db.batch({
    summary: ctx.db
      .update(rooms)
      .set({
        head,
        messageCount,
        deletedSeqs: JSON.stringify(deletedSeqs),
        lastMessage: lastMessage && JSON.stringify(lastMessage),
        lastActiveAt: lastAt === null ? sql`created_at` : new Date(lastAt),
        busyUntil: new Date(ctx.now.getTime() + BUSY_MS),
      })
      // Writes of one room are made one after the other; a late one must not win all the same.
      .where(sql`${rooms.id} = ${roomId} AND ${rooms.head} <= ${head}`),
    marks: ctx.db.run(moveMarks(roomId, marks)),
    wanted: one(wantsAny(ctx, events)),
    asked: one(selectHook(ctx)),
  });
  noteHook(asked?.hook ?? null);
  return wanted?.isWanted === 1;
}

/** Read marks only ever go forward. */
export const moveMarks = (roomId: string, marks: Mark[]): SQL =>
  sql`UPDATE room_members SET read_seq = json_extract(moved.value, '$.seq'), read_count = json_extract(moved.value, '$.count')
    FROM json_each(${JSON.stringify(marks)}) AS moved
    WHERE room_id = ${roomId} AND user_id = json_extract(moved.value, '$.userId') AND read_seq < json_extract(moved.value, '$.seq')`;
