/** Who may enter a room: asked of the database, before the room's object is touched. */
import { and, eq, type SQL, sql } from "drizzle-orm";
import { type Ctx, isModerator, type UserCtx } from "../context.ts";
import { one } from "../db/batch.ts";
import { deliverNow, pendingFor } from "../db/outbox.ts";
import { roomMembers, rooms, users } from "../db/tables.ts";
import { AppError } from "../errors.ts";
import { type JoinContext, RoomInfo } from "./info.ts";

/** A room that the caller may enter. */
export type Access = { roomId: string; context: JoinContext };

/** The room's info as JSON, for a query on `rooms`. */
const infoColumn = sql<string>`(SELECT facts FROM room_facts WHERE room_facts.room_id = ${rooms.id})`;

type Found = { id: string; info: string; joinPolicy: "open" | "members" | null; readSeq: number | null };

/**
 * A group or private room that the caller is a member of.
 * @throws AppError NOT_FOUND no such room · FORBIDDEN not a member
 */
export async function enterRoom(ctx: UserCtx, roomId: string): Promise<Access> {
  const row = await find(ctx, eq(rooms.id, roomId), roomId);
  if (!row || parseInfo(row.info).kind === "course") throw new AppError("NOT_FOUND", "There is no such room.");
  if (row.readSeq === null) throw new AppError("FORBIDDEN", "You are not a member of this room.");
  return accessOf(row);
}

/**
 * A course room that the caller may join: an open one, or as one of those who were added. Moderators may join any.
 * @throws AppError NOT_FOUND no such course · FORBIDDEN not a member
 */
export async function enterCourse(ctx: UserCtx, course: { courseId: string } | { roomId: string }): Promise<Access> {
  const where = "courseId" in course ? eq(rooms.courseId, course.courseId) : eq(rooms.id, course.roomId);
  const row = await find(ctx, where);
  if (!row || parseInfo(row.info).kind !== "course") throw new AppError("NOT_FOUND", "There is no such course.");
  if (row.joinPolicy !== "open" && row.readSeq === null && !isModerator(ctx.actor)) {
    throw new AppError("FORBIDDEN", "You are not a member of this course.");
  }
  return accessOf(row);
}

/** Whether the caller may join a course; there may be no such course. */
export async function mayJoinCourse(ctx: UserCtx, courseId: string): Promise<boolean> {
  try {
    await enterCourse(ctx, { courseId });
    return true;
  } catch (error) {
    if (error instanceof AppError && (error.code === "FORBIDDEN" || error.code === "NOT_FOUND")) return false;
    throw error;
  }
}

/** One round trip; two if a crash left something untold, which the room has to hear first. */
async function find(ctx: UserCtx, where: SQL, roomId?: string): Promise<Found | undefined> {
  const target =
    roomId === undefined ? sql`(SELECT 'room:' || id FROM rooms WHERE ${where})` : (`room:${roomId}` as const);
  const { found, pending } = await ctx.db.batch({
    found: one(
      ctx.db
        .select({ id: rooms.id, info: infoColumn, joinPolicy: rooms.joinPolicy, readSeq: roomMembers.readSeq })
        .from(rooms)
        .leftJoin(roomMembers, and(eq(roomMembers.roomId, rooms.id), eq(roomMembers.userId, ctx.actor.id)))
        .where(where),
    ),
    pending: pendingFor(ctx, target),
  });
  if (pending.length > 0) await deliverNow(ctx, pending);
  return found;
}

const parseInfo = (info: string): RoomInfo => RoomInfo.parse(JSON.parse(info));

const accessOf = (row: Found): Access => ({
  roomId: row.id,
  context: { room: parseInfo(row.info), readSeq: row.readSeq ?? 0 },
});

/**
 * Somebody who may be muted in this room: a member, in an open course anybody.
 * @throws AppError NOT_FOUND · FORBIDDEN a moderator
 */
export async function requireMutable(ctx: Ctx, roomId: string, userId: number): Promise<void> {
  const [row] = await ctx.db
    .select({ role: users.role, joinPolicy: rooms.joinPolicy, member: roomMembers.userId })
    .from(users)
    .innerJoin(rooms, eq(rooms.id, roomId))
    .leftJoin(roomMembers, and(eq(roomMembers.roomId, rooms.id), eq(roomMembers.userId, users.id)))
    .where(eq(users.id, userId));
  if (!row || (row.member === null && row.joinPolicy !== "open")) {
    throw new AppError("NOT_FOUND", "This user is not a member.");
  }
  if (row.role !== "user") throw new AppError("FORBIDDEN", "Moderators are not muted.");
}
