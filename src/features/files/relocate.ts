/** Files that get another place: moved, renamed, copied. Objects in R2 never change; see migrations/0004_files.sql. */
import { and, type SQL, sql } from "drizzle-orm";
import { v7 } from "uuid";
import { kindOf } from "../../bytes/kinds.ts";
import { fitsQuota, overQuota } from "../../bytes/quota.ts";
import type { UserCtx } from "../../context.ts";
import { one } from "../../db/batch.ts";
import { wasTaken } from "../../db/file-paths.ts";
import { files } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { fold } from "../../text.ts";
import { belongsToVideo, isAt, isReadByRole, mayChange, mayRead, recordFiles, unchangeable } from "./access.ts";
import type { FileInfo, FilePath, Relocate } from "./contract.ts";
import { toInfo } from "./info.ts";
import { recordPath } from "./keep.ts";
import { type Naming, namingOf } from "./names.ts";

type Target = FilePath & { naming: Naming };

/** @throws AppError UNSUPPORTED_MEDIA_TYPE another type */
async function targetOf({ file, targetFolder, targetFile = file }: Relocate): Promise<Target> {
  if (kindOf(targetFile).mimeType !== kindOf(file).mimeType) {
    throw new AppError("UNSUPPORTED_MEDIA_TYPE", "A new name keeps the type.");
  }
  return { folder: targetFolder, file: targetFile, naming: await namingOf(targetFolder, targetFile) };
}

/** No file but `fileId` is at the target, or ever was. */
const isFree = ({ folder, file, naming }: Target, fileId: SQL | string): SQL => sql`NOT (
  EXISTS (SELECT 1 FROM files t WHERE t.folder = ${folder} AND t.name = ${file} AND t.id <> ${fileId})
  OR EXISTS (SELECT 1 FROM files t WHERE t.folder_folded = ${fold(folder)} AND t.name_folded = ${naming.folded} AND t.id <> ${fileId})
  OR ${wasTaken(naming.hash, fileId)})`;

const taken = (): AppError => new AppError("CONFLICT", "Another file has this name, or had it.");

/**
 * Moves or renames a file of mine. It may come back to where it was.
 * @throws AppError NOT_FOUND · FORBIDDEN somebody else's public file · CONFLICT another file has the place or had it, or the
 *   file is a video's · UNSUPPORTED_MEDIA_TYPE another type
 */
export async function moveFile(ctx: UserCtx, input: Relocate): Promise<FileInfo> {
  const to = await targetOf(input);
  const isMine = and(isAt(input), mayChange(ctx));
  const isMovable = and(isMine, isFree(to, sql`files.id`), sql`NOT (${belongsToVideo})`);
  const { known, moved } = await ctx.db.batch({
    known: one(
      ctx.db
        .select({ isVideo: sql<number>`(${belongsToVideo})` })
        .from(files)
        .where(isMine),
    ),
    audited: recordFiles(ctx, "move", isMovable, { toFolder: to.folder, toName: to.file }),
    moved: one(
      ctx.db
        .update(files)
        .set({
          folder: to.folder,
          name: to.file,
          folderFolded: fold(to.folder),
          nameFolded: to.naming.folded,
          isFolded: true,
        })
        .where(isMovable)
        .returning(),
    ),
    recorded: recordPath(ctx, [to.naming], sql`f.folder = ${to.folder} AND f.name = ${to.file}`),
  });
  if (!known) throw await unchangeable(ctx, input);
  if (!moved) throw known.isVideo ? new AppError("CONFLICT", "The file belongs to a video.") : taken();
  return toInfo(ctx, moved);
}

/**
 * Copies a file that I may see; the copy is mine. No byte moves: it is a second row on the same object.
 * @throws AppError NOT_FOUND · CONFLICT another file has the place or had it · UNSUPPORTED_MEDIA_TYPE another type ·
 *   PAYLOAD_TOO_LARGE the quota has no room for it
 */
export async function copyFile(ctx: UserCtx, input: Relocate): Promise<FileInfo> {
  const to = await targetOf(input);
  const id = v7();
  const isSeen = and(isAt(input), mayRead(ctx));
  const fits = fitsQuota(ctx.config, ctx.actor.id, sql`files.size`);
  const isCopied = and(isSeen, isFree(to, id), fits);
  const { known, copied } = await ctx.db.batch({
    known: one(
      ctx.db
        .select({ isFree: sql<number>`(${isFree(to, id)})` })
        .from(files)
        .where(isSeen),
    ),
    audited: recordFiles(ctx, "copy", and(isCopied, isReadByRole(ctx)), { toFolder: to.folder, toName: to.file }),
    copied: one(
      ctx.db
        .insert(files)
        .select(
          sql`SELECT ${id}, ${ctx.actor.id}, ${to.folder}, ${to.file}, original_name, category, mime_type, size, sha256,
          visibility, key, ${ctx.now.getTime()}, ${fold(to.folder)}, ${to.naming.folded}, 1, hidden_at
          FROM files WHERE ${isCopied}`,
        )
        .returning(),
    ),
    recorded: recordPath(ctx, [to.naming], sql`f.id = ${id}`),
  });
  if (!known) throw new AppError("NOT_FOUND");
  if (!copied) throw known.isFree ? overQuota(ctx.config) : taken();
  return toInfo(ctx, copied);
}
