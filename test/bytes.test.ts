import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { formParts } from "../src/bytes/form.ts";
import { PART_BYTES } from "../src/bytes/parts.ts";
import { discard, settle, storeObject } from "../src/bytes/store.ts";
import { startContext } from "../src/context.ts";

const context = () => startContext({ env, later: () => {} });

/** Bytes that repeat in no power of two, so that a part that is swapped or shifted shows. */
const pattern = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8)) % 251);

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

const hash = async (bytes: Uint8Array) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
const anything = { maxBytes: 1e9, inspect: async () => {} };

describe("a form", () => {
  const boundary = "xyz-boundary";
  /** Content that begins like the delimiter, again and again. */
  const NEARLY = "\r\n--xyz\r\n--xyz-boundar\r\n\r--";
  const part = (disposition: string, content: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`;

  /** The form as a body that arrives in pieces of `size` bytes. */
  const arriving = (text: string, size: number) => {
    const bytes = new TextEncoder().encode(text);
    let from = 0;
    return {
      headers: new Headers({ "Content-Type": `multipart/form-data; boundary=${boundary}` }),
      body: new ReadableStream<Uint8Array>({
        pull(controller) {
          if (from >= bytes.length) return controller.close();
          controller.enqueue(bytes.subarray(from, from + size));
          from += size;
        },
      }),
    };
  };

  const read = async (source: ReturnType<typeof arriving>) => {
    const seen: [string, string][] = [];
    for await (const found of formParts(source)) {
      if (found.kind === "field") seen.push([found.name, found.value]);
      else {
        let text = "";
        const decoder = new TextDecoder();
        for await (const chunk of found.bytes) text += decoder.decode(chunk, { stream: true });
        seen.push([`${found.name}:${found.filename}`, text]);
      }
    }
    return seen;
  };

  const whole = `${part('name="a"', "1")}${part('name="file"; filename="ü.txt"', NEARLY)}${part('name="b"', "zwei ü")}--${boundary}--\r\n`;

  it.each([1, 2, 7, 64, 100_000])("is read alike however it is cut (%i bytes at a time)", async (size) => {
    expect(await read(arriving(whole, size))).toEqual([
      ["a", "1"],
      ["file:ü.txt", NEARLY],
      ["b", "zwei ü"],
    ]);
  });

  it("that was cut short is refused", async () => {
    await expect(read(arriving(whole.slice(0, 150), 10))).rejects.toMatchObject({ code: "INVALID_REQUEST" });
  });

  it("lets a file that nobody reads flow by", async () => {
    const big = `${part('name="file"; filename="big"', "x".repeat(3_000_000))}${part('name="after"', "here")}--${boundary}--\r\n`;
    const names: string[] = [];
    for await (const found of formParts(arriving(big, 50_000))) names.push(found.name);
    expect(names).toEqual(["file", "after"]);
  });

  it("lets a file that was left in the middle flow by", async () => {
    const big = `${part('name="file"; filename="big"', "x".repeat(3_000_000))}${part('name="after"', "here")}--${boundary}--\r\n`;
    const names: string[] = [];
    for await (const found of formParts(arriving(big, 50_000))) {
      names.push(found.name);
      if (found.kind === "file") for await (const _ of found.bytes) break;
    }
    expect(names).toEqual(["file", "after"]);
  });
});

describe("a stored stream", () => {
  it.each([0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES, 2 * PART_BYTES + 12_345])(
    "of %i bytes is in R2 byte by byte, with its hash",
    async (length) => {
      const bytes = pattern(length);
      const key = `test/${crypto.randomUUID()}`;
      const stored = await storeObject(context(), key, chunked(bytes, 60_001), anything);
      expect(stored).toEqual({ key, size: length, sha256: await hash(bytes) });
      const object = await env.FILES.get(key);
      expect(await hash(new Uint8Array((await object?.arrayBuffer()) ?? []))).toBe(stored.sha256);
      await settle(context(), key);
    },
  );

  it.each([100, PART_BYTES + 100])("that fails after %i bytes leaves nothing", async (length) => {
    const key = `test/${crypto.randomUUID()}`;
    const failing = async function* () {
      yield* chunked(pattern(length), 50_000);
      throw new Error("gone");
    };
    await expect(storeObject(context(), key, failing(), anything)).rejects.toThrow("gone");
    expect(await env.FILES.head(key)).toBeNull();
    expect(await env.DB.prepare("SELECT * FROM uploads WHERE key = ?").bind(key).first()).toBeNull();
  });

  it("that nobody settles is found by its record", async () => {
    const ctx = context();
    const key = `test/${crypto.randomUUID()}`;
    await storeObject(ctx, key, chunked(pattern(10), 10), anything);
    await discard(ctx, key);
    expect(await env.FILES.head(key)).toBeNull();
  });
});
