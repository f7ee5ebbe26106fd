import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { readPart } from "../src/bytes/slices.ts";

const MB = 1024 * 1024;
const SIZE = 20 * MB + 3;

async function stored(): Promise<{ key: string; bytes: Uint8Array }> {
  const bytes = new Uint8Array(SIZE);
  for (let at = 0; at < SIZE; at += 1) bytes[at] = (at * 31 + (at >> 12)) & 0xff;
  const key = crypto.randomUUID();
  await env.FILES.put(key, bytes);
  return { key, bytes };
}

const read = async (body: ReadableStream | null) => new Uint8Array(await new Response(body).arrayBuffer());
const isSame = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, at) => byte === b[at]);

describe("a large object, read in slices", () => {
  it("comes whole and in parts across the slices' borders, byte by byte", async () => {
    const { key, bytes } = await stored();
    const parts = [
      [0, SIZE],
      [0, 8 * MB],
      [8 * MB - 1, 2],
      [5, 16 * MB],
      [SIZE - 1, 1],
    ] as const;
    for (const [offset, length] of parts) {
      const got = await read(await readPart(env.FILES, key, { offset, length }));
      expect(isSame(got, bytes.subarray(offset, offset + length))).toBe(true);
    }
  });

  it("breaks off when the object is replaced meanwhile: bytes of two are never mixed", async () => {
    const { key } = await stored();
    const body = await readPart(env.FILES, key, { offset: 0, length: SIZE });
    await env.FILES.put(key, new Uint8Array(SIZE));
    await expect(read(body)).rejects.toThrow();
  });

  it("is null when there is none", async () => {
    expect(await readPart(env.FILES, "no-such-key", { offset: 0, length: SIZE })).toBeNull();
    expect(await readPart(env.FILES, "no-such-key", { offset: 0, length: 0 })).toBeNull();
  });
});
