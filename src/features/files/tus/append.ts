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
}

const emptyStream = (): ReadableStream<Uint8Array> => new Blob([]).stream();

/** Answers the offset that was reached and written down. */
async function store(ctx: UserCtx, upload: Locked, body: Chunks, checksum: Checksum | undefined): Promise<number> {
  const parts = Parts.parse(JSON.parse(upload.parts));
  const tail = await readTail(ctx, upload, parts.length);
  const target = new Target(ctx, upload, parts, tail.byteLength);
  const renew = renewal((keepsMs) => save(ctx, upload, checksum ? {} : target.soFar(), keepsMs));
  const arriving = untilBroken(limited(body, upload.length - upload.offset), renew);
  const hashing = checksum && hashed(arriving.chunks, checksum.hash);
  for await (const { bytes, isLast } of equalParts(hashing?.chunks ?? arriving.chunks, tail)) {
    await target.judge(bytes);
    if (!isLast) {
      await target.addPart(bytes);
      continue;
    }
    if (hashing && arriving.broke()) break;
    if (hashing && (await hashing.digest) !== checksum?.hex) throw new ChecksumMismatch();
    await target.keepTail(bytes);
  }
  const broke = arriving.broke();
  if (broke) throw broke;
  return upload.offset;
}

/** Where the bytes of one PATCH go: parts of the multipart upload, and the tail after them. */
class Target {
  readonly #ctx: UserCtx;
  readonly #upload: Locked;
  readonly #parts: Parts;
  /** Of this PATCH's beginning. */
  readonly #partsBefore: number;
  readonly #wasJudged: boolean;
  #multipart: R2MultipartUpload | undefined;

  constructor(ctx: UserCtx, upload: Locked, parts: Parts, tailBytes: number) {
    this.#ctx = ctx;
    this.#upload = upload;
    this.#parts = parts;
    this.#partsBefore = parts.length;
    this.#wasJudged = parts.length > 0 || tailBytes >= HEAD_BYTES;
    if (upload.uploadId) this.#multipart = ctx.env.FILES.resumeMultipartUpload(upload.key, upload.uploadId);
  }

  /** Before the first whole part of this PATCH there is nothing new to write down. */
  soFar() {
    const { length } = this.#parts;
    return length > this.#partsBefore ? { ...this.#progress(), offset: length * PART_BYTES } : {};
  }

  /** @throws AppError UNSUPPORTED_MEDIA_TYPE when these are the file's first bytes, and not what its name says */
  async judge(bytes: Uint8Array): Promise<void> {
    if (this.#wasJudged || this.#parts.length > 0) return;
    if (bytes.byteLength < HEAD_BYTES && bytes.byteLength !== this.#upload.length) return;
    await requireKind(bytes.subarray(0, HEAD_BYTES), kindOf(this.#upload.originalName));
  }

  async addPart(bytes: Uint8Array): Promise<void> {
    this.#multipart ??= await begin(this.#ctx, this.#upload);
    this.#parts.push(await this.#multipart.uploadPart(this.#parts.length + 1, bytes));
  }

  /** Writes down all that has come. */
  async keepTail(bytes: Uint8Array): Promise<void> {
    // The old tail stays where it is until the row names the new one.
    const tailPlace = 1 - this.#upload.tailPlace;
    if (bytes.byteLength > 0) await this.#ctx.env.FILES.put(tailKey(this.#upload.key, tailPlace), bytes);
    const reached = this.#parts.length * PART_BYTES + bytes.byteLength;
    const progress = { ...this.#progress(), offset: reached, tailPlace };
    await save(this.#ctx, this.#upload, progress, FINISH_MS);
    Object.assign(this.#upload, progress);
  }

  #progress() {
    return { parts: JSON.stringify(this.#parts), uploadId: this.#multipart?.uploadId ?? null };
  }
}

/** Written down before anything is in it, so that whatever becomes of this PATCH, it is found and used or aborted. */
async function begin(ctx: UserCtx, upload: Locked): Promise<R2MultipartUpload> {
  const multipart = await ctx.env.FILES.createMultipartUpload(upload.key);
  try {
    await save(ctx, upload, { uploadId: multipart.uploadId }, LEASE_MS);
    return multipart;
  } catch (error) {
    await multipart.abort();
    throw error;
  }
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
