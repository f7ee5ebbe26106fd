/** What admins do to videos: hiding, showing, deleting one or many. */
import { and, eq, ne, type SQL, sql } from "drizzle-orm";
import { pendingDeletions } from "../../../bytes/deletions.ts";
import type { UserCtx } from "../../../context.ts";
import { one } from "../../../db/batch.ts";
import { inList, jsonObject } from "../../../db/json.ts";
import { deliverSoon, enqueueSelect, pendingFor } from "../../../db/outbox.ts";
import { videos } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import { frameFor } from "../../../hub/client.ts";
import { notify } from "../../notifications/service.ts";
import { logEach, recordEach } from "../audit/service.ts";
import type { BulkDone } from "../base-contract.ts";

/** @throws AppError NOT_FOUND */
export async function setVisibility(ctx: UserCtx, videoId: number, visibility: "public" | "private"): Promise<string> {
  const where = and(eq(videos.id, videoId), ne(videos.visibility, visibility));
  const { changed, video } = await ctx.db.batch({
    audited: recordEach(ctx, {
      action: "visibility",
      targetType: "video",
      id: videos.id,
      from: sql`videos WHERE ${where}`,
      details: jsonObject({ from: sql`videos.visibility`, to: visibility }),
    }),
    changed: ctx.db.update(videos).set({ visibility }).where(where).returning({ id: videos.id }),
    video: one(ctx.db.select({ id: videos.id }).from(videos).where(eq(videos.id, videoId))),
  });
  if (!video) throw new AppError("NOT_FOUND");
  logEach(
    ctx,
    "visibility",
    "video",
    changed.map((row) => row.id),
  );
  return changed.length > 0 ? `Video is now ${visibility}` : `Video is ${visibility} already`;
}

/** @throws AppError NOT_FOUND */
export async function deleteVideo(ctx: UserCtx, videoId: number, reason: string): Promise<string> {
  const { notFound } = await deleteVideos(ctx, [videoId], reason);
  if (notFound.length > 0) throw new AppError("NOT_FOUND");
  return "Video deleted";
}

/**
 * Deletes up to 100 videos in one transaction. The rows take their likes, comments and files along (by triggers); each
 * owner gets `admin:video_deleted` and a notification.
 */
export async function deleteVideos(ctx: UserCtx, ids: number[], reason: string): Promise<BulkDone> {
  const isMeant = inList(sql`videos.id`, ids);
  const meant = sql`videos WHERE ${isMeant}`;
  const owners = sql`SELECT 'user:' || videos.owner_id FROM ${meant}`;
  // Whom to tell is read before the rows are gone.
  const { told, deleted, orphans, files } = await ctx.db.batch({
    audited: recordEach(ctx, {
      action: "delete",
      targetType: "video",
      id: videos.id,
      from: meant,
      reason,
      details: jsonObject({ title: sql`videos.title`, ownerId: sql`videos.owner_id` }),
    }),
    ...notify(ctx, {
      who: sql`SELECT videos.owner_id AS user_id, 'video_deleted' AS type, videos.id AS ref_id,
        'video' AS target_type, videos.id AS target_id, videos.title AS target_title FROM ${meant}`,
      made: madeFor("video_deleted", meant),
      isOfficial: true,
    }),
    enqueued: enqueueSelect(
      ctx,
      sql`SELECT 'user:' || videos.owner_id, ${frameFor("admin:video_deleted", {
        videoId: sql`videos.id`,
        reason,
        deletedAt: ctx.now.toISOString(),
      })} FROM ${meant}`,
    ),
    told: pendingFor(ctx, owners),
    deleted: ctx.db.delete(videos).where(isMeant).returning({ id: videos.id }),
    orphans: pendingFor(ctx, sql`SELECT 'orphans:' || value FROM json_each(${JSON.stringify(ids)})`),
    files: pendingDeletions(ctx),
  });
  const gone = deleted.map((row) => row.id);
  logEach(ctx, "delete", "video", gone);
  deliverSoon(ctx, [...told, ...orphans, ...files]);
  return {
    success: true,
    message: `${gone.length} ${gone.length === 1 ? "video" : "videos"} deleted`,
    notFound: ids.filter((id) => !gone.includes(id)),
    skipped: [],
  };
}

/** The notifications of this very call: the rows that they are about are still there. */
const madeFor = (type: string, meant: SQL): SQL => sql`n.type = ${type} AND n.ref_id IN (SELECT id FROM ${meant})`;
