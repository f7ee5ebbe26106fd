/** Videos whose bytes are here: uploaded with the video, or before it as a file. The bytes go with the video, by trigger. */
import { and, eq, isNull, type SQL, sql } from "drizzle-orm";
import { erase, ifPending, settle } from "../../bytes/store.ts";
import { discardAll, type Received, type Source, storeForm } from "../../bytes/store-form.ts";
import type { UserCtx } from "../../context.ts";
import { one } from "../../db/batch.ts";
import { foldedVideo } from "../../db/folding.ts";
import { files, videos } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { badField } from "../../input.ts";
import { keepFile, nameById, viewPath } from "../files/service.ts";
import { type CreateVideo, type NewVideo, type PublishFile, type Video, VideoFields } from "./contract.ts";
import { createVideo, toVideo } from "./service.ts";

/** Where the files of uploaded videos are among their owner's files. */
const FOLDER = "videos";

type Details = Pick<CreateVideo, "title" | "description" | "visibility" | "duration">;
type Parts = { fileId: string; thumb: { id: string; url: string } | undefined };

/** The statements that publish a file, if it `isReady`; the second answers the row. The URL needs the id, hence two. */
function publish(ctx: UserCtx, details: Details, { fileId, thumb }: Parts, isReady: SQL) {
  const { title, description = null, visibility, duration = null } = details;
  const { titleFolded = null, descriptionFolded = null } = foldedVideo(details);
  return {
    inserted: ctx.db.run(sql`
      INSERT INTO videos (owner_id, title, title_folded, description, description_folded, is_folded, video_url, thumb_url,
        file_id, thumb_file_id, visibility, duration, created_at)
      SELECT ${ctx.actor.id}, ${title}, ${titleFolded}, ${description}, ${descriptionFolded}, 1, '', ${thumb?.url ?? null}, ${fileId}, ${thumb?.id ?? null},
        ${visibility}, ${duration}, ${ctx.now.getTime()} WHERE ${isReady}`),
    video: ctx.db
      .update(videos)
      .set({ videoUrl: sql`'/api/v1/videos/' || id || '/content'` })
      .where(and(eq(videos.fileId, fileId), eq(videos.videoUrl, "")))
      .returning(),
  };
}

const shown = (ctx: UserCtx, video: typeof videos.$inferSelect): Video =>
  toVideo({ video, owner: ctx.actor, isLiked: 0 });

/**
 * Stores a form's `file` and `thumb`, and publishes them in one transaction.
 * @throws AppError INVALID_REQUEST · UNSUPPORTED_MEDIA_TYPE · PAYLOAD_TOO_LARGE; then nothing is left of either
 */
export async function publishUpload(ctx: UserCtx, source: Source): Promise<Video> {
  const { fields, outcomes } = await storeForm(ctx, source, VideoFields, {
    files: { file: "video", thumb: "image" },
    maxFiles: 2,
  });
  const received = outcomes.flatMap((outcome) => ("received" in outcome ? [outcome.received] : []));
  const [file, ...more] = received.filter(({ field }) => field === "file");
  const [thumb, ...moreThumbs] = received.filter(({ field }) => field === "thumb");
  if (!file || more.length > 0 || moreThumbs.length > 0) {
    await discardAll(ctx, outcomes);
    throw badField("file", "is needed, once");
  }
  return publishStored(ctx, fields, file, thumb);
}

/** All or nothing: one of the two that was swept keeps the other from being kept. */
async function publishStored(ctx: UserCtx, details: Details, file: Received, thumb: Received | undefined) {
  const place = { folder: FOLDER, visibility: details.visibility };
  const stored = thumb ? [file, thumb] : [file];
  const arePending = sql.join(
    stored.map(({ key }) => ifPending(key)),
    sql` AND `,
  );
  const kept = await keepFile(ctx, file, place, { isWanted: arePending, isNamedById: true });
  const isReady = sql`EXISTS (SELECT 1 FROM files WHERE id = ${kept.id})`;
  const keptThumb = thumb && (await keepFile(ctx, thumb, place, { isWanted: isReady, isNamedById: true }));
  const parts = {
    fileId: kept.id,
    thumb: keptThumb && {
      id: keptThumb.id,
      url: viewPath({ folder: FOLDER, name: nameById(keptThumb.id, thumb.kind) }),
    },
  };
  const { inserted, video: answered } = publish(ctx, details, parts, isReady);
  const { video } = await ctx.db.batch({
    kept: kept.insert,
    recorded: kept.record,
    inserted,
    video: one(answered),
    ...(keptThumb && { keptThumb: keptThumb.insert, recordedThumb: keptThumb.record }),
    settled: settle(ctx, file.key),
    ...(thumb && { settledThumb: settle(ctx, thumb.key) }),
  });
  if (video) return shown(ctx, video);
  for (const { key } of stored) await erase(ctx, key, null);
  throw new AppError("CONFLICT", "The upload was given up.");
}

/**
 * Publishes what lies elsewhere, or a file that is here.
 * @throws AppError see publishFile
 */
export async function publishVideo(ctx: UserCtx, { fileId, videoUrl, ...details }: NewVideo): Promise<Video> {
  if (fileId !== undefined) return publishFile(ctx, { ...details, fileId });
  // The schema takes one of the two.
  return createVideo(ctx, { ...details, videoUrl: videoUrl ?? "" });
}

/**
 * Publishes a file that is already here. From now on it is the video's: it is seen by whoever sees the video, and goes
 * with it.
 * @throws AppError NOT_FOUND no file of mine · UNSUPPORTED_MEDIA_TYPE no video · FORBIDDEN an admin has hidden its bytes ·
 *   CONFLICT it is a video's already
 */
async function publishFile(ctx: UserCtx, { fileId, ...details }: PublishFile): Promise<Video> {
  const isMine = and(eq(files.id, fileId), eq(files.ownerId, ctx.actor.id));
  const isReady = sql`EXISTS (SELECT 1 FROM files WHERE ${and(isMine, eq(files.category, "video"), isNull(files.hiddenAt))})
    AND NOT EXISTS (SELECT 1 FROM videos WHERE file_id = ${fileId})`;
  const { inserted, video: answered } = publish(ctx, details, { fileId, thumb: undefined }, isReady);
  const { file, video } = await ctx.db.batch({
    file: one(ctx.db.select({ category: files.category, hiddenAt: files.hiddenAt }).from(files).where(isMine)),
    inserted,
    video: one(answered),
    shown: ctx.db
      .update(files)
      .set({ visibility: sql`(SELECT visibility FROM videos WHERE file_id = ${fileId})` })
      .where(and(isMine, sql`EXISTS (SELECT 1 FROM videos WHERE file_id = ${fileId})`)),
  });
  if (!file) throw new AppError("NOT_FOUND", "There is no such file.");
  if (file.category !== "video") throw new AppError("UNSUPPORTED_MEDIA_TYPE", "The file is no video.");
  if (file.hiddenAt) throw new AppError("FORBIDDEN", "An admin has hidden this file.");
  if (!video) throw new AppError("CONFLICT", "The file is a video's already.");
  return shown(ctx, video);
}
