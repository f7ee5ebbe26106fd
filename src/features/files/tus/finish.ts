/** An upload that has all its bytes becomes a file. May be done again at any point: a crash leaves nothing half done. */
import { eq, sql } from "drizzle-orm";
import { kindOf } from "../../../bytes/kinds.ts";
import { PART_BYTES } from "../../../bytes/parts.ts";
import type { UserCtx } from "../../../context.ts";
import { one } from "../../../db/batch.ts";
import { resumableUploads } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import { keepFile } from "../keep.ts";
import type { Upload } from "./lock.ts";
import { Parts, tailKey } from "./pieces.ts";

/** @throws AppError CONFLICT the upload was terminated, or its owner is gone */
export async function finish(ctx: UserCtx, upload: Upload): Promise<void> {
  const { id, key, length: size, originalName } = upload;
  const files = ctx.env.FILES;
  if (!(await files.head(key))) await assemble(ctx, upload);
  const sha256 = await hashOf(files, key);
  // The object is whole, so the tails are needed no more, even if what follows has to be done again.
  await files.delete([tailKey(key, 0), tailKey(key, 1)]);
  const received = { key, size, sha256, originalName, kind: kindOf(originalName) };
  const isWanted = sql`EXISTS (SELECT 1 FROM resumable_uploads r WHERE r.id = ${id} AND r.file_id IS NULL)`;
  const kept = await keepFile(ctx, received, upload, { isWanted });
  const { made, row } = await ctx.db.batch({
    made: one(kept.insert),
    recorded: kept.record,
    row: one(
      ctx.db
        .update(resumableUploads)
        .set({ fileId: sql`coalesce(file_id, (SELECT id FROM files WHERE id = ${kept.id}))` })
        .where(eq(resumableUploads.id, id))
        .returning({ fileId: resumableUploads.fileId }),
    ),
  });
  if (!made && !row?.fileId) throw new AppError("CONFLICT", "The upload was given up.");
}

async function assemble(ctx: UserCtx, upload: Upload): Promise<void> {
  const files = ctx.env.FILES;
  const parts = Parts.parse(JSON.parse(upload.parts));
  const hasTail = upload.length > parts.length * PART_BYTES;
  const tail = hasTail ? await files.get(tailKey(upload.key, upload.tailPlace)) : null;
  const bytes = new Uint8Array((await tail?.arrayBuffer()) ?? []);
  if (upload.uploadId === null) {
    await files.put(upload.key, bytes);
    return;
  }
  const multipart = files.resumeMultipartUpload(upload.key, upload.uploadId);
  if (hasTail) parts.push(await multipart.uploadPart(parts.length + 1, bytes));
  await multipart.complete(parts);
}

/** A hash cannot be kept between requests, so it is taken of what R2 has in the end. */
async function hashOf(files: R2Bucket, key: string): Promise<string> {
  const object = await files.get(key);
  if (!object) throw new AppError("NOT_FOUND");
  const digest = new crypto.DigestStream("SHA-256");
  await object.body.pipeTo(digest);
  return new Uint8Array(await digest.digest).toHex();
}
