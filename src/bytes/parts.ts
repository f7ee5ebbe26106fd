/** What a stream of bytes goes through on its way to R2: a limit, a look at its beginning, a hash, equal parts. */
import { AppError } from "../errors.ts";

export type Chunks = AsyncIterable<Uint8Array>;

/**
 * R2 takes parts of at least 5 MiB, all of one size but for a smaller last one, 10 000 at most. Two are in memory at a
 * time: one being filled, one on its way.
 */
export const PART_BYTES = 8 * 1024 * 1024;

/** Enough for every detector in kinds.ts. */
export const HEAD_BYTES = 16 * 1024;

/**
 * Passes bytes on until there are too many, however many were announced.
 * @throws AppError PAYLOAD_TOO_LARGE
 */
export async function* limited(source: Chunks, maxBytes: number): AsyncGenerator<Uint8Array, void> {
  let seen = 0;
  for await (const chunk of source) {
    seen += chunk.byteLength;
    if (seen > maxBytes) throw new AppError("PAYLOAD_TOO_LARGE", `This may have ${maxBytes} bytes.`);
    yield chunk;
  }
}

/** Shows the first HEAD_BYTES (fewer, if that is all) to `look` before anything is passed on; its failure ends it all. */
export async function* inspected(
  source: Chunks,
  look: (head: Uint8Array) => Promise<void>,
): AsyncGenerator<Uint8Array, void> {
  let head: Uint8Array | undefined = new Uint8Array();
  for await (const chunk of source) {
    if (!head) {
      yield chunk;
      continue;
    }
    head = joined(head, chunk);
    if (head.byteLength < HEAD_BYTES) continue;
    await look(head.subarray(0, HEAD_BYTES));
    yield head;
    head = undefined;
  }
  if (!head) return;
  await look(head);
  yield head;
}

export type HashName = "SHA-256" | "SHA-1" | "MD5";

/** Bytes passed on, and what they hash to (hex) once they have all passed. */
export function hashed(source: Chunks, hash: HashName = "SHA-256"): { chunks: Chunks; digest: Promise<string> } {
  const stream = new crypto.DigestStream(hash);
  const writer = stream.getWriter();
  async function* passOn(): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of source) {
      await writer.write(chunk);
      yield chunk;
    }
    await writer.close();
  }
  const digest = stream.digest.then((bytes) => new Uint8Array(bytes).toHex());
  // Nobody waits for it when the stream fails before its end.
  digest.catch(() => {});
  return { chunks: passOn(), digest };
}

export type Part = { bytes: Uint8Array; isLast: boolean };

/**
 * Cuts bytes into parts of PART_BYTES; the last one is smaller, or as large, or empty if nothing came at all. Two buffers
 * take turns: a part is good until the one after the next is asked for.
 * @param start bytes that come before the source's, fewer than PART_BYTES
 */
export async function* equalParts(source: Chunks, start?: Uint8Array): AsyncGenerator<Part, void> {
  // Made when first needed: most files fit into one.
  const buffers: Uint8Array[] = [];
  let turn = 0;
  let filled = 0;
  const buffer = (): Uint8Array => (buffers[turn] ??= new Uint8Array(PART_BYTES));
  const take = function* (chunk: Uint8Array): Generator<Part, void> {
    for (let from = 0; from < chunk.byteLength; ) {
      if (filled === PART_BYTES) {
        yield { bytes: buffer(), isLast: false };
        turn = 1 - turn;
        filled = 0;
      }
      const piece = chunk.subarray(from, from + PART_BYTES - filled);
      buffer().set(piece, filled);
      filled += piece.byteLength;
      from += piece.byteLength;
    }
  };
  if (start) yield* take(start);
  for await (const chunk of source) yield* take(chunk);
  yield { bytes: buffer().subarray(0, filled), isLast: true };
}

export function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.byteLength + second.byteLength);
  both.set(first);
  both.set(second, first.byteLength);
  return both;
}
