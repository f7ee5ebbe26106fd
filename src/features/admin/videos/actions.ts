/** What admins do to videos: hiding, showing, deleting one or many. */
import { and, eq, type SQL, sql } from "drizzle-orm";
import { logEach, recordEach } from "../../../auth/audit.ts";
import { pendingDeletions } from "../../../bytes/deletions.ts";
import type { UserCtx } from "../../../context.ts";
import { one } from "../../../db/batch.ts";
import { inList, jsonObject } from "../../../db/json.ts";
import { deliverSoon, enqueueSelect, pendingFor } from "../../../db/outbox.ts";
import { files, videos } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import { frameFor } from "../../../hub/client.ts";
import { notify } from "../../notifications/service.ts";
import type { BulkDone } from "../base-contract.ts";

/**
 * Hides or shows a video, with all videos and files of the same bytes. What an admin hides nobody but an admin shows again,
 * also if its owner had made it private before.
 * @throws AppError NOT_FOUND
 */
export async function setVisibility(ctx: UserCtx, videoId: number, visibility: "public" | "private"): Promise<string> {
  const isHiding = visibility === "private";
  const isOtherwise = sql`(${videos.visibility} <> ${visibility} OR (${videos.hiddenAt} IS NULL) = ${isHiding ? 1 : 0})`;
  const where = and(inList(videos.id, await withCopies(ctx, [videoId])), isOtherwise);
  const hiddenAt = isHiding ? ctx.now : null;
  const { changed, video } = await ctx.db.batch({
    audited: recordEach(ctx, {
      action: "visibility",
      targetType: "video",
      id: videos.id,
      from: sql`videos WHERE ${where}`,
      details: jsonObject({ from: sql`videos.visibility`, to: visibility }),
    }),
    changed: ctx.db.update(videos).set({ visibility, hiddenAt }).where(where).returning({ id: videos.id }),
    copies: ctx.db
      .update(files)
      .set({ hiddenAt })
      .where(hasBytesOf([videoId])),
    video: one(ctx.db.select({ id: videos.id }).from(videos).where(eq(videos.id, videoId))),
  });
  if (!video) throw new AppError("NOT_FOUND");
  logEach(
    ctx,
    "visibility",
    "video",
    changed.map((row) => row.id),
  );
  return changed.length > 0 ? "Visibility updated" : `Video is ${visibility} already`;
}

/** Files on the same objects as these videos and their pictures: copies are rows of their own (features/files). */
const hasBytesOf = (ids: number[]): SQL => sql`${files.key} IN (
  SELECT f.key FROM videos v JOIN files f ON f.id IN (v.file_id, v.thumb_file_id) WHERE ${inList(sql`v.id`, ids)})`;

/** These videos, and those that show the very same bytes. */
async function withCopies(ctx: UserCtx, ids: number[]): Promise<number[]> {
  const copies = await ctx.db
    .select({ id: videos.id })
    .from(videos)
    .innerJoin(files, eq(files.id, videos.fileId))
    .where(
      sql`${files.key} IN (SELECT f.key FROM videos v JOIN files f ON f.id = v.file_id WHERE ${inList(sql`v.id`, ids)})`,
    );
  return [...new Set([...ids, ...copies.map(({ id }) => id)])];
}

/** @throws AppError NOT_FOUND */
export async function deleteVideo(ctx: UserCtx, videoId: number, reason: string): Promise<string> {
  const { notFound } = await deleteVideos(ctx, [videoId], reason);
  if (notFound.length > 0) throw new AppError("NOT_FOUND");
  return "Video deleted";
}

/**
 * Deletes up to 100 videos in one transaction, and all videos and files of the same bytes. The rows take their likes,
 * comments and files along (by triggers); each owner gets `admin:video_deleted` and a notification.
 */
export async function deleteVideos(ctx: UserCtx, named: number[], reason: string): Promise<BulkDone> {
  const ids = await withCopies(ctx, named);
  const isMeant = inList(sql`videos.id`, ids);
  const meant = sql`videos WHERE ${isMeant}`;
  const owners = sql`SELECT 'user:' || videos.owner_id FROM ${meant}`;
  // Whom to tell is read before the rows are gone.
  const { told, deleted, orphans, bytes } = await ctx.db.batch({
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
    copies: ctx.db.delete(files).where(hasBytesOf(ids)),
    deleted: ctx.db.delete(videos).where(isMeant).returning({ id: videos.id }),
    orphans: pendingFor(ctx, sql`SELECT 'orphans:' || value FROM json_each(${JSON.stringify(ids)})`),
    bytes: pendingDeletions(ctx),
  });
  const gone = deleted.map((row) => row.id);
  logEach(ctx, "delete", "video", gone);
  deliverSoon(ctx, [...told, ...orphans, ...bytes]);
  return {
    success: true,
    message: `${gone.length} ${gone.length === 1 ? "video" : "videos"} deleted`,
    notFound: named.filter((id) => !gone.includes(id)),
    skipped: [],
  };
}

/** The notifications of this very call: the rows that they are about are still there. */
const madeFor = (type: string, meant: SQL): SQL => sql`n.type = ${type} AND n.ref_id IN (SELECT id FROM ${meant})`;
