/** Livestreams as admins see them: the list, and taking one off the air or away. */
import { and, eq, getTableColumns, type SQL, sql } from "drizzle-orm";
import { logEach, recordEach } from "../../../auth/audit.ts";
import { pendingDeletions } from "../../../bytes/deletions.ts";
import type { UserCtx } from "../../../context.ts";
import { one } from "../../../db/batch.ts";
import { jsonObject } from "../../../db/json.ts";
import { deliverSoon, pendingFor } from "../../../db/outbox.ts";
import { offsetOf, pagination } from "../../../db/page.ts";
import { streams, users } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import { endingStream, toStream } from "../../streams/service.ts";
import { countMatches, hasPart } from "../search.ts";
import type { StreamItem, StreamListQuery } from "./contract.ts";

type Row = { stream: typeof streams.$inferSelect; ownerUsername: string | null };

const toItem = ({ stream, ownerUsername }: Row): StreamItem => ({
  ...toStream(stream),
  ownerUsername,
  players: stream.players,
  roomViewers: stream.roomViewers,
  peakViewers: stream.peakViewers,
  lastSeenAt: stream.lastSeenAt?.toISOString() ?? null,
  endReason: stream.endReason,
});

const SORTS: Record<StreamListQuery["sort_by"], SQL> = {
  created_at: sql`${streams.id}`,
  started_at: sql`${streams.startedAt}`,
};

/** One round trip. */
export async function listStreams(ctx: UserCtx, query: StreamListQuery) {
  const isOfStatus = query.status === "all" ? undefined : eq(streams.status, query.status);
  const where =
    and(isOfStatus, hasPart([streams.title, streams.description, users.username], query.search)) ?? sql`true`;
  const direction = sql.raw(query.order);
  const { rows, counted } = await ctx.db.batch({
    rows: ctx.db
      .select({ stream: getTableColumns(streams), ownerUsername: users.username })
      .from(streams)
      .leftJoin(users, eq(users.id, streams.userId))
      .where(where)
      .orderBy(sql`${SORTS[query.sort_by]} ${direction}, ${streams.id} ${direction}`)
      .limit(query.limit)
      .offset(offsetOf(query)),
    counted: countMatches(ctx, sql`${streams} LEFT JOIN ${users} ON ${users.id} = ${streams.userId} WHERE ${where}`),
  });
  return { streams: rows.map(toItem), pagination: pagination(query, counted?.total ?? 0) };
}

const record = (ctx: UserCtx, action: "end" | "delete", where: SQL | undefined, reason: string) =>
  recordEach(ctx, {
    action,
    targetType: "stream",
    id: streams.id,
    from: sql`${streams} WHERE ${where}`,
    reason,
    details: jsonObject({ title: streams.title, userId: streams.userId }),
  });

/** @throws AppError NOT_FOUND · CONFLICT it is not live */
export async function endStream(ctx: UserCtx, streamId: number, reason: string): Promise<string> {
  const isIt = eq(streams.id, streamId);
  const { ended, known, pending } = await ctx.db.batch({
    audited: record(ctx, "end", and(isIt, eq(streams.status, "live")), reason),
    ended: endingStream(ctx, streamId, "admin"),
    known: one(ctx.db.select({ id: streams.id }).from(streams).where(isIt)),
    pending: pendingFor(ctx, `stream:${streamId}`),
  });
  if (!known) throw new AppError("NOT_FOUND");
  if (ended.length === 0) throw new AppError("CONFLICT", "The stream is not live.");
  logEach(ctx, "end", "stream", [streamId]);
  deliverSoon(ctx, pending);
  return "Stream ended";
}

/** Triggers take its sessions and recordings along, and tell its room. @throws AppError NOT_FOUND */
export async function deleteStream(ctx: UserCtx, streamId: number, reason: string): Promise<string> {
  const isIt = eq(streams.id, streamId);
  const { deleted, pending, bytes } = await ctx.db.batch({
    audited: record(ctx, "delete", isIt, reason),
    // First, so that whoever hears of streams hears of its end.
    ended: endingStream(ctx, streamId, "admin"),
    deleted: ctx.db.delete(streams).where(isIt).returning({ id: streams.id }),
    pending: pendingFor(ctx, `stream:${streamId}`),
    bytes: pendingDeletions(ctx),
  });
  if (deleted.length === 0) throw new AppError("NOT_FOUND");
  logEach(ctx, "delete", "stream", [streamId]);
  deliverSoon(ctx, [...pending, ...bytes]);
  return "Stream deleted";
}
