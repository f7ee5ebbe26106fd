/**
 * Reads large objects slice by slice, as fast as the reader takes them. A single read of the whole is what R2 is made for,
 * but where its body is not held back by a slow reader (the local R2 is such a place) it ends up in memory whole.
 */

/** 500 MB are some 60 reads: $0.00002 (class B, $0.36 a million). */
const SLICE_BYTES = 8 * 1024 * 1024;

type Part = { offset: number; length: number };

/**
 * The bytes of a part of an object, never more than a slice or two of them in memory; null if the object is gone.
 * @param isStillAllowed asked before each further slice: a long read ends with the right that it began with
 */
export async function readPart(
  bucket: R2Bucket,
  key: string,
  { offset, length }: Part,
  isStillAllowed: () => Promise<boolean> = () => Promise.resolve(true),
): Promise<ReadableStream | null> {
  if (length === 0) return (await bucket.get(key))?.body ?? null;
  const first = await bucket.get(key, { range: { offset, length: Math.min(length, SLICE_BYTES) } });
  if (!first || length <= SLICE_BYTES) return first?.body ?? null;
  // Keeps Content-Length, and breaks off if anything is missing at the end.
  const { readable, writable } = new FixedLengthStream(length);
  pour(bucket, key, first, { offset, length, isStillAllowed }, writable).catch((error) =>
    writable.abort(error).catch(() => undefined),
  );
  return readable;
}

async function pour(
  bucket: R2Bucket,
  key: string,
  first: R2ObjectBody,
  { offset, length, isStillAllowed }: Part & { isStillAllowed: () => Promise<boolean> },
  into: WritableStream,
): Promise<void> {
  const end = offset + length;
  let slice: R2ObjectBody | R2Object | null = first;
  for (let at = offset; at < end; at += SLICE_BYTES) {
    if (at > offset) {
      if (!(await isStillAllowed())) throw new Error("Who reads may not read this any more.");
      const range = { offset: at, length: Math.min(SLICE_BYTES, end - at) };
      // Of the very same object: its bytes are never mixed with another's.
      slice = await bucket.get(key, { range, onlyIf: { etagMatches: first.etag } });
    }
    if (!slice || !("body" in slice)) throw new Error("The object went away while it was read.");
    await slice.body.pipeTo(into, { preventClose: true });
  }
  await into.close();
}
