/** Who may do what with a file: private ones exist for their owner and admins, public ones for everybody. */
import { and, eq, or, type SQL, sql } from "drizzle-orm";
import { actorId, type Ctx, isAdmin } from "../../context.ts";
import { files } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { fold } from "../../text.ts";
import type { FilePath } from "./contract.ts";

export type FileRow = typeof files.$inferSelect;

export const mayChange = (ctx: Ctx): SQL | undefined =>
  isAdmin(ctx.actor) ? undefined : eq(files.ownerId, actorId(ctx.actor));

/** Opens for anybody. */
const isPublic: SQL = eq(files.visibility, "public");

export const mayRead = (ctx: Ctx): SQL | undefined =>
  isAdmin(ctx.actor) ? undefined : or(eq(files.ownerId, actorId(ctx.actor)), isPublic);

/** A folder, as people read its name. What cron has not folded yet is found by its exact name. */
export const isIn = (folder: string): SQL =>
  sql`(${files.folderFolded} = ${fold(folder)} OR (${files.folderFolded} IS NULL AND ${files.folder} = ${folder}))`;

/** The one file at a path: of two that read alike, which only old ones can, the one that is called exactly so. */
export const isAt = ({ folder, file }: FilePath): SQL =>
  sql`${files.id} = (SELECT f.id FROM files f
    WHERE (f.folder = ${folder} AND f.name = ${file})
      OR (f.folder_folded = ${fold(folder)} AND f.name_folded = ${fold(file)})
    ORDER BY f.folder = ${folder} AND f.name = ${file} DESC LIMIT 1)`;

/** A video's file lives and dies with the video. */
export const belongsToVideo = sql`EXISTS (SELECT 1 FROM videos v WHERE v.file_id = files.id)
  OR EXISTS (SELECT 1 FROM videos v WHERE v.thumb_file_id = files.id)`;

/**
 * What to say about a file that cannot be seen: whether there is a private one is nobody's business, so it is the same as
 * for none.
 */
export const unseen = (ctx: Ctx): AppError =>
  new AppError(ctx.actor.kind === "anonymous" ? "UNAUTHORIZED" : "NOT_FOUND");

/** What to say about a file that cannot be changed: somebody else's is there for all to see if it is public. */
export async function unchangeable(ctx: Ctx, path: FilePath): Promise<AppError> {
  const [seen] = await ctx.db
    .select({ id: files.id })
    .from(files)
    .where(and(isAt(path), mayRead(ctx)));
  return seen ? new AppError("FORBIDDEN", "This is somebody else's file.") : unseen(ctx);
}

/** A file, and whether it opens for anybody who has its address. */
export type Found = { row: FileRow; isOpen: boolean };

/** The file at a path, if the caller may see it. */
export async function lookFor(ctx: Ctx, path: FilePath): Promise<Found | undefined> {
  const [found] = await ctx.db
    .select({ row: files, isOpen: sql<number>`(${isPublic})` })
    .from(files)
    .where(and(isAt(path), mayRead(ctx)));
  return found && { row: found.row, isOpen: found.isOpen === 1 };
}

/** @throws AppError NOT_FOUND, or UNAUTHORIZED when nobody is signed in */
export async function findReadable(ctx: Ctx, path: FilePath): Promise<FileRow> {
  const found = await lookFor(ctx, path);
  if (!found) throw unseen(ctx);
  return found.row;
}
