/** Views and shares: counted, nothing more. */
import { and, eq, sql } from "drizzle-orm";
import type { Ctx, UserCtx } from "../../context.ts";
import { one } from "../../db/batch.ts";
import { videos, videoViews } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { fingerprint } from "../../platform/digest.ts";
import { isVisibleTo } from "./service.ts";

/** SPEC 3: counts once per person and video in 30 minutes. */
const VIEW_COUNTS_AGAIN_MS = 30 * 60_000;

/** Who watches. An anonymous person is known by address, of which only a hash is kept, and that for 30 minutes. */
const viewerOf = async (ctx: Ctx): Promise<string> =>
  ctx.actor.kind === "user" ? `user:${ctx.actor.id}` : `address:${await fingerprint(`viewer ${ctx.address}`)}`;

/** @throws AppError NOT_FOUND */
export async function countView(ctx: Ctx, videoId: number) {
  const now = ctx.now.getTime();
  const viewer = await viewerOf(ctx);
  const { counted, video } = await ctx.db.batch({
    counted: ctx.db
      .insert(videoViews)
      .select(
        sql`SELECT ${videos.id}, ${viewer}, ${now} FROM ${videos}
          WHERE ${videos.id} = ${videoId} AND ${isVisibleTo(ctx.actor)}`,
      )
      .onConflictDoUpdate({
        target: [videoViews.videoId, videoViews.viewer],
        set: { countedAt: ctx.now },
        setWhere: sql`${videoViews.countedAt} <= ${now - VIEW_COUNTS_AGAIN_MS}`,
      })
      .returning({ videoId: videoViews.videoId }),
    video: one(
      ctx.db
        .select({ views: videos.views })
        .from(videos)
        .where(and(eq(videos.id, videoId), isVisibleTo(ctx.actor))),
    ),
  });
  if (!video) throw new AppError("NOT_FOUND");
  return { counted: counted.length > 0, views: video.views };
}

const FORGOTTEN_A_MINUTE = 5000;

/** Forgets who watched what longer than 30 minutes ago, oldest first. Run by cron. */
export async function forgetOldViews(ctx: Ctx): Promise<void> {
  const before = ctx.now.getTime() - VIEW_COUNTS_AGAIN_MS;
  await ctx.db.run(sql`DELETE FROM video_views WHERE (video_id, viewer) IN (
    SELECT video_id, viewer FROM video_views WHERE counted_at <= ${before} ORDER BY counted_at LIMIT ${FORGOTTEN_A_MINUTE})`);
}

/** @throws AppError NOT_FOUND */
export async function countShare(ctx: UserCtx, videoId: number) {
  const [video] = await ctx.db
    .update(videos)
    .set({ shares: sql`${videos.shares} + 1` })
    .where(and(eq(videos.id, videoId), isVisibleTo(ctx.actor)))
    .returning({ shares: videos.shares });
  if (!video) throw new AppError("NOT_FOUND");
  return video;
}
