/** Who may enter a room: asked of the database, before the room's object is touched. */
import { and, eq, type SQL, sql } from "drizzle-orm";
import { chargeCall } from "../auth/call-budgets.ts";
import { actorId, type Ctx, isModerator, type ServerCtx, type UserCtx } from "../context.ts";
import { one, type Statements } from "../db/batch.ts";
import { generationColumn } from "../db/generation.ts";
import { deliverNow, pendingFor } from "../db/outbox.ts";
import { roomMembers, rooms, users } from "../db/tables.ts";
import { AppError } from "../errors.ts";
import { claimFirstUse, joinOpenGroup, makeCourse, makeGroup } from "./first-use.ts";
import { type JoinContext, RoomInfo } from "./info.ts";
import { courseIdCalled, roomIdCalled } from "./names.ts";

/** A room that the caller may enter. `roomId` is its own, which its object, messages and grants go by. */
export type Access = { roomId: string; context: JoinContext };

/** The room's info as JSON, for a query on `rooms`. */
const infoColumn = sql<string>`(SELECT facts FROM room_facts WHERE room_facts.room_id = ${rooms.id})`;

type Found = { id: string; info: string; readSeq: number | null; generation: string };

/**
 * A group or private room that the caller is a member of. `name`: what clients call it.
 * @throws AppError NOT_FOUND no such room · FORBIDDEN not a member
 */
export async function enterRoom(ctx: UserCtx, name: string): Promise<Access> {
  return asMember(await find(ctx, roomIdCalled(name)));
}

/**
 * The same for who comes to stay or to write: an open group takes them in, and one that does not exist is made, where that is
 * set up (first-use.ts). A second round trip, and one of the caller's writes, only then.
 * @throws AppError NOT_FOUND no such room · FORBIDDEN not a member, and may not become one · RATE_LIMIT
 */
export async function joinRoom(ctx: UserCtx, name: string): Promise<Access> {
  const known = await find(ctx, roomIdCalled(name));
  if (!known && (await claimFirstUse(ctx, "rooms", name))) {
    const first = { made: makeGroup(ctx, name), joined: joinOpenGroup(ctx, name) };
    return asMember(await find(ctx, roomIdCalled(name), first));
  }
  if (known?.readSeq === null && parseInfo(known.info).joinPolicy === "open") {
    await chargeCall(ctx, "writes");
    return asMember(await find(ctx, roomIdCalled(name), { joined: joinOpenGroup(ctx, name) }));
  }
  return asMember(known);
}

function asMember(found: Found | undefined): Access {
  const access = found && accessOf(found);
  if (!access || access.context.room.kind === "course") throw new AppError("NOT_FOUND", "There is no such room.");
  if (found.readSeq === null) throw new AppError("FORBIDDEN", "You are not a member of this room.");
  return access;
}

/**
 * A course room that the caller may join: an open one, or as one of those who were added. Moderators may join any.
 * @throws AppError NOT_FOUND no such course · FORBIDDEN not a member
 */
export async function enterCourse(ctx: UserCtx, course: { courseId: string } | { roomId: string }): Promise<Access> {
  const id = "courseId" in course ? courseIdCalled(course.courseId) : sql`${course.roomId}`;
  return asGuest(ctx, await find(ctx, id));
}

/**
 * The same for who comes to stay or to write: a course that does not exist is made, where that is set up (first-use.ts).
 * @throws AppError NOT_FOUND no such course · FORBIDDEN not a member · RATE_LIMIT
 */
export async function joinCourse(ctx: UserCtx, courseId: string): Promise<Access> {
  const known = await find(ctx, courseIdCalled(courseId));
  if (known || !(await claimFirstUse(ctx, "courses", courseId))) return asGuest(ctx, known);
  return asGuest(ctx, await find(ctx, courseIdCalled(courseId), { made: makeCourse(ctx, courseId) }));
}

function asGuest({ actor }: UserCtx, found: Found | undefined): Access {
  const access = found && accessOf(found);
  if (access?.context.room.kind !== "course") throw new AppError("NOT_FOUND", "There is no such course.");
  if (access.context.room.joinPolicy !== "open" && found?.readSeq === null && !isModerator(actor)) {
    throw new AppError("FORBIDDEN", "You are not a member of this course.");
  }
  return access;
}

/** A group or private room, for the product's own backend, which need not be in it. @throws AppError NOT_FOUND */
export async function openRoom(ctx: ServerCtx, name: string): Promise<Access> {
  const found = await find(ctx, roomIdCalled(name));
  const access = found && accessOf(found);
  if (!access || access.context.room.kind === "course") throw new AppError("NOT_FOUND", "There is no such room.");
  return access;
}

/** A course room, likewise. @throws AppError NOT_FOUND */
export async function openCourse(ctx: ServerCtx, courseId: string): Promise<Access> {
  const found = await find(ctx, courseIdCalled(courseId));
  if (!found) throw new AppError("NOT_FOUND", "There is no such course.");
  return accessOf(found);
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

/** One round trip, which does `before` first; two if a crash left something untold, which the room has to hear first. */
async function find(ctx: Ctx, id: SQL, before: Statements = {}): Promise<Found | undefined> {
  const { found, pending } = await ctx.db.batch({
    ...before,
    found: one(
      ctx.db
        .select({ id: rooms.id, info: infoColumn, readSeq: roomMembers.readSeq, generation: generationColumn })
        .from(rooms)
        .leftJoin(roomMembers, and(eq(roomMembers.roomId, rooms.id), eq(roomMembers.userId, actorId(ctx.actor))))
        .where(eq(rooms.id, id)),
    ),
    pending: pendingFor(ctx, sql`'room:' || ${id}`),
  });
  if (pending.length > 0) await deliverNow(ctx, pending);
  return found;
}

const parseInfo = (info: string): RoomInfo => RoomInfo.parse(JSON.parse(info));

const accessOf = (row: Found): Access => ({
  roomId: row.id,
  context: { room: parseInfo(row.info), readSeq: row.readSeq ?? 0, generation: row.generation },
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
