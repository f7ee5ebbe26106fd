/** The bucket's objects, as a backup has them: a file each, and a list of what they are called. */
import { createWriteStream, mkdirSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { R2Bucket, R2Object, R2ObjectBody, R2UploadedPart } from "@cloudflare/workers-types";
import { z } from "zod";

const StoredObject = z.object({
  key: z.string(),
  /** In the folder `objects`. */
  file: z.string(),
  size: z.number(),
  etag: z.string(),
  httpMetadata: z.record(z.string(), z.string()),
  customMetadata: z.record(z.string(), z.string()),
});
export const ObjectList = z.array(StoredObject);
export type ObjectList = z.infer<typeof ObjectList>;

async function* listBucket(bucket: R2Bucket): AsyncGenerator<R2Object> {
  let cursor: string | undefined;
  do {
    const page = await bucket.list({ include: ["httpMetadata", "customMetadata"], ...(cursor ? { cursor } : {}) });
    yield* page.objects;
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor);
}

const textsOf = (metadata: object | undefined): Record<string, string> =>
  Object.fromEntries(
    Object.entries(metadata ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );

async function* chunksOf({ body }: R2ObjectBody): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) yield chunk.value;
}

/** Copies every object. One that is deleted meanwhile is left out. */
export async function copyBucket(bucket: R2Bucket, folder: string): Promise<ObjectList> {
  mkdirSync(join(folder, "objects"), { recursive: true });
  const copied: ObjectList = [];
  for await (const { key, size, etag, httpMetadata, customMetadata } of listBucket(bucket)) {
    const object = await bucket.get(key);
    if (!object) continue;
    const file = String(copied.length + 1).padStart(8, "0");
    await pipeline(chunksOf(object), createWriteStream(join(folder, "objects", file)));
    copied.push({
      key,
      file,
      size,
      etag,
      httpMetadata: textsOf(httpMetadata),
      customMetadata: textsOf(customMetadata),
    });
  }
  return copied;
}

/**
 * Puts back what is not there, or is another. What came since stays: no row names it.
 * @returns how many objects were put back, and how many are there that the backup does not have
 */
export async function restoreBucket(bucket: R2Bucket, folder: string, objects: ObjectList) {
  const present = new Map<string, string>();
  for await (const { key, etag } of listBucket(bucket)) present.set(key, etag);
  const missing = objects.filter(({ key, etag }) => present.get(key) !== etag);
  for (const object of missing) await putBack(bucket, join(folder, "objects", object.file), object);
  const known = new Set(objects.map(({ key }) => key));
  return { restored: missing.length, newer: [...present.keys()].filter((key) => !known.has(key)).length };
}

/** Equal parts but the last, of at least 5 MiB each (platform limit). */
const PART_BYTES = 8 * 1024 * 1024;

async function putBack(bucket: R2Bucket, path: string, { key, size, ...metadata }: ObjectList[number]): Promise<void> {
  const { httpMetadata, customMetadata } = metadata;
  const file = await open(path);
  try {
    const read = async (from: number) => {
      const { buffer, bytesRead } = await file.read({ buffer: new Uint8Array(PART_BYTES), position: from });
      return buffer.subarray(0, bytesRead);
    };
    if (size <= PART_BYTES) {
      await bucket.put(key, await read(0), { httpMetadata, customMetadata });
      return;
    }
    const upload = await bucket.createMultipartUpload(key, { httpMetadata, customMetadata });
    const parts: R2UploadedPart[] = [];
    for (let from = 0; from < size; from += PART_BYTES) {
      parts.push(await upload.uploadPart(parts.length + 1, await read(from)));
    }
    await upload.complete(parts);
  } finally {
    await file.close();
  }
}
