/**
 * What the database knows of what was said in a room: enough for a list of rooms. The room writes it, at once after a
 * quiet time and every SYNC_EVERY_MS while it is busy; for BUSY_MS after a write a reader asks the room itself. So a list
 * is right as soon as a message's write has reached the database, which set out together with its ack, and a crash in
 * between is made good by the room's alarm within SYNC_EVERY_MS.
 */
import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../context.ts";
import { rooms } from "../../db/tables.ts";

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
 * Writes a room's summary, read marks that moved, and who wrote here for the first time, in one round trip.
 * @returns the authors that were erased before they were known here
 */
export async function writeSummary(
  ctx: Ctx,
  roomId: string,
  { head, messageCount, deletedSeqs, lastMessage, lastAt }: Summary,
  marks: Mark[],
  authors: number[],
): Promise<number[]> {
  const now = ctx.now.getTime();
  const { erased } = await ctx.db.batch({
    summary: ctx.db
      .update(rooms)
      .set({
        head,
        messageCount,
        deletedSeqs: JSON.stringify(deletedSeqs),
        lastMessage: lastMessage && JSON.stringify(lastMessage),
        lastActiveAt: lastAt === null ? sql`created_at` : new Date(lastAt),
        busyUntil: new Date(now + BUSY_MS),
      })
      // Writes of one room are made one after the other; a late one must not win all the same.
      .where(sql`${rooms.id} = ${roomId} AND ${rooms.head} <= ${head}`),
    marks: ctx.db.run(moveMarks(roomId, marks)),
    authors: ctx.db.run(sql`INSERT OR IGNORE INTO room_authors (user_id, room_id)
      SELECT value, ${roomId} FROM json_each(${JSON.stringify(authors)})
      WHERE EXISTS (SELECT 1 FROM users WHERE id = value) AND EXISTS (SELECT 1 FROM rooms WHERE id = ${roomId})`),
    erased: ctx.db
      .select({ id: sql<number>`value` })
      .from(sql`json_each(${JSON.stringify(authors)})`)
      .where(sql`NOT EXISTS (SELECT 1 FROM users WHERE users.id = value)`),
  });
  return erased.map(({ id }) => id);
}

/** Read marks only ever go forward. */
export const moveMarks = (roomId: string, marks: Mark[]) =>
  sql`UPDATE room_members SET read_seq = json_extract(moved.value, '$.seq'), read_count = json_extract(moved.value, '$.count')
    FROM json_each(${JSON.stringify(marks)}) AS moved
    WHERE room_id = ${roomId} AND user_id = json_extract(moved.value, '$.userId') AND read_seq < json_extract(moved.value, '$.seq')`;
