/** Videos: publishing, finding, changing, taking down. Who may see one is decided here, for every slice. */
import { and, desc, eq, isNull, type SQL, sql } from "drizzle-orm";
import { pendingDeletions } from "../../bytes/deletions.ts";
import { type Actor, actorId, type Ctx, isAdmin, type UserCtx } from "../../context.ts";
import { one } from "../../db/batch.ts";
import { foldedVideo } from "../../db/folding.ts";
import { deliverSoon } from "../../db/outbox.ts";
import { offsetOf, type PageQuery, pagination } from "../../db/page.ts";
import { listTotals, users, videos } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { brief, briefColumns } from "../users/service.ts";
import type { CreateVideo, UpdateVideo, Video } from "./contract.ts";

type Row = typeof videos.$inferSelect;

/**
 * Whether somebody may know of a row of `videos`: a condition for any statement that reads that table under its own name.
 * A private one exists only for its owner and admins, and so do all the videos of an account that is not active. A ban
 * stops a person, not what they published: that is taken down by itself.
 */
export function isVisibleTo(actor: Actor): SQL {
  if (isAdmin(actor)) return sql`1`;
  return sql`(${videos.ownerId} = ${actorId(actor)} OR (${videos.visibility} = 'public' AND EXISTS (
    SELECT 1 FROM users owner WHERE owner.id = ${videos.ownerId} AND owner.account_status = 'active')))`;
}

const columnsFor = (actor: Actor) => ({
  video: videos,
  owner: briefColumns,
  isLiked: sql<number>`EXISTS (SELECT 1 FROM likes mine
    WHERE mine.video_id = ${videos.id} AND mine.user_id = ${actorId(actor)})`,
});

export const toVideo = ({ video, owner, isLiked }: { video: Row; owner: Video["owner"]; isLiked: number }): Video => ({
  id: video.id,
  ownerId: video.ownerId,
  owner: brief(owner),
  title: video.title,
  description: video.description,
  videoUrl: video.videoUrl,
  thumbUrl: video.thumbUrl,
  visibility: video.visibility,
  duration: video.duration,
  views: video.views,
  likes: video.likes,
  comments: video.comments,
  shares: video.shares,
  isLiked: isLiked === 1,
  createdAt: video.createdAt.toISOString(),
});

/** Publishes a video whose bytes are already where `videoUrl` points. */
export async function createVideo(ctx: UserCtx, input: CreateVideo): Promise<Video> {
  const [video] = await ctx.db
    .insert(videos)
    .values({ ...input, ...foldedVideo(input), isFolded: true, ownerId: ctx.actor.id, createdAt: ctx.now })
    .returning();
  if (!video) throw new AppError("INTERNAL_ERROR");
  return toVideo({ video, owner: ctx.actor, isLiked: 0 });
}

/** The public feed, newest first. Its total is kept by triggers (migrations/0002). */
export async function listVideos(ctx: Ctx, query: PageQuery) {
  const { rows, listed } = await ctx.db.batch({
    rows: ctx.db
      .select(columnsFor(ctx.actor))
      .from(videos)
      .innerJoin(users, eq(users.id, videos.ownerId))
      .where(and(eq(videos.visibility, "public"), eq(users.accountStatus, "active")))
      .orderBy(desc(videos.id))
      .limit(query.limit)
      .offset(offsetOf(query)),
    listed: one(ctx.db.select({ total: listTotals.total }).from(listTotals).where(eq(listTotals.list, "videos"))),
  });
  return { videos: rows.map(toVideo), pagination: pagination(query, listed?.total ?? 0) };
}

/**
 * One person's videos, newest first; the private ones only for themself and admins.
 * @throws AppError NOT_FOUND when there is no such person, or their account is not active
 */
export async function listVideosOf(ctx: Ctx, ownerId: number, query: PageQuery) {
  const seesAll = isAdmin(ctx.actor) || actorId(ctx.actor) === ownerId;
  const { owner, rows } = await ctx.db.batch({
    owner: one(
      ctx.db
        .select({ accountStatus: users.accountStatus, total: seesAll ? users.videoCount : users.publicVideoCount })
        .from(users)
        .where(eq(users.id, ownerId)),
    ),
    rows: ctx.db
      .select(columnsFor(ctx.actor))
      .from(videos)
      .innerJoin(users, eq(users.id, videos.ownerId))
      .where(and(eq(videos.ownerId, ownerId), seesAll ? undefined : eq(videos.visibility, "public")))
      .orderBy(desc(videos.id))
      .limit(query.limit)
      .offset(offsetOf(query)),
  });
  if (!owner || (owner.accountStatus !== "active" && !seesAll)) throw new AppError("NOT_FOUND");
  return { videos: rows.map(toVideo), pagination: pagination(query, owner.total) };
}

const selectVideo = (ctx: Ctx, videoId: number) =>
  ctx.db
    .select(columnsFor(ctx.actor))
    .from(videos)
    .innerJoin(users, eq(users.id, videos.ownerId))
    .where(and(eq(videos.id, videoId), isVisibleTo(ctx.actor)));

/** @throws AppError NOT_FOUND also for a private one of somebody else */
export async function readVideo(ctx: Ctx, videoId: number): Promise<Video> {
  const [row] = await selectVideo(ctx, videoId);
  if (!row) throw new AppError("NOT_FOUND");
  return toVideo(row);
}

const isOwn = (ctx: UserCtx, videoId: number) => and(eq(videos.id, videoId), eq(videos.ownerId, ctx.actor.id));

/**
 * The owner changes what was named; the rest stays.
 * @throws AppError NOT_FOUND · FORBIDDEN for everyone else, admins too: they have `PUT /admin/videos/:id/visibility`; and for
 *   showing what an admin hides: then nothing is changed
 */
export async function updateVideo(ctx: UserCtx, videoId: number, input: UpdateVideo): Promise<Video> {
  const change = { title: input.title, description: input.description, visibility: input.visibility };
  const mayShow = input.visibility === "public" ? isNull(videos.hiddenAt) : undefined;
  const isEmpty = Object.values(change).every((value) => value === undefined);
  const { row } = await ctx.db.batch({
    ...(!isEmpty && {
      changed: ctx.db
        .update(videos)
        .set({ ...change, ...foldedVideo(change) })
        .where(and(isOwn(ctx, videoId), mayShow)),
    }),
    row: one(selectVideo(ctx, videoId)),
  });
  if (!row) throw new AppError("NOT_FOUND");
  if (row.video.ownerId !== ctx.actor.id) throw new AppError("FORBIDDEN", "Only its owner changes a video.");
  if (mayShow && row.video.hiddenAt) throw new AppError("FORBIDDEN", "An admin has hidden this video.");
  return toVideo(row);
}

/**
 * The owner takes a video down, with its likes, comments and views. Answers the row that is gone.
 * @throws AppError NOT_FOUND · FORBIDDEN for everyone else, admins too: theirs is `DELETE /admin/videos/:id`, with a reason
 */
export async function deleteVideo(ctx: UserCtx, videoId: number): Promise<Row> {
  const { seen, gone, pending } = await ctx.db.batch({
    seen: one(
      ctx.db
        .select({ id: videos.id })
        .from(videos)
        .where(and(eq(videos.id, videoId), isVisibleTo(ctx.actor))),
    ),
    gone: one(ctx.db.delete(videos).where(isOwn(ctx, videoId)).returning()),
    // Triggers delete its files' rows and leave the bytes to the outbox.
    pending: pendingDeletions(ctx),
  });
  deliverSoon(ctx, pending);
  if (gone) return gone;
  throw seen ? new AppError("FORBIDDEN", "Only its owner deletes a video.") : new AppError("NOT_FOUND");
}
