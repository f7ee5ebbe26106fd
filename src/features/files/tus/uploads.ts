/** tus uploads: making them, asking how far they are, ending them. */
import { and, eq, lte, sql } from "drizzle-orm";
import { v7 } from "uuid";
import { pendingDeletions } from "../../../bytes/deletions.ts";
import { kindOf } from "../../../bytes/kinds.ts";
import { fitsQuota, overQuota } from "../../../bytes/quota.ts";
import { newKey, OriginalName, readField, tooLarge } from "../../../bytes/store-form.ts";
import type { Ctx, UserCtx } from "../../../context.ts";
import { deliverSoon, enqueueSelect } from "../../../db/outbox.ts";
import { files, resumableUploads } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import { readInput } from "../../../input.ts";
import { belongsToVideo } from "../access.ts";
import { UploadFields } from "../contract.ts";
import { leftBy } from "../erase.ts";
import { finish } from "./finish.ts";
import { expiryFrom, findUpload, lock, type Upload, unlock } from "./lock.ts";
import { parseMetadata } from "./protocol.ts";

/**
 * Announces an upload.
 * @throws AppError INVALID_REQUEST · UNSUPPORTED_MEDIA_TYPE · PAYLOAD_TOO_LARGE, also for more than the quota has room for
 */
export async function createUpload(ctx: UserCtx, length: number, metadata: string): Promise<Upload> {
  const { filename, ...rest } = parseMetadata(metadata);
  const originalName = readField(OriginalName, filename ?? "", "filename");
  const { folder, category, visibility = ctx.config.FILES_DEFAULT_VISIBILITY } = readInput(UploadFields, rest);
  const kind = kindOf(originalName, category);
  if (length > kind.maxBytes) throw tooLarge(kind);
  // No type has a file of no bytes, and no PATCH would come to say so.
  if (length === 0) throw new AppError("UNSUPPORTED_MEDIA_TYPE", "The file is empty.");
  const [id, ownerId] = [v7(), ctx.actor.id];
  const [row] = await ctx.db
    .insert(resumableUploads)
    .select(
      sql`SELECT ${id}, ${ownerId}, ${newKey(ctx)}, NULL, ${length}, 0, '[]', 0, ${originalName}, ${folder}, ${visibility},
        ${metadata}, NULL, 0, NULL, ${expiryFrom(ctx.now.getTime()).getTime()} WHERE ${fitsQuota(ctx.config, ownerId, length)}`,
    )
    .returning();
  if (!row) throw overQuota(ctx.config);
  return row;
}

/**
 * How far an upload is. One that has all its bytes, but was kept from becoming a file by a crash, becomes one now.
 * @throws AppError NOT_FOUND
 */
export async function readUpload(ctx: UserCtx, id: string): Promise<Upload> {
  const upload = await findUpload(ctx, id);
  if (upload.offset < upload.length || upload.fileId !== null) return upload;
  const locked = await lock(ctx, id, upload.offset).catch((error) => {
    if (error instanceof AppError && error.code === "CONFLICT") return undefined;
    throw error;
  });
  if (!locked) return findUpload(ctx, id);
  try {
    await finish(ctx, locked);
  } finally {
    await unlock(ctx, locked);
  }
  return findUpload(ctx, id);
}

/**
 * Ends an upload, and frees what it holds; the file that it has become, too, unless that is a video's by now.
 * @throws AppError NOT_FOUND
 */
export async function terminate(ctx: UserCtx, id: string): Promise<void> {
  await findUpload(ctx, id);
  const fileOf = sql`(SELECT file_id FROM resumable_uploads WHERE id = ${id})`;
  const { pending } = await ctx.db.batch({
    told: enqueueSelect(ctx, leftBy(sql`r.id = ${id}`)),
    file: ctx.db.delete(files).where(and(eq(files.id, fileOf), sql`NOT (${belongsToVideo})`)),
    upload: ctx.db.delete(resumableUploads).where(eq(resumableUploads.id, id)),
    pending: pendingDeletions(ctx),
  });
  deliverSoon(ctx, pending);
}

/** Forgets uploads that have expired; the outbox erases what they left. Run by cron. */
export async function sweepResumable(ctx: Ctx): Promise<void> {
  const now = ctx.now.getTime();
  await ctx.db.batch({
    told: enqueueSelect(ctx, leftBy(sql`r.expires_at <= ${now} AND r.locked_until <= ${now}`)),
    forgotten: ctx.db
      .delete(resumableUploads)
      .where(and(lte(resumableUploads.expiresAt, ctx.now), lte(resumableUploads.lockedUntil, now))),
  });
}
