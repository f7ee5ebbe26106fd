/** Video sessions: making, ending, and who may come in. */
import { and, eq, isNull, sql } from "drizzle-orm";
import { v7 as sortableId } from "uuid";
import { mayJoinCourse } from "../../chat/access.ts";
import { isModerator, type UserCtx } from "../../context.ts";
import { after, one } from "../../db/batch.ts";
import type { CallContext } from "../../db/call-context.ts";
import { type Delivery, deliverNow, deliverSoon, enqueueSelect, pendingFor } from "../../db/outbox.ts";
import { webrtcSessions } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { callObject } from "../../platform/objects.ts";
import { deliverTo } from "../../realtime/rooms.ts";
import type { CreateSession, Session, Stay } from "./contract.ts";
import type { SessionEnd } from "./session-delivery.ts";

type Row = typeof webrtcSessions.$inferSelect;

const toSession = (row: Row): Session => ({
  id: row.id,
  title: row.title,
  courseId: row.courseId,
  hostId: row.hostId,
  maxParticipants: row.maxParticipants,
  createdAt: row.createdAt.toISOString(),
  endedAt: row.endedAt?.toISOString() ?? null,
});

/** Opens a session that the caller hosts. @throws AppError FORBIDDEN for a course that the caller may not join */
export async function createSession(ctx: UserCtx, input: CreateSession): Promise<Session> {
  const { title = null, courseId = null, maxParticipants } = input;
  await requireCourse(ctx, courseId);
  const row: Row = {
    id: sortableId(),
    hostId: ctx.actor.id,
    title,
    courseId,
    maxParticipants,
    createdAt: ctx.now,
    endedAt: null,
  };
  await ctx.db.insert(webrtcSessions).values(row);
  return toSession(row);
}

/** @throws AppError NOT_FOUND · FORBIDDEN to who may not join */
export async function readSession(ctx: UserCtx, id: string): Promise<Session> {
  const row = await findSession(ctx, id);
  await requireMayJoin(ctx, row);
  return toSession(row);
}

/**
 * A session that the caller may come into now: any signed-in user, or who may join its course; the host always.
 * @throws AppError NOT_FOUND there is none, or it has ended · FORBIDDEN
 */
export async function openSession(ctx: UserCtx, id: string): Promise<Session> {
  const row = await findSession(ctx, id);
  await requireMayJoin(ctx, row);
  if (row.endedAt) throw new AppError("NOT_FOUND", "The session has ended.");
  return toSession(row);
}

/**
 * Ends a session for everybody; the host alone may. Ending it again changes nothing.
 * @throws AppError NOT_FOUND · FORBIDDEN
 */
export async function endSession(ctx: UserCtx, id: string): Promise<void> {
  const isMine = and(eq(webrtcSessions.id, id), eq(webrtcSessions.hostId, ctx.actor.id));
  const payload = JSON.stringify({ endedAt: ctx.now.getTime() } satisfies SessionEnd);
  const { row, pending } = await ctx.db.batch({
    row: one(ctx.db.select({ hostId: webrtcSessions.hostId }).from(webrtcSessions).where(eq(webrtcSessions.id, id))),
    ended: ctx.db
      .update(webrtcSessions)
      .set({ endedAt: ctx.now })
      .where(and(isMine, isNull(webrtcSessions.endedAt))),
    told: after("ended", enqueueSelect(ctx, sql`SELECT ${`webrtc:${id}`}, ${payload} WHERE changes() > 0`)),
    pending: pendingFor(ctx, `webrtc:${id}`),
  });
  if (!row) throw new AppError("NOT_FOUND");
  if (row.hostId !== ctx.actor.id) throw new AppError("FORBIDDEN", "Only the host ends a session.");
  deliverSoon(ctx, pending);
}

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
export async function readAttendance(ctx: UserCtx, id: string): Promise<{ attendance: Stay[] }> {
  const { hostId } = await findSession(ctx, id);
  if (hostId !== ctx.actor.id && !isModerator(ctx.actor)) throw new AppError("FORBIDDEN");
  return { attendance: await callObject(ctx, ctx.env.WEBRTC_ROOM, id, (room) => room.attendance()) };
}

async function findSession(ctx: UserCtx, id: string): Promise<Row> {
  const [row] = await ctx.db.select().from(webrtcSessions).where(eq(webrtcSessions.id, id));
  if (!row) throw new AppError("NOT_FOUND");
  return row;
}

async function requireMayJoin(ctx: UserCtx, { hostId, courseId }: Row): Promise<void> {
  if (hostId !== ctx.actor.id) await requireCourse(ctx, courseId);
}

async function requireCourse(ctx: UserCtx, courseId: string | null): Promise<void> {
  if (courseId !== null && !(await mayJoinCourse(ctx, courseId))) {
    throw new AppError("FORBIDDEN", "This course is not open to you.");
  }
}
