/** Comments: writing, reading, deleting. A reply is a comment with a parent. */
import { and, desc, eq, type SQL, sql } from "drizzle-orm";
import { logEach, recordEach } from "../../auth/audit.ts";
import { mentionsIn, usersNamed } from "../../auth/mentions.ts";
import { type Ctx, isModerator, type UserCtx } from "../../context.ts";
import { one } from "../../db/batch.ts";
import { jsonObject } from "../../db/json.ts";
import { deliverSoon, pendingFor } from "../../db/outbox.ts";
import { offsetOf, type PageQuery, pagination } from "../../db/page.ts";
import { comments, users, videos } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { notify } from "../notifications/service.ts";
import { brief, briefColumns } from "../users/service.ts";
import { isVisibleTo } from "../videos/service.ts";
import type { Comment, WriteComment } from "./contract.ts";

/** People whom one comment tells that they are named. */
const MENTIONS_MAX = 10;

type Row = typeof comments.$inferSelect;

const toComment = (row: Row, author: Comment["author"]): Comment => ({
  id: row.id,
  videoId: row.videoId,
  authorId: row.authorId,
  author: brief(author),
  parentId: row.parentId,
  content: row.content,
  createdAt: row.createdAt.toISOString(),
});

/**
 * Writes a comment, or a reply with `parentId`. The video's owner, the parent's author and who is mentioned are notified,
 * each once.
 * @throws AppError NOT_FOUND no such video, or no such comment on it
 */
export async function writeComment(ctx: UserCtx, input: WriteComment): Promise<Comment> {
  const me = ctx.actor.id;
  const { videoId, content, parentId = null } = input;
  const hasParent = sql`EXISTS (SELECT 1 FROM comments parent WHERE parent.id = ${parentId} AND parent.video_id = ${videoId})`;
  // Read once, unlike last_insert_rowid(), which moves on with every notification.
  const written = sql`(SELECT max(id) FROM comments WHERE author_id = ${me})`;
  const isOfThis = sql`n.type IN ('comment', 'reply', 'mention') AND n.ref_id = ${written}`;
  const { made, pending } = await ctx.db.batch({
    made: one(
      ctx.db
        .insert(comments)
        .select(
          sql`SELECT NULL, ${videos.id}, ${me}, ${parentId}, ${content}, ${ctx.now.getTime()} FROM ${videos}
          WHERE ${videos.id} = ${videoId} AND ${isVisibleTo(ctx.actor)} ${parentId === null ? sql`` : sql`AND ${hasParent}`}`,
        )
        .returning(),
    ),
    ...notify(ctx, { who: whoIsTold(input, written), onlyAfter: "made", made: isOfThis }),
    pending: pendingFor(
      ctx,
      sql`SELECT 'user:' || n.user_id FROM notifications n WHERE n.actor_id = ${me} AND ${isOfThis}`,
    ),
  });
  if (!made) throw new AppError("NOT_FOUND");
  deliverSoon(ctx, pending);
  return toComment(made, ctx.actor);
}

/**
 * One notification for each person, the most specific: being named, before being answered, before having one's video
 * commented. Who may not see the video (any more) hears nothing of it.
 */
function whoIsTold({ videoId, content, parentId = null }: WriteComment, written: SQL): SQL {
  return sql`SELECT person.user_id, CASE min(person.distance) WHEN 1 THEN 'mention' WHEN 2 THEN 'reply' ELSE 'comment' END AS type,
      ${written} AS ref_id, 'video' AS target_type, v.id AS target_id, v.title AS target_title
    FROM (
      SELECT user_id, 1 AS distance FROM ${usersNamed(mentionsIn(content, MENTIONS_MAX))}
      UNION ALL SELECT parent.author_id, 2 FROM comments parent WHERE parent.id = ${parentId}
      UNION ALL SELECT owned.owner_id, 3 FROM videos owned WHERE owned.id = ${videoId}
    ) person
    JOIN users u ON u.id = person.user_id
    JOIN videos v ON v.id = ${videoId}
    WHERE changes() > 0 AND u.account_status = 'active'
      AND (v.visibility = 'public' OR v.owner_id = u.id OR u.role = 'admin')
    GROUP BY person.user_id`;
}

/** A video's comments, replies among them, newest first. */
export async function listComments(ctx: Ctx, videoId: number, query: PageQuery) {
  const isOfVideo = and(eq(videos.id, videoId), isVisibleTo(ctx.actor));
  const { video, rows } = await ctx.db.batch({
    video: one(ctx.db.select({ total: videos.comments }).from(videos).where(isOfVideo)),
    rows: ctx.db
      .select({ comment: comments, author: briefColumns })
      .from(comments)
      .innerJoin(videos, eq(videos.id, comments.videoId))
      .innerJoin(users, eq(users.id, comments.authorId))
      .where(and(eq(comments.videoId, videoId), isOfVideo))
      .orderBy(desc(comments.id))
      .limit(query.limit)
      .offset(offsetOf(query)),
  });
  if (!video) throw new AppError("NOT_FOUND");
  return {
    comments: rows.map(({ comment, author }) => toComment(comment, author)),
    pagination: pagination(query, video.total),
  };
}

/**
 * Its author, the video's owner and moderators delete a comment; the replies to it go along, and theirs. Every row that
 * goes is counted down by the trigger. `reason`: of an admin, whose deed it is then, whosever the comment is.
 * @throws AppError NOT_FOUND · FORBIDDEN
 */
export async function deleteComment(ctx: UserCtx, commentId: number, reason?: string): Promise<void> {
  const me = ctx.actor.id;
  const mayDelete = isModerator(ctx.actor) ? sql`1` : sql`(${comments.authorId} = ${me} OR ${videos.ownerId} = ${me})`;
  const found = sql`${comments.id} = ${commentId} AND ${isVisibleTo(ctx.actor)}`;
  const isByRole = reason === undefined ? sql`${comments.authorId} <> ${me} AND ${videos.ownerId} <> ${me}` : sql`1`;
  const { comment, gone } = await ctx.db.batch({
    comment: one(
      ctx.db.select({ id: comments.id }).from(comments).innerJoin(videos, eq(videos.id, comments.videoId)).where(found),
    ),
    audited: recordEach(ctx, {
      action: "delete",
      targetType: "comment",
      id: comments.id,
      from: sql`${comments} JOIN ${videos} ON ${videos.id} = ${comments.videoId}
        WHERE ${found} AND ${mayDelete} AND ${isByRole}`,
      reason,
      details: jsonObject({ authorId: comments.authorId, videoId: comments.videoId }),
    }),
    gone: ctx.db
      .delete(comments)
      .where(
        sql`id IN (WITH RECURSIVE thread (id) AS (
          SELECT ${comments.id} FROM ${comments} JOIN ${videos} ON ${videos.id} = ${comments.videoId}
            WHERE ${found} AND ${mayDelete}
          UNION SELECT reply.id FROM comments reply JOIN thread ON reply.parent_id = thread.id
        ) SELECT id FROM thread)`,
      )
      .returning({ id: comments.id }),
  });
  if (!comment) throw new AppError("NOT_FOUND");
  if (gone.length === 0) throw new AppError("FORBIDDEN", "Only its author and the video's owner delete a comment.");
  if (reason !== undefined) logEach(ctx, "delete", "comment", [commentId]);
}
