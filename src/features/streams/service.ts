/** Streams: made, changed and read. What media servers do to them is in sessions.ts. */
import { and, count, desc, eq, gt, isNull, type SQL, sql } from "drizzle-orm";
import type { Ctx, UserCtx } from "../../context.ts";
import { one } from "../../db/batch.ts";
import { deliverSoon, pendingFor } from "../../db/outbox.ts";
import { offsetOf, pagination } from "../../db/page.ts";
import { streams } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { fingerprint, randomSecret } from "../../platform/digest.ts";
import { detailCache, listCache, versioned } from "./cache.ts";
import type { CreateStream, Stream, StreamListQuery, UpdateStream } from "./contract.ts";
import { ending } from "./sessions.ts";

export { streamOf } from "./audience/relay.ts";
export { findStream, publishInStream } from "./room-client.ts";

type Row = typeof streams.$inferSelect;

/**
 * Players and the people in the stream's room are mostly the same people, counted from two sides (an HLS player is no
 * session of the media server, an RTMP player need not be in the room): the larger number is the better one. The room shows the same (viewer-count.ts). What has ended has its final figure.
 */
const viewersOf = (row: Row): number =>
  row.status === "live" || row.startedAt === null ? Math.max(row.players, row.roomViewers) : row.peakViewers;

export const toStream = (row: Row): Stream => ({
  id: row.id,
  userId: row.userId,
  title: row.title,
  description: row.description,
  status: row.status,
  startTime: row.startedAt?.toISOString() ?? null,
  endTime: row.endedAt?.toISOString() ?? null,
  viewerCount: viewersOf(row),
  thumbnail: row.thumbnail,
  scheduledAt: row.scheduledAt?.toISOString() ?? null,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
});

/** 192 bits. The prefix keeps a key from being taken for an option by a command line, and lets secret scanners find it. */
const newStreamKey = (): string => `sk_${randomSecret(24)}`;

/** The key in the answer is the only copy: the database has its hash. */
export async function createStream(ctx: UserCtx, input: CreateStream) {
  const streamKey = newStreamKey();
  const [row] = await ctx.db
    .insert(streams)
    .values({
      userId: ctx.actor.id,
      title: input.title ?? `${ctx.actor.displayName ?? ctx.actor.username}'s stream`,
      description: input.description,
      thumbnail: input.thumbnail,
      scheduledAt: input.scheduledAt,
      keyHash: await fingerprint(streamKey),
      createdAt: ctx.now,
      updatedAt: ctx.now,
    })
    .returning();
  if (!row) throw new AppError("INTERNAL_ERROR");
  return { ...toStream(row), streamKey };
}

const isLive = eq(streams.status, "live");
const onlyIf = (holds: boolean): SQL | undefined => (holds ? undefined : sql`0`);
const own = (ctx: UserCtx, id: number): SQL | undefined => and(eq(streams.id, id), eq(streams.userId, ctx.actor.id));

/** The statement that ends a stream that is live, whosever it is; for the batch of an admin. */
export const endingStream = (ctx: UserCtx, id: number, reason: NonNullable<Row["endReason"]>) =>
  ctx.db
    .update(streams)
    .set(ending(ctx.now, reason))
    .where(and(eq(streams.id, id), isLive))
    .returning({ id: streams.id });

/**
 * Changes a stream of one's own. Ending one that has ended changes nothing.
 * @throws AppError NOT_FOUND · FORBIDDEN somebody else's · INVALID_REQUEST going live, which only a publisher can
 */
export async function updateStream(ctx: UserCtx, id: number, { status, ...changes }: UpdateStream): Promise<Stream> {
  const isOwnLive = and(own(ctx, id), isLive);
  const changesSomething = Object.values(changes).some((value) => value !== undefined);
  const { row, pending } = await ctx.db.batch({
    changed: ctx.db
      .update(streams)
      .set({ ...changes, updatedAt: ctx.now })
      .where(and(status === "live" ? isOwnLive : own(ctx, id), onlyIf(changesSomething))),
    ended: ctx.db
      .update(streams)
      .set(ending(ctx.now, "owner"))
      .where(and(isOwnLive, onlyIf(status === "ended"))),
    row: one(ctx.db.select().from(streams).where(eq(streams.id, id))),
    pending: pendingFor(ctx, `stream:${id}`),
  });
  const stream = requireOwn(ctx, row);
  deliverSoon(ctx, pending);
  if (status === "live" && stream.status !== "live") {
    const details = [{ path: "status", message: "a stream goes live when its publisher starts" }];
    throw new AppError("INVALID_REQUEST", undefined, { details });
  }
  return toStream(stream);
}

/**
 * A new key; the old one dies, and what was being published with it ends.
 * @throws AppError NOT_FOUND · FORBIDDEN
 */
export async function rotateKey(ctx: UserCtx, id: number) {
  const streamKey = newStreamKey();
  const { row, pending } = await ctx.db.batch({
    rotated: ctx.db
      .update(streams)
      .set({ keyHash: await fingerprint(streamKey), updatedAt: ctx.now })
      .where(own(ctx, id)),
    ended: ctx.db
      .update(streams)
      .set(ending(ctx.now, "key_rotated"))
      .where(and(own(ctx, id), isLive)),
    row: one(ctx.db.select().from(streams).where(eq(streams.id, id))),
    pending: pendingFor(ctx, `stream:${id}`),
  });
  const stream = requireOwn(ctx, row);
  deliverSoon(ctx, pending);
  return { ...toStream(stream), streamKey };
}

function requireOwn(ctx: UserCtx, row: Row | undefined): Row {
  if (!row) throw new AppError("NOT_FOUND");
  if (row.userId !== ctx.actor.id) throw new AppError("FORBIDDEN");
  return row;
}

/** @throws AppError NOT_FOUND */
export async function readStream(ctx: Ctx, id: number): Promise<Stream> {
  const stream = await detailCache.get(
    ctx.now,
    String(id),
    ctx.config.CACHE_STREAM_DETAILS_SECONDS,
    versioned(ctx, ["streams", "viewers"], async (currentVersion) => {
      const { current, row } = await ctx.db.batch({
        current: currentVersion,
        row: one(ctx.db.select().from(streams).where(eq(streams.id, id))),
      });
      return [current, row ? toStream(row) : null];
    }),
  );
  if (!stream) throw new AppError("NOT_FOUND");
  return stream;
}

const viewers = sql`max(${streams.players}, ${streams.roomViewers})`;

/** Which streams, and in which order. */
const selections = (now: Date): Record<StreamListQuery["status"], { where: SQL | undefined; order: SQL[] }> => ({
  live: { where: isLive, order: [desc(streams.startedAt), desc(streams.id)] },
  featured: { where: isLive, order: [desc(viewers), desc(streams.startedAt), desc(streams.id)] },
  upcoming: {
    where: and(isNull(streams.startedAt), gt(streams.scheduledAt, now)),
    order: [sql`${streams.scheduledAt}`, sql`${streams.id}`],
  },
  ended: { where: eq(streams.status, "ended"), order: [desc(streams.startedAt), desc(streams.id)] },
  all: { where: undefined, order: [desc(streams.id)] },
});

export function listStreams(ctx: Ctx, query: StreamListQuery) {
  const { where, order } = selections(ctx.now)[query.status];
  return listCache.get(
    ctx.now,
    `${query.status} ${query.page} ${query.limit}`,
    ctx.config.CACHE_STREAM_LISTS_SECONDS,
    versioned(ctx, ["streams"], async (currentVersion) => {
      const { current, rows, total } = await ctx.db.batch({
        current: currentVersion,
        rows: ctx.db
          .select()
          .from(streams)
          .where(where)
          .orderBy(...order)
          .limit(query.limit)
          .offset(offsetOf(query)),
        total: one(ctx.db.select({ count: count() }).from(streams).where(where)),
      });
      return [current, { streams: rows.map(toStream), pagination: pagination(query, total?.count ?? 0) }];
    }),
  );
}
