/** Files' metadata: looking them up, counting, deleting. How they are made: keep.ts. How they get another place: relocate.ts. */
import { and, count, desc, eq, or, type SQL, sql, sum } from "drizzle-orm";
import { pendingDeletions } from "../../bytes/deletions.ts";
import { quotaOf } from "../../bytes/quota.ts";
import { type Ctx, isAdmin, type UserCtx } from "../../context.ts";
import { one } from "../../db/batch.ts";
import { deliverSoon } from "../../db/outbox.ts";
import { offsetOf, type PageQuery, pagination } from "../../db/page.ts";
import { files, fileUsage } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import {
  belongsToVideo,
  findReadable,
  idAt,
  isAt,
  isIn,
  mayChange,
  mayRead,
  recordFiles,
  unchangeable,
} from "./access.ts";
import type { FileInfo, FilePath } from "./contract.ts";
import { toInfo } from "./info.ts";

export { auditedFile } from "./access.ts";
export { fileKeeper } from "./attachments.ts";
export { eraseUploadsOf } from "./erase.ts";
export { servedAs, toInfo, viewPath } from "./info.ts";
export { keepFile, nameById } from "./keep.ts";

/** @throws AppError NOT_FOUND · UNAUTHORIZED */
export async function readInfo(ctx: Ctx, path: FilePath): Promise<FileInfo> {
  return toInfo(ctx, await findReadable(ctx, path));
}

/** What I may see of a folder, newest first. */
export async function listFolder(ctx: UserCtx, folder: string, query: PageQuery) {
  const isSeen = and(isIn(folder), mayRead(ctx));
  const { rows, total } = await ctx.db.batch({
    rows: ctx.db.select().from(files).where(isSeen).orderBy(desc(files.id)).limit(query.limit).offset(offsetOf(query)),
    total: one(ctx.db.select({ total: count() }).from(files).where(isSeen)),
  });
  return { folder, files: rows.map((row) => toInfo(ctx, row)), pagination: pagination(query, total?.total ?? 0) };
}

const totals = { fileCount: count(), size: sql<number>`${sum(files.size)}`.mapWith(Number) };

/** Of the files in it that I may see. */
export async function readFolderSize(ctx: UserCtx, folder: string) {
  const [row] = await ctx.db
    .select(totals)
    .from(files)
    .where(and(isIn(folder), mayRead(ctx)));
  return { folder, fileCount: row?.fileCount ?? 0, size: row?.size ?? 0 };
}

/** Of my own files; an admin's are everybody's. */
export async function readStatistics(ctx: UserCtx) {
  const isMine = isAdmin(ctx.actor) ? undefined : eq(files.ownerId, ctx.actor.id);
  const { byCategory, byFolder, usage } = await ctx.db.batch({
    byCategory: ctx.db
      .select({ category: files.category, ...totals })
      .from(files)
      .where(isMine)
      .groupBy(files.category),
    byFolder: ctx.db
      // One of its spellings stands for a folder.
      .select({ folder: sql<string>`min(${files.folder})`, ...totals })
      .from(files)
      .where(isMine)
      .groupBy(sql`coalesce(${files.folderFolded}, ${files.folder})`)
      .orderBy(sql`1`),
    usage: one(readUsage(ctx, ctx.actor.id)),
  });
  const none = { fileCount: 0, size: 0 };
  const ofCategory = Object.fromEntries(byCategory.map(({ category, ...rest }) => [category, rest]));
  const { document = none, image = none, video = none, audio = none, archive = none } = ofCategory;
  return {
    totalFiles: byCategory.reduce((all, row) => all + row.fileCount, 0),
    totalSize: byCategory.reduce((all, row) => all + row.size, 0),
    byCategory: { document, image, video, audio, archive },
    byFolder,
    quota: { usedBytes: usage?.bytes ?? 0, reservedBytes: usage?.reserved ?? 0, maxBytes: quotaOf(ctx.config) },
  };
}

/** What a user's files take, and what their uploads may still come to; none: nothing. A query, for a batch. */
export const readUsage = (ctx: Ctx, userId: number) =>
  ctx.db
    .select({ fileCount: fileUsage.fileCount, bytes: fileUsage.bytes, reserved: fileUsage.reserved })
    .from(fileUsage)
    .where(eq(fileUsage.userId, userId));

/**
 * Deletes a file of mine; its bytes go with the last row on them. An admin's deletion of somebody's file takes its copies
 * along, whosever they are.
 * @throws AppError NOT_FOUND · FORBIDDEN somebody else's public file · CONFLICT the file is a video's: delete the video
 */
export async function deleteFile(ctx: UserCtx, path: FilePath): Promise<void> {
  const isMine = and(isAt(path), mayChange(ctx));
  const isCopy = sql`${files.key} = (SELECT o.key FROM files o WHERE o.id = ${idAt(path)} AND o.owner_id <> ${ctx.actor.id})`;
  const isGoing = and(isAdmin(ctx.actor) ? or(isMine, isCopy) : isMine, sql`NOT (${belongsToVideo})`);
  const { known, pending } = await ctx.db.batch({
    known: one(
      ctx.db
        .select({ isVideo: sql<number>`(${belongsToVideo})` })
        .from(files)
        .where(isMine),
    ),
    audited: recordFiles(ctx, "delete", isGoing),
    gone: ctx.db.delete(files).where(isGoing),
    pending: pendingDeletions(ctx),
  });
  if (!known) throw await unchangeable(ctx, path);
  deliverSoon(ctx, pending);
  if (known.isVideo === 1) throw new AppError("CONFLICT", "The file belongs to a video.");
}

/**
 * Which rows an admin's deletion of a file takes: it and its copies, whosever they are. None if a video shows it: that one is
 * deleted.
 */
export const fileWithCopies = (id: string): SQL => sql`(${files.key} = (SELECT o.key FROM files o WHERE o.id = ${id})
  AND NOT EXISTS (SELECT 1 FROM files same WHERE same.key = ${files.key} AND EXISTS
    (SELECT 1 FROM videos v WHERE v.file_id = same.id OR v.thumb_file_id = same.id)))`;
