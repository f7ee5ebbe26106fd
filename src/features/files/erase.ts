/** What is left of uploads that were begun, and never became a file. */
import { type SQL, sql } from "drizzle-orm";
import type { CallContext } from "../../db/call-context.ts";
import { enqueueSelect } from "../../db/outbox.ts";
import { resumableUploads } from "../../db/tables.ts";

/** What may follow the key: the object or its parts, and the two places of the tail (tus/pieces.ts). */
const PIECES = '["", ".tail-0", ".tail-1"]';

/** Everything that an unfinished upload may have in R2, for the outbox. */
export const leftBy = (which: SQL): SQL => sql`
  SELECT 'file:' || r.key || place.value, json_object('uploadId', iif(place.value = '', r.upload_id, NULL))
  FROM resumable_uploads r, json_each(${PIECES}) place WHERE r.file_id IS NULL AND ${which}`;

/** The same of an upload that was ended while a request wrote to it: whoever ended it did not see what came to be stored since. */
export const leftSince = ({ id, key, uploadId }: { id: string; key: string; uploadId: string | null }): SQL => sql`
  SELECT 'file:' || ${key} || place.value, json_object('uploadId', iif(place.value = '', ${uploadId}, NULL))
  FROM json_each(${PIECES}) place
  WHERE NOT EXISTS (SELECT 1 FROM resumable_uploads WHERE id = ${id}) AND NOT EXISTS (SELECT 1 FROM files WHERE key = ${key})`;

/** Uploads that one round ends at most. */
const ERASED_AT_ONCE = 100;

/**
 * Ends uploads that an erased user has begun, and forgets what their files were to be called. May be repeated.
 * @returns whether there were any, so that there may be more
 */
export async function eraseUploadsOf(ctx: CallContext, userId: number): Promise<boolean> {
  const theirs = sql`SELECT id FROM resumable_uploads WHERE owner_id = ${userId} ORDER BY id LIMIT ${ERASED_AT_ONCE}`;
  const { gone } = await ctx.db.batch({
    told: enqueueSelect(ctx, leftBy(sql`r.id IN (${theirs})`)),
    gone: ctx.db.delete(resumableUploads).where(sql`id IN (${theirs})`).returning({ id: resumableUploads.id }),
  });
  return gone.length > 0;
}
