/**
 * Who may do what with a file: private ones exist for their owner, admins, and the readers of a chat that they were sent
 * into; public ones for everybody.
 */
import { and, eq, type SQL, sql } from "drizzle-orm";
import { recordEach } from "../../auth/audit.ts";
import { actorId, type Ctx, isAdmin, isModerator, type UserCtx } from "../../context.ts";
import { jsonObject } from "../../db/json.ts";
import { isOpenAccount } from "../../db/standing.ts";
import { files } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { fold } from "../../text.ts";
import type { FilePath } from "./contract.ts";

export type FileRow = typeof files.$inferSelect;

export const mayChange = (ctx: Ctx): SQL | undefined =>
  isAdmin(ctx.actor) ? undefined : eq(files.ownerId, actorId(ctx.actor));

/** Nobody but its owner and admins sees a file that an admin hides, or whose owner has closed the account. */
export const isShown: SQL = sql`(${files.hiddenAt} IS NULL AND ${isOpenAccount(files.ownerId)})`;

/** Opens for anybody. */
const isPublic: SQL = sql`(${files.visibility} = 'public' AND ${isShown})`;

/** Sent into a chat that the caller may read: of a stream or an open course, whoever is signed in; else, its members. */
const isGranted = ({ actor }: Ctx): SQL => sql`(${isShown} AND EXISTS (
  SELECT 1 FROM file_grants g WHERE g.file_id = ${files.id} AND ((g.place LIKE 'stream:%' AND ${actorId(actor)} <> 0) OR EXISTS (
    SELECT 1 FROM rooms r WHERE g.place LIKE 'room:%' AND r.id = substr(g.place, 6) AND ${actorId(actor)} <> 0 AND (
      EXISTS (SELECT 1 FROM room_members m WHERE m.room_id = r.id AND m.user_id = ${actorId(actor)})
      OR (r.kind = 'course' AND (r.join_policy = 'open' OR ${isModerator(actor) ? 1 : 0})))))))`;

const mayReadWithoutRole = (ctx: Ctx): SQL =>
  sql`(${eq(files.ownerId, actorId(ctx.actor))} OR ${isPublic} OR ${isGranted(ctx)})`;

export const mayRead = (ctx: Ctx): SQL | undefined => (isAdmin(ctx.actor) ? undefined : mayReadWithoutRole(ctx));

/** By the right of an admin alone. */
export const isReadByRole = (ctx: Ctx): SQL => (isAdmin(ctx.actor) ? sql`NOT ${mayReadWithoutRole(ctx)}` : sql`0`);

/** What the audit keeps of a file. */
export const auditedFile = { ownerId: files.ownerId, folder: files.folder, name: files.name };

/**
 * The statement that records what an admin is about to do to files of others, for the batch of it; of one's own files it
 * records nothing.
 */
export const recordFiles = (
  ctx: UserCtx,
  action: "delete" | "move" | "share" | "copy",
  which: SQL | undefined,
  more: Record<string, string> = {},
) =>
  recordEach(ctx, {
    action,
    targetType: "file",
    id: files.id,
    from: sql`${files} WHERE ${and(which, sql`${files.ownerId} IS NOT ${ctx.actor.id}`)}`,
    details: jsonObject({ ...auditedFile, ...more }),
  });

/** A folder, as people read its name. What cron has not folded yet is found by its exact name. */
export const isIn = (folder: string): SQL =>
  sql`(${files.folderFolded} = ${fold(folder)} OR (${files.folderFolded} IS NULL AND ${files.folder} = ${folder}))`;

/** The one file at a path: of two that read alike, which only old ones can, the one that is called exactly so. */
export const idAt = ({ folder, file }: FilePath): SQL => sql`(SELECT f.id FROM files f
  WHERE (f.folder = ${folder} AND f.name = ${file})
    OR (f.folder_folded = ${fold(folder)} AND f.name_folded = ${fold(file)})
  ORDER BY f.folder = ${folder} AND f.name = ${file} DESC LIMIT 1)`;

export const isAt = (path: FilePath): SQL => sql`${files.id} = ${idAt(path)}`;

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
