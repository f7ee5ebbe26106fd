/** Recordings: listed, played, deleted. How they come in is in uploads.ts. */
import { and, count, desc, eq, gte, lte, ne, or, sql } from "drizzle-orm";
import { recordEach } from "../../auth/audit.ts";
import { pendingDeletions } from "../../bytes/deletions.ts";
import { serveObject } from "../../bytes/serve.ts";
import { actorId, type Ctx, isModerator, type UserCtx } from "../../context.ts";
import { one } from "../../db/batch.ts";
import { jsonObject } from "../../db/json.ts";
import { deliverSoon } from "../../db/outbox.ts";
import { offsetOf, pagination } from "../../db/page.ts";
import { isOpenAccount } from "../../db/standing.ts";
import { versions, vods } from "../../db/tables.ts";
import { VersionedCache } from "../../db/versioned-cache.ts";
import { AppError } from "../../errors.ts";
import type { Vod, VodList, VodListQuery } from "./contract.ts";

type Row = typeof vods.$inferSelect;

export const toVod = (row: Row): Vod => ({
  id: row.id,
  streamId: row.streamId,
  userId: row.userId,
  title: row.title,
  thumbnail: row.thumbnail,
  duration: row.duration,
  fileName: row.fileName,
  mimeType: row.mimeType,
  size: row.size,
  views: row.views,
  url: `/api/v1/vod/${row.id}/content`,
  createdAt: row.createdAt.toISOString(),
});

const listCache = new VersionedCache<VodList>(500);

const versionOf = (ctx: Ctx) =>
  ctx.db.select({ version: versions.version }).from(versions).where(eq(versions.kind, "vods"));

/** Cached while no recording comes or goes; views are as old as the time to live at most. */
export function listVods(ctx: Ctx, query: VodListQuery): Promise<VodList> {
  const { streamId, from, to, sort } = query;
  const where = and(
    isOpenAccount(vods.userId),
    streamId === undefined ? undefined : eq(vods.streamId, streamId),
    from === undefined ? undefined : gte(vods.createdAt, from),
    to === undefined ? undefined : lte(vods.createdAt, to),
  );
  return listCache.get(ctx.now, JSON.stringify(query), ctx.config.CACHE_VODS_SECONDS, {
    version: async () => (await versionOf(ctx))[0]?.version ?? -1,
    load: async () => {
      const { current, rows, total } = await ctx.db.batch({
        current: one(versionOf(ctx)),
        rows: ctx.db
          .select()
          .from(vods)
          .where(where)
          .orderBy(desc(sort === "popular" ? vods.views : vods.createdAt), desc(vods.id))
          .limit(query.limit)
          .offset(offsetOf(query)),
        total: one(ctx.db.select({ count: count() }).from(vods).where(where)),
      });
      const answer = { vods: rows.map(toVod), pagination: pagination(query, total?.count ?? 0) };
      return { version: current?.version ?? 0, answer };
    },
  });
}

/** A closed account's are seen by nobody but its owner and moderators. */
const isSeen = ({ actor }: Ctx) =>
  isModerator(actor) ? undefined : or(eq(vods.userId, actorId(actor)), isOpenAccount(vods.userId));

async function requireVod(ctx: Ctx, id: number): Promise<Row> {
  const [row] = await ctx.db
    .select()
    .from(vods)
    .where(and(eq(vods.id, id), isSeen(ctx)));
  if (!row) throw new AppError("NOT_FOUND");
  return row;
}

/** @throws AppError NOT_FOUND */
export const readVod = async (ctx: Ctx, id: number): Promise<Vod> => toVod(await requireVod(ctx, id));

/** Seen by whoever sees the stream, which is anyone. @throws AppError NOT_FOUND */
export async function playVod(ctx: Ctx, id: number, request: Request): Promise<Response> {
  const row = await requireVod(ctx, id);
  if (isStartOfPlay(request)) {
    ctx.later(
      ctx.db
        .update(vods)
        .set({ views: sql`${vods.views} + 1` })
        .where(eq(vods.id, id)),
    );
  }
  return serveObject(ctx, request, {
    key: row.objectKey,
    size: row.size,
    etag: row.digest.replace(/^\w+:/, ""),
    mimeType: row.mimeType,
    filename: row.fileName,
    disposition: "inline",
    modifiedAt: row.createdAt,
    cacheControl: "public, max-age=300",
    isStillAllowed: () => requireVod(ctx, id).then(() => true),
  });
}

/** From the first byte to the end: not a seek, not Safari's probe for two bytes, not a check for changes. */
const isStartOfPlay = ({ method, headers }: Request): boolean =>
  method === "GET" && !headers.has("if-none-match") && /^bytes=0-$/.test(headers.get("range") ?? "bytes=0-");

/**
 * Deletes a recording and, through the outbox, its bytes: its owner, moderators, admins.
 * @throws AppError NOT_FOUND · FORBIDDEN
 */
export async function deleteVod(ctx: UserCtx, id: number): Promise<void> {
  const mayDelete = isModerator(ctx.actor) ? undefined : eq(vods.userId, ctx.actor.id);
  const { row, pending } = await ctx.db.batch({
    row: one(ctx.db.select({ userId: vods.userId }).from(vods).where(eq(vods.id, id))),
    audited: recordEach(ctx, {
      action: "delete",
      targetType: "recording",
      id: vods.id,
      from: sql`${vods} WHERE ${and(eq(vods.id, id), mayDelete, ne(vods.userId, ctx.actor.id))}`,
      details: jsonObject({ ownerId: vods.userId, title: vods.title, streamId: vods.streamId }),
    }),
    deleted: ctx.db.delete(vods).where(and(eq(vods.id, id), mayDelete)),
    pending: pendingDeletions(ctx),
  });
  if (!row) throw new AppError("NOT_FOUND");
  if (mayDelete && row.userId !== ctx.actor.id) throw new AppError("FORBIDDEN");
  deliverSoon(ctx, pending);
}
