/** Video sessions: making, ending, and who may come in. */
import { and, eq, getTableColumns, isNull, type SQL, sql } from "drizzle-orm";
import { v7 as sortableId } from "uuid";
import { mayJoinCourse } from "../../chat/access.ts";
import { claimFirstUse, wasDeleted } from "../../chat/first-use.ts";
import { isModerator, type UserCtx } from "../../context.ts";
import { after, one } from "../../db/batch.ts";
import type { CallContext } from "../../db/call-context.ts";
import { type Delivery, deliverNow, deliverSoon, enqueueSelect, newestOutboxId, pendingFor } from "../../db/outbox.ts";
import { webrtcSessions } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { callObject } from "../../platform/objects.ts";
import { deliverTo } from "../../realtime/rooms.ts";
import { type AttendanceRecord, type CreateSession, MAX_PARTICIPANTS_DEFAULT, type Session } from "./contract.ts";
import type { SessionEnd } from "./session-delivery.ts";

type Row = typeof webrtcSessions.$inferSelect;

/** Who hosts a call that its first use made. No account has this id. */
const NO_HOST = 0;

export const toSession = (row: Row): Session => ({
  id: row.chosenId ?? row.id,
  title: row.title,
  courseId: row.courseId,
  hostId: row.hostId === NO_HOST ? null : row.hostId,
  maxParticipants: row.maxParticipants,
  createdAt: row.createdAt.toISOString(),
  endedAt: row.endedAt?.toISOString() ?? null,
});

/** The session called so: the one that goes on, else the last one, else the one whose own id this is; NULL: there is none. */
export const sessionIdCalled = (name: string): SQL<string | null> =>
  sql`coalesce(
    (SELECT id FROM webrtc_sessions WHERE chosen_id = ${name} AND ended_at IS NULL),
    (SELECT id FROM webrtc_sessions WHERE chosen_id = ${name} ORDER BY id DESC LIMIT 1),
    (SELECT id FROM webrtc_sessions WHERE id = ${name} AND chosen_id IS NULL))`;

/** Whether a session may be given this name: none that goes on has it, and it is no session's own id. */
const isFree = (name: string): SQL =>
  sql`(NOT EXISTS (SELECT 1 FROM webrtc_sessions WHERE chosen_id = ${name} AND ended_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM webrtc_sessions WHERE id = ${name}))`;

/**
 * Opens a session that the caller hosts.
 * @throws AppError FORBIDDEN for a course that the caller may not join · CONFLICT the id is taken
 */
export async function createSession(ctx: UserCtx, input: CreateSession): Promise<Session> {
  const { id: chosen = null, title = null, courseId = null, maxParticipants } = input;
  await requireCourse(ctx, courseId);
  const [row] = await ctx.db
    .insert(webrtcSessions)
    .select(
      sql`SELECT ${sortableId()}, ${ctx.actor.id}, ${title}, ${courseId}, ${maxParticipants}, ${ctx.now.getTime()}, NULL,
        ${chosen} WHERE ${chosen === null ? sql`1` : isFree(chosen)}`,
    )
    .returning();
  if (!row) throw new AppError("CONFLICT", "This id is taken.");
  return toSession(row);
}

/** @throws AppError NOT_FOUND · FORBIDDEN to who may not join */
export async function readSession(ctx: UserCtx, name: string): Promise<Session> {
  const row = await findSession(ctx, name);
  await requireCourse(ctx, row.courseId);
  return toSession(row);
}

/**
 * A session that somebody comes into. `id`: its own, which its object goes by; `publicId`: the chosen one, if it has one.
 * `asOf`: how far the outbox had come when it was asked whether they may.
 */
type OpenSession = {
  id: string;
  publicId: string | undefined;
  maxParticipants: number;
  endsByItself: boolean;
  asOf: number;
};

/**
 * A session that the caller may come into now: any signed-in user, or who may join its course.
 * @throws AppError NOT_FOUND there is none, or it has ended · FORBIDDEN
 */
export async function openSession(ctx: UserCtx, name: string): Promise<OpenSession> {
  return asGuest(ctx, await findSession(ctx, name));
}

/**
 * The same for who comes to stay: a call that does not exist, or that ended by itself, is begun, where that is set up
 * (first-use.ts). It is nobody's, and open to everybody.
 * @throws AppError NOT_FOUND there is none, or its host has ended it · FORBIDDEN · RATE_LIMIT
 */
export async function joinSession(ctx: UserCtx, name: string): Promise<OpenSession> {
  const [known] = await sessionsCalled(ctx, name);
  const isOver = !known || (known.endedAt !== null && known.hostId === NO_HOST);
  if (!isOver || !(await claimFirstUse(ctx, "calls", name))) return asGuest(ctx, known);
  const { row } = await ctx.db.batch({
    made: ctx.db.run(sql`INSERT INTO webrtc_sessions (id, host_id, max_participants, created_at, chosen_id)
      SELECT ${sortableId()}, ${NO_HOST}, ${MAX_PARTICIPANTS_DEFAULT}, ${ctx.now.getTime()}, ${name}
        WHERE ${isFree(name)} AND NOT ${wasDeleted("call", name)}`),
    row: one(sessionsCalled(ctx, name)),
  });
  return asGuest(ctx, row);
}

async function asGuest(ctx: UserCtx, row: Found | undefined): Promise<OpenSession> {
  if (!row) throw new AppError("NOT_FOUND");
  await requireCourse(ctx, row.courseId);
  if (row.endedAt) throw new AppError("NOT_FOUND", "The session has ended.");
  const { id, chosenId, maxParticipants, hostId, asOf } = row;
  return { id, publicId: chosenId ?? undefined, maxParticipants, endsByItself: hostId === NO_HOST, asOf };
}

/** A call that its first use made has ended. `id`: its own. Saying it again changes nothing. */
export async function recordOwnEnd(ctx: CallContext, id: string, endedAt: number): Promise<void> {
  await ctx.db
    .update(webrtcSessions)
    .set({ endedAt: new Date(endedAt) })
    .where(and(eq(webrtcSessions.id, id), isNull(webrtcSessions.endedAt)));
}

/**
 * Ends a session for everybody; the host alone may. Ending it again changes nothing.
 * @throws AppError NOT_FOUND · FORBIDDEN
 */
export async function endSession(ctx: UserCtx, name: string): Promise<void> {
  const { id, hostId } = await findSession(ctx, name);
  if (hostId !== ctx.actor.id) throw new AppError("FORBIDDEN", "Only the host ends a session.");
  const isMine = and(eq(webrtcSessions.id, id), eq(webrtcSessions.hostId, ctx.actor.id));
  const { pending } = await ctx.db.batch(endingSession(ctx, sql`${id}`, isMine));
  deliverSoon(ctx, pending);
}

/**
 * Statements that end the session of this id if it goes on and `where`, a condition on `webrtc_sessions`, holds; for the end
 * of the batch of whoever may do that. Hand `pending` to `deliverSoon`.
 */
export function endingSession(ctx: UserCtx, id: SQL<string | null>, where: SQL | undefined) {
  const payload = JSON.stringify({ endedAt: ctx.now.getTime() } satisfies SessionEnd);
  const target = sql`'webrtc:' || ${id}`;
  return {
    ended: ctx.db
      .update(webrtcSessions)
      .set({ endedAt: ctx.now })
      .where(and(where, isNull(webrtcSessions.endedAt)))
      .returning({ id: webrtcSessions.id }),
    told: after("ended", enqueueSelect(ctx, sql`SELECT ${target}, ${payload} WHERE changes() > 0`)),
    pending: pendingFor(ctx, target),
  };
}

/** The calls of a course that go on, as the outbox names them; for a query of its own. */
export const callsOfCourse = (courseId: string): SQL =>
  sql`SELECT 'webrtc:' || id FROM webrtc_sessions WHERE course_id = ${courseId} AND ended_at IS NULL`;

/** Tells the calls of a course that this user may not be in them any more, if the statement before changed something. */
export const expelFromCalls = (ctx: CallContext, courseId: string, userId: number) =>
  enqueueSelect(
    ctx,
    sql`SELECT 'webrtc:' || id, json_object('expelled', ${userId}) FROM webrtc_sessions
      WHERE course_id = ${courseId} AND ended_at IS NULL AND changes() > 0`,
  );

/** Sessions that one batch erases at most. */
const ERASED_AT_ONCE = 500;

/**
 * Ends and forgets sessions that an erased user hosted. May be repeated: what a crash leaves untold is the outbox sweep's.
 * @returns whether there were any, so that there may be more
 */
export async function eraseSessionsOf(ctx: CallContext, userId: number): Promise<boolean> {
  const theirs = sql`SELECT id FROM webrtc_sessions WHERE host_id = ${userId} ORDER BY id LIMIT ${ERASED_AT_ONCE}`;
  const payload = JSON.stringify({ endedAt: ctx.now.getTime() } satisfies SessionEnd);
  const { gone } = await ctx.db.batch({
    told: enqueueSelect(
      ctx,
      sql`SELECT 'webrtc:' || id, ${payload} FROM webrtc_sessions WHERE id IN (${theirs}) AND ended_at IS NULL`,
    ),
    gone: ctx.db.delete(webrtcSessions).where(sql`id IN (${theirs})`).returning({ id: webrtcSessions.id }),
  });
  if (gone.length === 0) return false;
  const targets = JSON.stringify(gone.map(({ id }) => `webrtc:${id}`));
  await deliverNow(ctx, await pendingFor(ctx, sql`SELECT value FROM json_each(${targets})`));
  return true;
}

/** The outbox's way to a session's object. */
export const deliverToSession = (ctx: CallContext, id: string, deliveries: Delivery[]): Promise<void> =>
  deliverTo(ctx, "WEBRTC_ROOM", id, deliveries);

/** Who was there, from when to when; during the session and after. @throws AppError NOT_FOUND · FORBIDDEN */
export async function readAttendance(ctx: UserCtx, name: string): Promise<{ attendance: AttendanceRecord[] }> {
  const { id, hostId } = await findSession(ctx, name);
  if (hostId !== ctx.actor.id && !isModerator(ctx.actor)) throw new AppError("FORBIDDEN");
  return { attendance: await callObject(ctx, ctx.env.WEBRTC_ROOM, id, (room) => room.attendance()) };
}

type Found = Row & { asOf: number };

/** One, or none. */
const sessionsCalled = (ctx: UserCtx, name: string) =>
  ctx.db
    .select({ ...getTableColumns(webrtcSessions), asOf: newestOutboxId })
    .from(webrtcSessions)
    .where(eq(webrtcSessions.id, sessionIdCalled(name)));

async function findSession(ctx: UserCtx, name: string): Promise<Found> {
  const [row] = await sessionsCalled(ctx, name);
  if (!row) throw new AppError("NOT_FOUND");
  return row;
}

async function requireCourse(ctx: UserCtx, courseId: string | null): Promise<void> {
  if (courseId !== null && !(await mayJoinCourse(ctx, courseId))) {
    throw new AppError("FORBIDDEN", "This course is not open to you.");
  }
}
