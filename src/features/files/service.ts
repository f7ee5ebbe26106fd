/** Files' metadata: looking them up, moving, copying, deleting. Objects in R2 never change; see migrations/0004_files.sql. */
import { and, count, desc, eq, type SQL, sql, sum } from "drizzle-orm";
import { v7 } from "uuid";
import { pendingDeletions } from "../../bytes/deletions.ts";
import { kindOf } from "../../bytes/kinds.ts";
import type { Served } from "../../bytes/serve.ts";
import { ifPending, requireSettled, settle } from "../../bytes/store.ts";
import type { Received } from "../../bytes/store-form.ts";
import { type Ctx, isAdmin, type UserCtx } from "../../context.ts";
import { one } from "../../db/batch.ts";
import { deliverSoon } from "../../db/outbox.ts";
import { offsetOf, type PageQuery, pagination } from "../../db/page.ts";
import { files } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { fold } from "../../text.ts";
import { belongsToVideo, type FileRow, findReadable, isAt, isIn, mayChange, mayRead, unchangeable } from "./access.ts";
import type { FileInfo, FilePath, Relocate, UploadFields } from "./contract.ts";

/** Where a file opens, for whoever may see it. */
export const viewUrl = ({ folder, name }: { folder: string; name: string }): string =>
  `/api/v1/files/view/${encodeURIComponent(folder)}/${encodeURIComponent(name)}`;

export const toInfo = (row: FileRow): FileInfo => ({
  id: row.id,
  folder: row.folder,
  name: row.name,
  originalName: row.originalName,
  category: row.category,
  mimeType: row.mimeType,
  size: row.size,
  sha256: row.sha256,
  visibility: row.visibility,
  url: viewUrl(row),
  createdAt: row.createdAt.toISOString(),
});

/** Public files may be kept for a while; private ones by nobody but their reader, who asks again each time. */
const cacheControl = ({ visibility }: FileRow): string =>
  visibility === "public" ? "public, max-age=300" : "private, no-cache";

/** A file as it goes out. */
export const servedAs = (row: FileRow, disposition: Served["disposition"]): Served => ({
  key: row.key,
  size: row.size,
  etag: row.sha256,
  mimeType: row.mimeType,
  filename: row.originalName,
  disposition,
  modifiedAt: row.createdAt,
  cacheControl: cacheControl(row),
});

type Place = Pick<UploadFields, "folder" | "visibility">;

/**
 * The statements that make a stored object a file, for the batch of what else depends on it. The first returns the row, or
 * none if the upload was swept or its owner is gone or banned by now.
 * @param isWanted holds as long as nobody has given the object up
 */
export function keepFile(
  ctx: UserCtx,
  received: Omit<Received, "field">,
  { folder, visibility }: Place,
  isWanted: SQL = ifPending(received.key),
) {
  const { key, size, sha256, originalName, kind } = received;
  const id = v7();
  const name = `${id}.${kind.extension}`;
  const insert = ctx.db
    .insert(files)
    .select(
      sql`SELECT ${id}, u.id, ${folder}, ${name}, ${originalName}, ${kind.category}, ${kind.mimeType}, ${size}, ${sha256},
        ${visibility}, ${key}, ${ctx.now.getTime()}, ${fold(folder)}, ${fold(name)}, 1
        FROM users u WHERE u.id = ${ctx.actor.id} AND u.account_status = 'active' AND u.banned_at IS NULL
        AND ${isWanted}`,
    )
    .returning();
  return { id, name, insert, settle: settle(ctx, key) };
}

/** @throws AppError CONFLICT the upload was swept, or its owner is gone; nothing is left of it then */
export async function makeFile(ctx: UserCtx, received: Received, place: Place): Promise<FileInfo> {
  const kept = keepFile(ctx, received, place);
  const { row } = await ctx.db.batch({ row: one(kept.insert), settled: kept.settle });
  return toInfo(await requireSettled(ctx, received.key, row));
}

/** @throws AppError NOT_FOUND · UNAUTHORIZED */
export async function readInfo(ctx: Ctx, path: FilePath): Promise<FileInfo> {
  return toInfo(await findReadable(ctx, path));
}

/** What I may see of a folder, newest first. */
export async function listFolder(ctx: UserCtx, folder: string, query: PageQuery) {
  const isSeen = and(isIn(folder), mayRead(ctx));
  const { rows, total } = await ctx.db.batch({
    rows: ctx.db.select().from(files).where(isSeen).orderBy(desc(files.id)).limit(query.limit).offset(offsetOf(query)),
    total: one(ctx.db.select({ total: count() }).from(files).where(isSeen)),
  });
  return { folder, files: rows.map(toInfo), pagination: pagination(query, total?.total ?? 0) };
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
  const { byCategory, byFolder } = await ctx.db.batch({
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
  });
  const none = { fileCount: 0, size: 0 };
  const ofCategory = Object.fromEntries(byCategory.map(({ category, ...rest }) => [category, rest]));
  const { document = none, image = none, video = none, audio = none, archive = none } = ofCategory;
  return {
    totalFiles: byCategory.reduce((all, row) => all + row.fileCount, 0),
    totalSize: byCategory.reduce((all, row) => all + row.size, 0),
    byCategory: { document, image, video, audio, archive },
    byFolder,
  };
}

const targetOf = ({ file, targetFolder, targetFile = file }: Relocate): FilePath => {
  if (kindOf(targetFile).mimeType !== kindOf(file).mimeType) {
    throw new AppError("UNSUPPORTED_MEDIA_TYPE", "A new name keeps the type.");
  }
  return { folder: targetFolder, file: targetFile };
};

/**
 * Moves or renames a file of mine.
 * @throws AppError NOT_FOUND · FORBIDDEN somebody else's public file · CONFLICT the place is taken, or the file is a video's ·
 *   UNSUPPORTED_MEDIA_TYPE another type
 */
export async function moveFile(ctx: UserCtx, input: Relocate): Promise<FileInfo> {
  const to = targetOf(input);
  const isMine = and(isAt(input), mayChange(ctx));
  const [folder, name] = [fold(to.folder), fold(to.file)];
  const isFree = sql`NOT EXISTS (SELECT 1 FROM files t WHERE t.folder = ${to.folder} AND t.name = ${to.file} AND t.id <> files.id)
    AND NOT EXISTS (SELECT 1 FROM files t WHERE t.folder_folded = ${folder} AND t.name_folded = ${name} AND t.id <> files.id)`;
  const { known, moved } = await ctx.db.batch({
    known: one(ctx.db.select({ id: files.id }).from(files).where(isMine)),
    moved: one(
      ctx.db
        .update(files)
        .set({ folder: to.folder, name: to.file, folderFolded: folder, nameFolded: name, isFolded: true })
        .where(and(isMine, isFree, sql`NOT (${belongsToVideo})`))
        .returning(),
    ),
  });
  if (!known) throw await unchangeable(ctx, input);
  if (!moved) throw new AppError("CONFLICT", "There is such a file already, or the file belongs to a video.");
  return toInfo(moved);
}

/**
 * Copies a file that I may see; the copy is mine. No byte moves: it is a second row on the same object.
 * @throws AppError NOT_FOUND · CONFLICT the place is taken · UNSUPPORTED_MEDIA_TYPE another type
 */
export async function copyFile(ctx: UserCtx, input: Relocate): Promise<FileInfo> {
  const to = targetOf(input);
  const isSeen = and(isAt(input), mayRead(ctx));
  const { known, copied } = await ctx.db.batch({
    known: one(ctx.db.select({ id: files.id }).from(files).where(isSeen)),
    copied: one(
      ctx.db
        .insert(files)
        .select(
          sql`SELECT ${v7()}, ${ctx.actor.id}, ${to.folder}, ${to.file}, original_name, category, mime_type, size, sha256,
          visibility, key, ${ctx.now.getTime()}, ${fold(to.folder)}, ${fold(to.file)}, 1 FROM files WHERE ${isSeen}`,
        )
        .onConflictDoNothing()
        .returning(),
    ),
  });
  if (!known) throw new AppError("NOT_FOUND");
  if (!copied) throw new AppError("CONFLICT", "There is such a file already.");
  return toInfo(copied);
}

/**
 * Deletes a file of mine; its bytes go with the last row on them.
 * @throws AppError NOT_FOUND · FORBIDDEN somebody else's public file · CONFLICT the file is a video's: delete the video
 */
export async function deleteFile(ctx: UserCtx, path: FilePath): Promise<void> {
  const isMine = and(isAt(path), mayChange(ctx));
  const { known, deleted, pending } = await ctx.db.batch({
    known: one(ctx.db.select({ id: files.id }).from(files).where(isMine)),
    deleted: one(
      ctx.db
        .delete(files)
        .where(and(isMine, sql`NOT (${belongsToVideo})`))
        .returning({ id: files.id }),
    ),
    pending: pendingDeletions(ctx),
  });
  if (!known) throw await unchangeable(ctx, path);
  if (!deleted) throw new AppError("CONFLICT", "The file belongs to a video.");
  deliverSoon(ctx, pending);
}

/**
 * The statement that deletes all files of a user, for the batch that erases them; triggers do the rest. Put
 * `pendingDeletions(ctx)` at the batch's end and `deliverSoon` its rows, and the bytes are gone with the answer.
 */
export const deleteFilesOf = (ctx: Ctx, userId: number) => ctx.db.delete(files).where(eq(files.ownerId, userId));
