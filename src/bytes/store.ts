/**
 * Streams bytes into R2 so that a failure at any point leaves nothing behind. Before the first byte is stored a row in
 * `uploads` says what may be there; the batch that inserts the row the object belongs to takes it away again (`settle`).
 * What a crash leaves is swept by that row, through the outbox.
 */
import { eq, type SQL, sql } from "drizzle-orm";
import { one } from "../db/batch.ts";
import type { CallContext } from "../db/call-context.ts";
import { enqueueSelect } from "../db/outbox.ts";
import { isInGoodStanding } from "../db/standing.ts";
import { uploads } from "../db/tables.ts";
import { AppError } from "../errors.ts";
import { logFailure } from "../platform/log.ts";
import { type Chunks, equalParts, hashed, inspected, limited, PART_BYTES, type Part } from "./parts.ts";
import { fitsQuota, overQuota, type Reservation } from "./quota.ts";

export type StoredObject = { key: string; size: number; sha256: string };

type Rules = {
  maxBytes: number;
  /** Looks at the first bytes before any is stored, and throws if they are not what they should be. */
  inspect: (head: Uint8Array) => Promise<void>;
  /** Whose quota it counts to; nobody's without. */
  reserve?: Reservation;
};

/**
 * Stores a stream under `key`, which must be new. Put `ifPending(key)` into the WHERE of the row that it is for, and
 * `settle(ctx, key)` into the same batch; if that row is not made, `discard` the object.
 * @throws AppError PAYLOAD_TOO_LARGE also for more than the quota has room for, FORBIDDEN who uploads is banned by now, and
 *   whatever `inspect` or the source throw; then nothing is left
 */
export function storeObject(ctx: CallContext, key: string, source: Chunks, rules: Rules): Promise<StoredObject> {
  const work = store(ctx, key, source, rules).catch(async (error) => {
    await discard(ctx, key);
    throw error;
  });
  // A client that goes away ends the call; what is waited for goes on, so that the failure is cleaned up.
  ctx.later(work.catch(() => {}));
  return work;
}

async function store(
  ctx: CallContext,
  key: string,
  source: Chunks,
  { maxBytes, inspect, reserve }: Rules,
): Promise<StoredObject> {
  let size = 0;
  const measured = async function* (): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of inspected(limited(source, maxBytes), inspect)) {
      size += chunk.byteLength;
      yield chunk;
    }
  };
  const { chunks, digest } = hashed(measured());
  await writeParts(ctx, key, equalParts(chunks), reserve);
  if (reserve && size > PART_BYTES) await shrinkReservation(ctx, key, size);
  return { key, size, sha256: await digest };
}

/** One put if it fits into one part, else a multipart upload with one part on its way while the next one fills. */
async function writeParts(
  ctx: CallContext,
  key: string,
  parts: AsyncIterable<Part>,
  reserve: Reservation | undefined,
): Promise<void> {
  let upload: R2MultipartUpload | undefined;
  const done: R2UploadedPart[] = [];
  let onItsWay: Promise<R2UploadedPart> | undefined;
  for await (const { bytes, isLast } of parts) {
    if (!upload) {
      if (isLast) {
        // All of it is here: that is what it comes to.
        await expectObject(ctx, key, null, reserve && { ...reserve, bytes: bytes.byteLength });
        await ctx.env.FILES.put(key, bytes);
        return;
      }
      upload = await beginUpload(ctx, key, reserve);
    }
    if (onItsWay) done.push(await onItsWay);
    onItsWay = upload.uploadPart(done.length + 1, bytes);
    // If the source fails first, nobody waits for this part.
    onItsWay.catch(() => {});
  }
  if (onItsWay) done.push(await onItsWay);
  await upload?.complete(done);
}

async function beginUpload(
  ctx: CallContext,
  key: string,
  reserve: Reservation | undefined,
): Promise<R2MultipartUpload> {
  const upload = await ctx.env.FILES.createMultipartUpload(key);
  try {
    await expectObject(ctx, key, upload.uploadId, reserve);
    return upload;
  } catch (error) {
    await upload.abort();
    throw error;
  }
}

/** @throws AppError PAYLOAD_TOO_LARGE over the quota · FORBIDDEN banned or gone by now */
async function expectObject(
  ctx: CallContext,
  key: string,
  uploadId: string | null,
  reserve: Reservation | undefined,
): Promise<void> {
  if (!reserve) {
    await ctx.db.insert(uploads).values({ key, uploadId, startedAt: ctx.now });
    return;
  }
  const { userId, bytes } = reserve;
  const { expected, standing } = await ctx.db.batch({
    expected: ctx.db
      .insert(uploads)
      .select(
        sql`SELECT ${key}, ${uploadId}, ${ctx.now.getTime()}, ${userId}, ${bytes}
          WHERE ${isInGoodStanding(userId)} AND ${fitsQuota(ctx.config, userId, bytes)}`,
      )
      .returning({ key: uploads.key }),
    standing: one(ctx.db.select({ isGood: isInGoodStanding(userId) }).from(sql`(SELECT 1)`)),
  });
  if (expected.length > 0) return;
  throw standing?.isGood ? overQuota(ctx.config) : new AppError("FORBIDDEN", "This account may not upload.");
}

/** The size is known: no more than that is held. */
async function shrinkReservation(ctx: CallContext, key: string, size: number): Promise<void> {
  await ctx.db.update(uploads).set({ reserved: size }).where(eq(uploads.key, key));
}

/** Condition: the object under `key` is whole and has not been swept away. */
export const ifPending = (key: string): SQL => sql`EXISTS (SELECT 1 FROM uploads WHERE uploads.key = ${key})`;

/** The object has found its row: goes into the batch that inserts it, after the insert. */
export const settle = (ctx: CallContext, key: string) => ctx.db.delete(uploads).where(eq(uploads.key, key));

/** Takes away an object that did not come to be. What fails here is left to the sweep. */
export async function discard(ctx: CallContext, key: string): Promise<void> {
  try {
    const [pending] = await ctx.db.select().from(uploads).where(eq(uploads.key, key));
    if (!pending) return;
    await erase(ctx, key, pending.uploadId);
    await settle(ctx, key);
  } catch (error) {
    logFailure(ctx, "bytes.discard", error);
  }
}

/** Deletes the object and whatever an upload of it left. Doing it again changes nothing. */
export async function erase(ctx: CallContext, key: string, uploadId: string | null): Promise<void> {
  if (uploadId !== null) {
    // An upload that was completed or aborted before is no failure; R2 says so only by throwing.
    await ctx.env.FILES.resumeMultipartUpload(key, uploadId)
      .abort()
      .catch(() => {});
  }
  await ctx.env.FILES.delete(key);
}

/** Objects of one round. */
const GIVEN_UP_AT_ONCE = 500;

/**
 * Gives up the uploads into a folder whose owner was erased: one that still goes on finds no row to settle on. May be
 * repeated.
 * @returns whether there were any, so that there may be more
 */
export async function giveUpUploads(ctx: CallContext, folder: string): Promise<boolean> {
  // `0` is the character after `/`, so this is a range of the key.
  const theirs = sql`SELECT key FROM uploads WHERE key >= ${folder} AND key < ${`${folder.slice(0, -1)}0`}
    ORDER BY key LIMIT ${GIVEN_UP_AT_ONCE}`;
  const { gone } = await ctx.db.batch({
    told: enqueueSelect(
      ctx,
      sql`SELECT 'file:' || key, json_object('uploadId', upload_id) FROM uploads WHERE key IN (${theirs})`,
    ),
    gone: ctx.db.delete(uploads).where(sql`key IN (${theirs})`).returning({ key: uploads.key }),
  });
  return gone.length > 0;
}

/** A day: no upload that still goes on is older. */
const LEFT_BEHIND_MS = 24 * 60 * 60 * 1000;

/** Hands what crashed uploads left behind to the outbox, whose handler erases it. Run by cron. */
export async function sweepUploads(ctx: CallContext): Promise<void> {
  const before = ctx.now.getTime() - LEFT_BEHIND_MS;
  await ctx.db.batch({
    told: enqueueSelect(
      ctx,
      sql`SELECT 'file:' || key, json_object('uploadId', upload_id) FROM uploads WHERE started_at <= ${before}`,
    ),
    forgotten: ctx.db.delete(uploads).where(sql`${uploads.startedAt} <= ${before}`),
  });
}

/**
 * The row that an object was settled on.
 * @throws AppError CONFLICT there is none: the object was swept, or who it belongs to is gone; it is discarded
 */
export async function requireSettled<T>(ctx: CallContext, key: string, row: T | undefined): Promise<T> {
  if (row !== undefined) return row;
  // The batch took the record away, so that discard would find nothing.
  await erase(ctx, key, null);
  throw new AppError("CONFLICT", "The upload was given up.");
}
