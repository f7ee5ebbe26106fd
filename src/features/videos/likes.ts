/** Likes: each counts once, and its owner hears of it once. */
import { and, eq, sql } from "drizzle-orm";
import type { UserCtx } from "../../context.ts";
import { one } from "../../db/batch.ts";
import { deliverSoon, pendingFor } from "../../db/outbox.ts";
import { likes, videos } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { notify } from "../notifications/service.ts";
import { isVisibleTo } from "./service.ts";

const countLikes = (ctx: UserCtx, videoId: number) =>
  ctx.db
    .select({ likes: videos.likes })
    .from(videos)
    .where(and(eq(videos.id, videoId), isVisibleTo(ctx.actor)));

/**
 * Likes a video. The owner is notified of the first like only: taking it back and giving it again is not news.
 * @throws AppError NOT_FOUND
 */
export async function likeVideo(ctx: UserCtx, videoId: number) {
  const me = ctx.actor.id;
  const { video, pending } = await ctx.db.batch({
    liked: ctx.db
      .insert(likes)
      .select(
        sql`SELECT ${videos.id}, ${me}, ${ctx.now.getTime()} FROM ${videos}
          WHERE ${videos.id} = ${videoId} AND ${isVisibleTo(ctx.actor)}`,
      )
      .onConflictDoNothing(),
    ...notify(ctx, {
      who: sql`SELECT v.owner_id AS user_id, 'like' AS type, v.id AS ref_id, 'video' AS target_type, v.id AS target_id,
          v.title AS target_title
        FROM videos v WHERE v.id = ${videoId} AND changes() > 0 AND NOT EXISTS (SELECT 1 FROM notifications earlier
          WHERE earlier.actor_id = ${me} AND earlier.type = 'like' AND earlier.ref_id = v.id
            AND earlier.user_id = v.owner_id)`,
      onlyAfter: "liked",
    }),
    video: one(countLikes(ctx, videoId)),
    pending: pendingFor(ctx, sql`SELECT 'user:' || v.owner_id FROM videos v WHERE v.id = ${videoId}`),
  });
  if (!video) throw new AppError("NOT_FOUND");
  deliverSoon(ctx, pending);
  return { liked: true, likes: video.likes };
}

/** @throws AppError NOT_FOUND */
export async function unlikeVideo(ctx: UserCtx, videoId: number) {
  const { video } = await ctx.db.batch({
    unliked: ctx.db
      .delete(likes)
      .where(
        and(
          eq(likes.videoId, videoId),
          eq(likes.userId, ctx.actor.id),
          sql`EXISTS (SELECT 1 FROM ${videos} WHERE ${videos.id} = ${videoId} AND ${isVisibleTo(ctx.actor)})`,
        ),
      ),
    video: one(countLikes(ctx, videoId)),
  });
  if (!video) throw new AppError("NOT_FOUND");
  return { liked: false, likes: video.likes };
}
