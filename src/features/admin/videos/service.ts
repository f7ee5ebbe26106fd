/** Videos as admins see them: the list, and one with all that is known. */
import { and, count, desc, eq, inArray, type SQL, sql } from "drizzle-orm";
import type { UserCtx } from "../../../context.ts";
import { one } from "../../../db/batch.ts";
import { searched } from "../../../db/folding.ts";
import { offsetOf, pagination } from "../../../db/page.ts";
import { comments, reports, statsTotals, users, videos } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import { readReports, toReportItem } from "../reports/service.ts";
import { countMatches, type Searchable, searchPage } from "../search.ts";
import type { VideoDetails, VideoItem, VideoListQuery } from "./contract.ts";

const columns = {
  id: videos.id,
  title: videos.title,
  description: videos.description,
  videoUrl: videos.videoUrl,
  thumbUrl: videos.thumbUrl,
  visibility: videos.visibility,
  ownerId: videos.ownerId,
  ownerUsername: users.username,
  ownerAvatar: users.avatarUrl,
  views: videos.views,
  likes: videos.likes,
  comments: videos.comments,
  shares: videos.shares,
  createdAt: videos.createdAt,
  duration: videos.duration,
};

type Row = Omit<VideoItem, "createdAt"> & { createdAt: Date };

export const toVideoItem = (row: Row): VideoItem => ({ ...row, createdAt: row.createdAt.toISOString() });

/** The newest videos that `where` holds for; a query, for a batch. */
export const readVideos = (ctx: UserCtx, where: SQL, limit: number) =>
  ctx.db
    .select(columns)
    .from(videos)
    .leftJoin(users, eq(users.id, videos.ownerId))
    .where(where)
    .orderBy(desc(videos.id))
    .limit(limit);

const SEARCHED: Searchable = {
  table: videos,
  id: videos.id,
  index: "videos_search",
  columns: [searched.title, searched.description],
};

const SORTS = {
  created_at: videos.createdAt,
  views: videos.views,
  likes: videos.likes,
  comments: videos.comments,
};

const { videos: all, videosPublic } = statsTotals;
// Written out, not bound, and word for word as in the migration: so SQLite sees that the partial indexes fit.
const FILTERS: Record<VideoListQuery["visibility"], { where: SQL | undefined; total: SQL<number> }> = {
  all: { where: undefined, total: sql`${all}` },
  public: { where: sql`${videos.visibility} <> 'private'`, total: sql`${videosPublic}` },
  private: { where: sql`${videos.visibility} <> 'public'`, total: sql`${all} - ${videosPublic}` },
};

/** A page of videos; costs as `listUsers`. */
export async function listVideos(ctx: UserCtx, query: VideoListQuery) {
  const { where: isShown, total } = FILTERS[query.visibility];
  const isTheirs = query.owner_id === undefined ? undefined : eq(videos.ownerId, query.owner_id);
  const where = and(isShown, isTheirs);
  const direction = sql.raw(query.order);
  const order = sql`${SORTS[query.sort_by]} ${direction}, ${videos.id} ${direction}`;
  const page = { filter: where, order, limit: query.limit, offset: offsetOf(query) };
  const found = query.search === "" ? undefined : await searchPage(ctx, SEARCHED, query.search, page);
  const ids =
    found?.ids ??
    ctx.db.select({ id: videos.id }).from(videos).where(where).orderBy(order).limit(page.limit).offset(page.offset);
  const { rows, counted } = await ctx.db.batch({
    rows: ctx.db
      .select(columns)
      .from(videos)
      .leftJoin(users, eq(users.id, videos.ownerId))
      .where(inArray(videos.id, ids))
      .orderBy(order),
    counted: isTheirs
      ? countMatches(ctx, sql`${videos} WHERE ${where}`)
      : one(ctx.db.select({ total }).from(statsTotals)),
  });
  return { videos: rows.map(toVideoItem), pagination: pagination(query, found?.total ?? counted?.total ?? 0) };
}

const RECENT = 20;

/** @throws AppError NOT_FOUND */
export async function readVideo(ctx: UserCtx, videoId: number): Promise<VideoDetails> {
  const isAbout = sql`${reports.targetType} = 'video' AND ${reports.targetId} = ${videoId}`;
  const { row, owner, reported, recentComments, recentReports } = await ctx.db.batch({
    row: one(readVideos(ctx, eq(videos.id, videoId), 1)),
    owner: one(
      ctx.db
        .select({ id: users.id, username: users.username, avatarUrl: users.avatarUrl })
        .from(videos)
        .innerJoin(users, eq(users.id, videos.ownerId))
        .where(eq(videos.id, videoId)),
    ),
    reported: one(ctx.db.select({ count: count() }).from(reports).where(isAbout)),
    recentComments: ctx.db
      .select({
        id: comments.id,
        authorId: comments.authorId,
        authorUsername: users.username,
        parentId: comments.parentId,
        content: comments.content,
        createdAt: comments.createdAt,
      })
      .from(comments)
      .leftJoin(users, eq(users.id, comments.authorId))
      .where(eq(comments.videoId, videoId))
      .orderBy(desc(comments.id))
      .limit(RECENT),
    recentReports: readReports(ctx, isAbout, RECENT),
  });
  if (!row) throw new AppError("NOT_FOUND");
  const { views, likes, shares } = row;
  return {
    video: toVideoItem(row),
    owner: owner ?? null,
    stats: { views, likes, comments: row.comments, shares, reports: reported?.count ?? 0 },
    recent_comments: recentComments.map((comment) => ({ ...comment, createdAt: comment.createdAt.toISOString() })),
    reports: recentReports.map(toReportItem),
  };
}
