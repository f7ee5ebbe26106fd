/** Ranges and conditions by RFC 9110, over what is stored in R2 (PLATFORM 3.5 has the matrix). */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, mintUser, ORIGIN, worker } from "./support/api.ts";
import { form, sample } from "./support/samples.ts";

const ann = await mintUser("ann");
const SIZE = 1000;
const content = new Uint8Array(SIZE).map((_, at) => (at * 7) % 251);
content.set(sample("gif"));

const { body } = await call("/files/upload", {
  method: "POST",
  token: ann.token,
  body: form(["file", content, "a.gif"]),
});
const path = `/api/v1/files/download/general/${body.data.name}`;

const get = async (headers: Record<string, string> = {}, method = "GET", from = path) => {
  const response = await worker.fetch(`${ORIGIN}${from}`, {
    method,
    headers: { Authorization: `Bearer ${ann.token}`, ...headers },
  });
  return {
    status: response.status,
    range: response.headers.get("content-range"),
    length: response.headers.get("content-length"),
    headers: response.headers,
    bytes: new Uint8Array(await response.arrayBuffer()),
  };
};
const whole = await get();
const etag = whole.headers.get("etag") ?? "";
const modified = whole.headers.get("last-modified") ?? "";
const later = (seconds: number) => new Date(Date.parse(modified) + seconds * 1000).toUTCString();

describe("a range", () => {
  it("is offered", () => {
    expect(whole).toMatchObject({ status: 200, range: null, length: String(SIZE), bytes: content });
    expect(whole.headers.get("accept-ranges")).toBe("bytes");
    expect(etag).toBe(`"${body.data.sha256}"`);
  });

  it.each([
    ["bytes=0-", 0, 999],
    ["bytes=0-0", 0, 0],
    ["bytes=0-1", 0, 1],
    ["bytes=999-", 999, 999],
    ["bytes=500-599", 500, 599],
    ["bytes=-100", 900, 999],
    ["bytes=-1", 999, 999],
    ["bytes=-5000", 0, 999],
    ["bytes=990-5000", 990, 999],
    ["bytes=0-99999999999999999999", 0, 999],
    ["BYTES=1-2", 1, 2],
  ])("%s is 206 with the bytes %i to %i", async (range, first, last) => {
    expect(await get({ Range: range })).toMatchObject({
      status: 206,
      range: `bytes ${first}-${last}/${SIZE}`,
      length: String(last - first + 1),
      bytes: content.subarray(first, last + 1),
    });
  });

  it.each(["bytes=1000-", "bytes=1000-1001", "bytes=5000-", "bytes=-0"])("%s is 416", async (range) => {
    const answer = await get({ Range: range });
    expect(answer).toMatchObject({ status: 416, range: `bytes */${SIZE}` });
    expect(JSON.parse(new TextDecoder().decode(answer.bytes)).error.code).toBe("RANGE_NOT_SATISFIABLE");
  });

  it.each([
    "bytes=",
    "bytes=-",
    "bytes=a-b",
    "bytes=5-2",
    "bytes 0-1",
    "items=0-1",
    "0-1",
    "bytes=0x1-2",
    "bytes=1-2-3",
  ])("%s is malformed, so all is sent", async (range) => {
    expect(await get({ Range: range })).toMatchObject({ status: 200, range: null, bytes: content });
  });

  it("of several parts is answered with all", async () => {
    expect(await get({ Range: "bytes=0-1,5-6" })).toMatchObject({ status: 200, range: null, bytes: content });
  });

  it("is nothing that HEAD knows", async () => {
    const answer = await get({ Range: "bytes=0-1" }, "HEAD");
    expect(answer).toMatchObject({ status: 200, range: null, length: String(SIZE) });
    expect(answer.bytes).toHaveLength(0);
    expect(answer.headers.get("etag")).toBe(etag);
  });

  it.each([
    ["the same tag", etag, 206],
    ["another tag", '"other"', 200],
    ["the same tag, but weak", `W/${etag}`, 200],
    ["the same date", modified, 206],
    ["a later date", later(1), 200],
    ["an earlier date", later(-1), 200],
    ["nonsense", "nonsense", 200],
  ])("with If-Range and %s", async (_what, ifRange, status) => {
    const answer = await get({ Range: "bytes=0-9", "If-Range": ifRange });
    expect(answer.status).toBe(status);
    expect(answer.bytes).toHaveLength(status === 206 ? 10 : SIZE);
  });

  it("that is out of range counts for nothing when If-Range fails", async () => {
    expect((await get({ Range: "bytes=5000-", "If-Range": '"other"' })).status).toBe(200);
  });
});

describe("an object of no bytes", async () => {
  // No type may be empty, so this one is put there by hand.
  const key = `test/${crypto.randomUUID()}`;
  await env.FILES.put(key, new Uint8Array());
  await env.DB.prepare(
    `INSERT INTO files (id, owner_id, folder, name, original_name, category, mime_type, size, sha256, visibility, key, created_at)
     VALUES (?1, ?2, 'general', 'empty.gif', 'empty.gif', 'image', 'image/gif', 0, 'e3b0', 'private', ?1, 0)`,
  )
    .bind(key, ann.id)
    .run();
  const empty = "/api/v1/files/download/general/empty.gif";

  it.each([
    [undefined, 200],
    ["bytes=0-", 416],
    ["bytes=0-0", 416],
    ["bytes=-0", 416],
    ["bytes=-5", 200],
  ])("asked for %s answers %i", async (range, status) => {
    const answer = await get(range ? { Range: range } : {}, "GET", empty);
    expect(answer.status).toBe(status);
    expect(answer.range).toBe(status === 416 ? "bytes */0" : null);
  });

  it("has a HEAD", async () => {
    expect(await get({}, "HEAD", empty)).toMatchObject({ status: 200, length: "0" });
  });
});

describe("a condition", () => {
  it.each([
    ["If-None-Match, the same tag", { "If-None-Match": etag }, 304],
    ["If-None-Match, weakly the same", { "If-None-Match": `W/${etag}` }, 304],
    ["If-None-Match, one of several", { "If-None-Match": `"a", ${etag}` }, 304],
    ["If-None-Match, any", { "If-None-Match": "*" }, 304],
    ["If-None-Match, another", { "If-None-Match": '"other"' }, 200],
    ["If-None-Match before the range", { "If-None-Match": etag, Range: "bytes=0-1" }, 304],
    ["If-None-Match before a range that lies outside", { "If-None-Match": etag, Range: "bytes=5000-" }, 304],
    ["If-None-Match before the date", { "If-None-Match": '"other"', "If-Modified-Since": later(60) }, 200],
    ["If-Modified-Since, then", { "If-Modified-Since": modified }, 304],
    ["If-Modified-Since, before", { "If-Modified-Since": later(-1) }, 200],
    ["If-Modified-Since, nonsense", { "If-Modified-Since": "soon" }, 200],
    ["If-Match, the same tag", { "If-Match": etag }, 200],
    ["If-Match, weakly the same", { "If-Match": `W/${etag}` }, 412],
    ["If-Match, another", { "If-Match": '"other"' }, 412],
    ["If-Unmodified-Since, before", { "If-Unmodified-Since": later(-1) }, 412],
    ["If-Unmodified-Since, then", { "If-Unmodified-Since": modified }, 200],
  ])("%s", async (_what, headers, status) => {
    for (const method of ["GET", "HEAD"]) {
      const answer = await get(headers, method);
      expect([method, answer.status]).toEqual([method, status]);
      if (status === 304) {
        expect(answer.bytes).toHaveLength(0);
        expect(answer.headers.get("etag")).toBe(etag);
        expect(answer.headers.get("cache-control")).toBe("private, no-cache");
      }
    }
  });

  it("never opens what one may not see", async () => {
    const stranger = await mintUser("stranger");
    const headers = { Authorization: `Bearer ${stranger.token}`, "If-None-Match": etag };
    expect((await get(headers)).status).toBe(404);
  });
});
