/** Courses: making them, who belongs to them, and what is said there. The engine is the rooms' (SPEC 6). */
import { and, eq, or, type SQL, sql } from "drizzle-orm";
import { v7 as uuidv7 } from "uuid";
import type { z } from "zod";
import { recordEach } from "../../auth/audit.ts";
import { enterCourse, joinCourse } from "../../chat/access.ts";
import { execute, type PageQuery, readMessages, readStatistics, say } from "../../chat/client.ts";
import { MuteState } from "../../chat/contract.ts";
import { parseMessageId } from "../../chat/message-id.ts";
import { courseIdCalled } from "../../chat/names.ts";
import { isModerator, type UserCtx } from "../../context.ts";
import { after, one } from "../../db/batch.ts";
import { jsonObject } from "../../db/json.ts";
import { deliverSoon, enqueueSelect, pendingFor } from "../../db/outbox.ts";
import { roomMembers, rooms, users } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { recordRoom } from "../rooms/service.ts";
import { callsOfCourse, expelFromCalls } from "../webrtc/service.ts";
import { CourseMessageList, CourseStatistics, type MakeCourse, NewCourseMessage } from "./contract.ts";

const columns = {
  courseId: sql<string>`${rooms.courseId}`,
  name: rooms.name,
  joinPolicy: sql<"open" | "members">`${rooms.joinPolicy}`,
  ownerId: rooms.ownerId,
  slowModeSeconds: rooms.slowModeSeconds,
  createdAt: rooms.createdAt,
};
type Row = { courseId: string; joinPolicy: "open" | "members"; createdAt: Date } & Pick<
  typeof rooms.$inferSelect,
  "name" | "ownerId" | "slowModeSeconds"
>;
const toCourse = (row: Row) => ({ ...row, createdAt: row.createdAt.toISOString() });

/**
 * For moderators. Adopts a course that was made by its first use; if it is for members from now on, sockets in it close
 * with 1012, and those who may come back do.
 * @throws AppError CONFLICT the course has a room already
 */
export async function makeCourse(ctx: UserCtx, { courseId, name, joinPolicy }: MakeCourse) {
  const claim = { name, joinPolicy, ownerId: ctx.actor.id };
  const id = uuidv7();
  const { made, pending } = await ctx.db.batch({
    audited: recordEach(ctx, {
      action: "create",
      targetType: "room",
      id: sql`coalesce((SELECT id FROM rooms WHERE course_id = ${courseId}), ${id})`,
      from: sql`(SELECT 1) WHERE NOT EXISTS (SELECT 1 FROM rooms r WHERE r.course_id = ${courseId} AND r.is_unclaimed = 0)`,
      details: jsonObject({ kind: "course", courseId, name, joinPolicy }),
    }),
    made: one(
      ctx.db
        .insert(rooms)
        .values({ ...claim, id, kind: "course", courseId, createdAt: ctx.now, lastActiveAt: ctx.now })
        .onConflictDoUpdate({
          target: rooms.courseId,
          targetWhere: sql`course_id IS NOT NULL`,
          set: { ...claim, isUnclaimed: false, version: sql`${rooms.version} + 1` },
          setWhere: eq(rooms.isUnclaimed, true),
        })
        .returning(columns),
    ),
    // A new course has no object yet that would have to hear of it.
    told: after(
      "made",
      enqueueSelect(ctx, tellCourse(sql`r.course_id = ${courseId} AND r.version > 1 AND changes() > 0`)),
    ),
    pending: pendingFor(ctx, sql`'room:' || ${courseIdCalled(courseId)}`),
  });
  if (!made) throw new AppError("CONFLICT", "This course has a room already.");
  deliverSoon(ctx, pending);
  return toCourse(made);
}

/** The payload of an outbox row with what a course is now; `where` speaks of `r`, its row. */
const tellCourse = (where: SQL) =>
  sql`SELECT 'room:' || f.room_id, json_object('facts', json(f.facts))
    FROM rooms r JOIN room_facts f ON f.room_id = r.id WHERE ${where}`;

/** Those that the caller may join, by name; the first 500. */
export async function listCourses(ctx: UserCtx) {
  const isIn = sql`EXISTS (SELECT 1 FROM room_members m WHERE m.room_id = ${rooms.id} AND m.user_id = ${ctx.actor.id})`;
  const mayJoin = isModerator(ctx.actor) ? undefined : or(eq(rooms.joinPolicy, "open"), isIn);
  const rows = await ctx.db
    .select(columns)
    .from(rooms)
    .where(and(sql`${rooms.courseId} IS NOT NULL`, mayJoin))
    .orderBy(rooms.courseId)
    .limit(500);
  return { courses: rows.map(toCourse) };
}

/** @throws AppError as enterCourse */
export async function readCourse(ctx: UserCtx, courseId: string) {
  await enterCourse(ctx, { courseId });
  const [row] = await ctx.db.select(columns).from(rooms).where(eq(rooms.courseId, courseId));
  if (!row) throw new AppError("NOT_FOUND", "There is no such course.");
  return toCourse(row);
}

/** For moderators. @returns whether they are new here @throws AppError NOT_FOUND no such course or user */
export async function addCourseMember(ctx: UserCtx, courseId: string, userId: number): Promise<{ isNew: boolean }> {
  const { known, added } = await ctx.db.batch({
    known: one(
      ctx.db
        .select({ id: rooms.id, user: users.id })
        .from(rooms)
        .leftJoin(users, and(eq(users.id, userId), eq(users.accountStatus, "active")))
        .where(eq(rooms.courseId, courseId)),
    ),
    audited: recordRoom(ctx, "add_member", {
      which: sql`r.course_id = ${courseId}
        AND EXISTS (SELECT 1 FROM users u WHERE u.id = ${userId} AND u.account_status = 'active')
        AND NOT EXISTS (SELECT 1 FROM room_members m WHERE m.room_id = r.id AND m.user_id = ${userId})`,
      details: { userId },
    }),
    added: ctx.db
      .insert(roomMembers)
      .select(
        sql`SELECT r.id, u.id, ${ctx.now.getTime()}, r.head, r.message_count FROM rooms r JOIN users u ON u.id = ${userId}
          WHERE r.course_id = ${courseId} AND u.account_status = 'active'`,
      )
      .onConflictDoNothing()
      .returning({ userId: roomMembers.userId }),
  });
  if (!known) throw new AppError("NOT_FOUND", "There is no such course.");
  if (known.user === null) throw new AppError("NOT_FOUND", "There is no such user.");
  return { isNew: added.length > 0 };
}

/**
 * For moderators. In a course of members their sockets close with 4003, in the calls of the course, too; in an open one, and
 * for a moderator, nothing ends but the membership: they may join without.
 * @throws AppError NOT_FOUND
 */
export async function removeCourseMember(ctx: UserCtx, courseId: string, userId: number): Promise<void> {
  const { known, removed, pending } = await ctx.db.batch({
    known: one(ctx.db.select({ id: rooms.id }).from(rooms).where(eq(rooms.courseId, courseId))),
    audited: recordRoom(ctx, "remove_member", {
      which: sql`r.course_id = ${courseId}
        AND EXISTS (SELECT 1 FROM room_members m WHERE m.room_id = r.id AND m.user_id = ${userId})`,
      details: { userId },
    }),
    removed: ctx.db
      .delete(roomMembers)
      .where(sql`user_id = ${userId} AND room_id = (SELECT id FROM rooms WHERE course_id = ${courseId})`)
      .returning({ userId: roomMembers.userId }),
    versioned: after(
      "removed",
      ctx.db.run(sql`UPDATE rooms SET version = version + 1 WHERE course_id = ${courseId} AND changes() > 0`),
    ),
    told: after(
      "versioned",
      enqueueSelect(
        ctx,
        sql`SELECT 'room:' || f.room_id, json_object('facts', json(f.facts), 'removed', ${userId})
        FROM rooms r JOIN room_facts f ON f.room_id = r.id JOIN users u ON u.id = ${userId}
        WHERE r.course_id = ${courseId} AND r.join_policy = 'members' AND u.role = 'user' AND changes() > 0`,
      ),
    ),
    toldCalls: after("told", expelFromCalls(ctx, courseId, userId)),
    pending: pendingFor(ctx, sql`SELECT 'room:' || ${courseIdCalled(courseId)} UNION ALL ${callsOfCourse(courseId)}`),
  });
  if (!known) throw new AppError("NOT_FOUND", "There is no such course.");
  if (removed.length === 0) throw new AppError("NOT_FOUND", "This user is not a member.");
  deliverSoon(ctx, pending);
}

/** For moderators. Seconds between messages of one member; 0 lifts it. @throws AppError NOT_FOUND */
export async function slowCourse(ctx: UserCtx, courseId: string, slowModeSeconds: number) {
  const { row, pending } = await ctx.db.batch({
    audited: recordRoom(ctx, "update", {
      which: sql`r.course_id = ${courseId}`,
      details: { slowModeSeconds, before: sql`r.slow_mode_seconds` },
    }),
    row: one(
      ctx.db
        .update(rooms)
        .set({ slowModeSeconds, version: sql`${rooms.version} + 1` })
        .where(eq(rooms.courseId, courseId))
        .returning(columns),
    ),
    told: enqueueSelect(ctx, tellCourse(sql`r.course_id = ${courseId}`)),
    pending: pendingFor(ctx, sql`'room:' || ${courseIdCalled(courseId)}`),
  });
  if (!row) throw new AppError("NOT_FOUND", "There is no such course.");
  deliverSoon(ctx, pending);
  return toCourse(row);
}

/** Newest first. @throws AppError as enterCourse */
export async function readCourseMessages(ctx: UserCtx, courseId: string, query: PageQuery) {
  return CourseMessageList.parse(await readMessages(ctx, await enterCourse(ctx, { courseId }), query));
}

/** `body` as it came: see `act`. @throws AppError as joinCourse and Conversation.send */
export async function sendCourseMessage(ctx: UserCtx, courseId: string, body: unknown) {
  return NewCourseMessage.parse(await say(ctx, await joinCourse(ctx, courseId), "chat:send_message", body));
}

/** @throws AppError as enterCourse and Conversation.edit */
export async function editCourseMessage(
  ctx: UserCtx,
  messageId: string,
  body: object,
): Promise<z.infer<typeof NewCourseMessage>> {
  const access = await enterCourse(ctx, roomOf(messageId));
  return NewCourseMessage.parse(await execute(ctx, access, "chat:edit_message", { ...body, messageId }));
}

/** @throws AppError as enterCourse and Conversation.remove */
export async function deleteCourseMessage(ctx: UserCtx, messageId: string): Promise<void> {
  await execute(ctx, await enterCourse(ctx, roomOf(messageId)), "chat:delete_message", { messageId });
}

/** Mutes for `seconds`, or, null, unmutes. @throws AppError as enterCourse and ChatActions.mute */
export async function muteInCourse(ctx: UserCtx, courseId: string, userId: number, seconds: number | null) {
  const access = await enterCourse(ctx, { courseId });
  const [command, input] =
    seconds === null ? ["chat:unmute_member", { userId }] : ["chat:mute_member", { userId, seconds }];
  return MuteState.parse(await execute(ctx, access, command, input));
}

/** @throws AppError as enterCourse */
export async function readCourseStatistics(ctx: UserCtx, courseId: string) {
  return CourseStatistics.parse(await readStatistics(ctx, await enterCourse(ctx, { courseId })));
}

/** A message's id tells its room. @throws AppError NOT_FOUND for what was never an id */
function roomOf(messageId: string): { roomId: string } {
  const parsed = parseMessageId(messageId);
  if (!parsed) throw new AppError("NOT_FOUND", "There is no such message.");
  return parsed;
}
