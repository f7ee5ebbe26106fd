/** PATCH: bytes that arrive in any portions become equal parts in R2, and a tail that waits to become one. */
import { kindOf, requireKind } from "../../../bytes/kinds.ts";
import { type Chunks, equalParts, HEAD_BYTES, hashed, limited, PART_BYTES } from "../../../bytes/parts.ts";
import type { UserCtx } from "../../../context.ts";
import { AppError } from "../../../errors.ts";
import { finish } from "./finish.ts";
import { LEASE_MS, type Locked, lock, renewal, save, unlock } from "./lock.ts";
import { Parts, tailKey } from "./pieces.ts";
import type { Checksum } from "./protocol.ts";
import { terminate } from "./uploads.ts";

/** Thrown when the bytes do not hash to what the client said; tus answers 460. */
export class ChecksumMismatch extends Error {
  override name = "ChecksumMismatch";
}

type Patch = { id: string; offset: number; checksum: Checksum | undefined; body: ReadableStream<Uint8Array> | null };

/**
 * Takes bytes in at `offset`. If the client goes away, what has arrived is kept, but for a PATCH with a checksum, of which
 * all or nothing is taken. With the last byte the upload becomes a file.
 * @throws AppError NOT_FOUND · CONFLICT not the offset, or written to by another · PAYLOAD_TOO_LARGE more than announced ·
 *   UNSUPPORTED_MEDIA_TYPE not what the name says (this ends the upload)
 * @throws ChecksumMismatch
 */
export function append(ctx: UserCtx, patch: Patch): Promise<number> {
  const work = takeIn(ctx, patch);
  // A client that goes away ends the call; what is waited for goes on, so that its progress is written down.
  ctx.later(work.catch(() => {}));
  return work;
}

async function takeIn(ctx: UserCtx, { id, offset, checksum, body }: Patch): Promise<number> {
  try {
    const upload = await lock(ctx, id, offset);
    try {
      const reached = await store(ctx, upload, body ?? emptyStream(), checksum);
      if (reached === upload.length) await finish(ctx, upload);
      return reached;
    } catch (error) {
      if (error instanceof AppError && error.code === "UNSUPPORTED_MEDIA_TYPE") await terminate(ctx, upload.id);
      throw error;
    } finally {
      await unlock(ctx, upload);
    }
  } finally {
    // Without this, `wrangler dev` would read an unread body to its end before it passes the answer on.
    await body?.cancel().catch(() => {});
  }
}

const emptyStream = (): ReadableStream<Uint8Array> => new Blob([]).stream();

/** Answers the offset that was reached and written down. */
async function store(ctx: UserCtx, upload: Locked, body: Chunks, checksum: Checksum | undefined): Promise<number> {
  const { key } = upload;
  const parts = Parts.parse(JSON.parse(upload.parts));
  const tail = await readTail(ctx, upload, parts.length);
  const isWhole = parts.length > 0 || tail.byteLength >= HEAD_BYTES;
  let multipart = upload.uploadId ? ctx.env.FILES.resumeMultipartUpload(key, upload.uploadId) : undefined;
  const progress = () => ({ parts: JSON.stringify(parts), uploadId: multipart?.uploadId ?? null });
  const renew = renewal((keepsMs) => save(ctx, upload, checksum ? {} : soFar(), keepsMs));
  // Before the first whole part of this PATCH there is nothing new to write down.
  const before = parts.length;
  const soFar = () => (parts.length > before ? { ...progress(), offset: parts.length * PART_BYTES } : {});

  const arriving = untilBroken(limited(body, upload.length - upload.offset), renew);
  const hashing = checksum && hashed(arriving.chunks, checksum.hash);
  for await (const { bytes, isLast } of equalParts(hashing?.chunks ?? arriving.chunks, tail)) {
    const mayBeJudged = bytes.byteLength >= HEAD_BYTES || bytes.byteLength === upload.length;
    if (!isWhole && parts.length === 0 && mayBeJudged) {
      await requireKind(bytes.subarray(0, HEAD_BYTES), kindOf(upload.originalName));
    }
    if (!isLast) {
      multipart ??= await begin(ctx, upload);
      parts.push(await multipart.uploadPart(parts.length + 1, bytes));
      continue;
    }
    if (hashing && arriving.broke()) break;
    if (hashing && (await hashing.digest) !== checksum?.hex) throw new ChecksumMismatch();
    // The old tail stays where it is until the row names the new one.
    const tailPlace = 1 - upload.tailPlace;
    if (bytes.byteLength > 0) await ctx.env.FILES.put(tailKey(key, tailPlace), bytes);
    const reached = parts.length * PART_BYTES + bytes.byteLength;
    await save(ctx, upload, { ...progress(), offset: reached, tailPlace }, FINISH_MS);
    Object.assign(upload, { ...progress(), offset: reached, tailPlace });
  }
  const broke = arriving.broke();
  if (broke) throw broke;
  return upload.offset;
}

/** Written down before anything is in it, so that whatever becomes of this PATCH, it is found and used or aborted. */
async function begin(ctx: UserCtx, upload: Locked): Promise<R2MultipartUpload> {
  const multipart = await ctx.env.FILES.createMultipartUpload(upload.key);
  await save(ctx, upload, { uploadId: multipart.uploadId }, LEASE_MS);
  return multipart;
}

/** How long reading a finished upload back for its hash may take before another request may try. */
const FINISH_MS = 60_000;

async function readTail(ctx: UserCtx, upload: Locked, parts: number): Promise<Uint8Array> {
  const size = upload.offset - parts * PART_BYTES;
  if (size === 0) return new Uint8Array();
  const object = await ctx.env.FILES.get(tailKey(upload.key, upload.tailPlace));
  const bytes = new Uint8Array((await object?.arrayBuffer()) ?? []);
  if (bytes.byteLength !== size)
    throw new AppError("INTERNAL_ERROR", undefined, { cause: new Error("The tail is gone") });
  return bytes;
}

/** Ends where the source breaks, instead of failing, so that what came before can be kept. */
function untilBroken(source: Chunks, onChunk: () => Promise<void>): { chunks: Chunks; broke: () => unknown } {
  let broke: unknown;
  const iterator = source[Symbol.asyncIterator]();
  async function* chunks(): AsyncGenerator<Uint8Array, void> {
    try {
      for (;;) {
        const next = await iterator.next().catch((error: unknown) => {
          broke = error;
        });
        if (!next || next.done) return;
        await onChunk();
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  return { chunks: chunks(), broke: () => broke };
}
