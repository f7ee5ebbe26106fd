/** Who may enter a room: asked of the database, before the room's object is touched. */
import { and, eq, sql } from "drizzle-orm";
import { isModerator, type UserCtx } from "../../context.ts";
import { deliverNow, pendingFor } from "../../db/outbox.ts";
import { roomMembers, rooms } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { type Entrance, RoomFacts } from "./facts.ts";

/** A room that the caller may enter. */
export type Access = { roomId: string; entrance: Entrance };

/** The room's facts as JSON, for a query on `rooms`. */
export const factsColumn = sql<string>`(SELECT facts FROM room_facts WHERE room_facts.room_id = ${rooms.id})`;

type Found = { id: string; facts: string; joinPolicy: "open" | "members" | null; readSeq: number | null };

/**
 * A group or private room that the caller is a member of.
 * @throws AppError NOT_FOUND no such room · FORBIDDEN not a member
 */
export async function enterRoom(ctx: UserCtx, roomId: string): Promise<Access> {
  const [row] = await find(ctx, eq(rooms.id, roomId), roomId);
  if (!row || parseFacts(row.facts).kind === "course") throw new AppError("NOT_FOUND", "There is no such room.");
  if (row.readSeq === null) throw new AppError("FORBIDDEN", "You are not a member of this room.");
  return accessOf(row);
}

/**
 * A course room that the caller may join: an open one, or as one of those who were added. Moderators may join any.
 * @throws AppError NOT_FOUND no such course · FORBIDDEN not a member
 */
export async function enterCourse(ctx: UserCtx, course: { courseId: string } | { roomId: string }): Promise<Access> {
  const where = "courseId" in course ? eq(rooms.courseId, course.courseId) : eq(rooms.id, course.roomId);
  const [row] = await find(ctx, where);
  if (!row || parseFacts(row.facts).kind !== "course") throw new AppError("NOT_FOUND", "There is no such course.");
  if (row.joinPolicy !== "open" && row.readSeq === null && !isModerator(ctx.actor)) {
    throw new AppError("FORBIDDEN", "You are not a member of this course.");
  }
  return accessOf(row);
}

/** One round trip; two if a crash left something untold, which the room has to hear first. */
async function find(ctx: UserCtx, where: ReturnType<typeof eq>, roomId?: string): Promise<Found[]> {
  const target =
    roomId === undefined ? sql`(SELECT 'room:' || id FROM rooms WHERE ${where})` : (`room:${roomId}` as const);
  const { found, pending } = await ctx.db.batch({
    found: ctx.db
      .select({ id: rooms.id, facts: factsColumn, joinPolicy: rooms.joinPolicy, readSeq: roomMembers.readSeq })
      .from(rooms)
      .leftJoin(roomMembers, and(eq(roomMembers.roomId, rooms.id), eq(roomMembers.userId, ctx.actor.id)))
      .where(where),
    pending: pendingFor(ctx, target),
  });
  if (pending.length > 0) await deliverNow(ctx, pending);
  return found;
}

const parseFacts = (facts: string): RoomFacts => RoomFacts.parse(JSON.parse(facts));

const accessOf = (row: Found): Access => ({
  roomId: row.id,
  entrance: { room: parseFacts(row.facts), readSeq: row.readSeq ?? 0 },
});
