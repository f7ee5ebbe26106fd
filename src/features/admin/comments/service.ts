/** Comments as admins see them: the list. What deletes one is everybody's (features/comments). */
import { and, eq, sql } from "drizzle-orm";
import type { UserCtx } from "../../../context.ts";
import { searched } from "../../../db/folding.ts";
import { offsetOf, pagination } from "../../../db/page.ts";
import { comments, users, videos } from "../../../db/tables.ts";
import { countMatches, hasPart } from "../search.ts";
import type { CommentListQuery } from "./contract.ts";

/** One round trip, in the order of the key: ids grow with time. */
export async function listComments(ctx: UserCtx, query: CommentListQuery) {
  const found = hasPart([comments.content, users.username, searched.title], query.search);
  const isOfVideo = query.video_id === undefined ? undefined : eq(comments.videoId, query.video_id);
  const where = and(isOfVideo, found) ?? sql`true`;
  const joined = sql`${comments} LEFT JOIN ${users} ON ${users.id} = ${comments.authorId}
    LEFT JOIN ${videos} ON ${videos.id} = ${comments.videoId}`;
  const { rows, counted } = await ctx.db.batch({
    rows: ctx.db
      .select({ comment: comments, authorUsername: users.username, videoTitle: videos.title })
      .from(comments)
      .leftJoin(users, eq(users.id, comments.authorId))
      .leftJoin(videos, eq(videos.id, comments.videoId))
      .where(where)
      .orderBy(sql`${comments.id} ${sql.raw(query.order)}`)
      .limit(query.limit)
      .offset(offsetOf(query)),
    counted: countMatches(ctx, sql`${found ? joined : comments} WHERE ${where}`),
  });
  const items = rows.map(({ comment, ...names }) => ({
    ...comment,
    ...names,
    createdAt: comment.createdAt.toISOString(),
  }));
  return { comments: items, pagination: pagination(query, counted?.total ?? 0) };
}
