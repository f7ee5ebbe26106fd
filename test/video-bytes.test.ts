/** Videos whose bytes are here: uploading, playing, and that the bytes go with the video. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, costOf, mintUser, ORIGIN, type TestUser, worker } from "./support/api.ts";
import { type Entry, form, sample } from "./support/samples.ts";

const ann = await mintUser("ann");
const bob = await mintUser("bob");
const root = await mintUser("root");
await env.DB.prepare("UPDATE users SET role = 'admin' WHERE id = ?").bind(root.id).run();

const upload = (by: TestUser | null, ...entries: Entry[]) =>
  call("/videos", { method: "POST", token: by?.token, body: form(...entries) });
const film: Entry = ["file", sample("mp4"), "film.mp4"];
const thumb: Entry = ["thumb", sample("png"), "still.png"];

const open = async (path: string, token?: string, headers: Record<string, string> = {}) => {
  const response = await worker.fetch(`${ORIGIN}${path}`, {
    headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...headers },
  });
  return { status: response.status, headers: response.headers, bytes: new Uint8Array(await response.arrayBuffer()) };
};

const keysOf = async (videoId: number): Promise<string[]> => {
  const { results } = await env.DB.prepare(
    "SELECT f.key FROM videos v JOIN files f ON f.id IN (v.file_id, v.thumb_file_id) WHERE v.id = ?",
  )
    .bind(videoId)
    .all<{ key: string }>();
  return results.map((row) => row.key);
};
const objects = async () => (await env.FILES.list()).objects.map((object) => object.key);
const rows = async () => (await env.DB.prepare("SELECT id FROM files").all()).results;

describe("an uploaded video", () => {
  it("is published with its bytes and its thumbnail, parts in any order", async () => {
    const { status, body, ...answer } = await upload(ann, film, ["description", "Waves"], thumb, ["title", "Sea"]);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      ownerId: ann.id,
      title: "Sea",
      description: "Waves",
      visibility: "public",
      videoUrl: `/api/v1/videos/${body.id}/content`,
      thumbUrl: expect.stringMatching(/^\/api\/v1\/files\/view\/videos\/.+\.png$/),
    });
    expect(costOf(answer)).toMatchObject({ d1_queries: 4, object_calls: 0 });
    expect((await call(`/videos/${body.id}`)).body).toEqual(body);
    const played = await open(body.videoUrl);
    expect([played.status, played.headers.get("content-type")]).toEqual([200, "video/mp4"]);
    expect(played.headers.get("content-disposition")).toContain("inline");
    expect(played.bytes).toEqual(sample("mp4"));
    const shown = await open(body.thumbUrl);
    expect([shown.status, shown.headers.get("content-type")]).toEqual([200, "image/png"]);
  });

  it("plays by ranges", async () => {
    const { body } = await upload(ann, film, ["title", "Sea"]);
    expect(body.thumbUrl).toBeNull();
    const part = await open(body.videoUrl, undefined, { Range: "bytes=0-1" });
    expect([part.status, part.headers.get("content-range")]).toEqual([206, `bytes 0-1/${sample("mp4").length}`]);
    expect(part.bytes).toEqual(sample("mp4").subarray(0, 2));
    const etag = part.headers.get("etag") ?? "";
    expect((await open(body.videoUrl, undefined, { "If-None-Match": etag })).status).toBe(304);
    expect((await open(body.videoUrl, undefined, { Range: "bytes=999-" })).status).toBe(416);
  });

  it("that is private plays and shows for its owner and admins alone, and follows a change", async () => {
    const { body } = await upload(ann, ["visibility", "private"], film, thumb, ["title", "Diary"]);
    const statuses = async () => {
      const all: number[][] = [];
      for (const url of [body.videoUrl, body.thumbUrl]) {
        const of = async (token?: string) => (await open(url, token)).status;
        all.push([await of(ann.token), await of(root.token), await of(bob.token), await of()]);
      }
      return all;
    };
    expect(await statuses()).toEqual([
      [200, 200, 404, 404],
      [200, 200, 404, 401],
    ]);
    const show = (visibility: string) =>
      call(`/videos/${body.id}`, { method: "PATCH", token: ann.token, body: { visibility } });
    await show("public");
    expect(await statuses()).toEqual([Array(4).fill(200), Array(4).fill(200)]);
    await show("private");
    expect((await statuses())[1]).toEqual([200, 200, 404, 401]);
  });

  it.each<[what: string, status: number, entries: Entry[]]>([
    ["no title", 400, [film]],
    ["no file", 400, [["title", "Sea"]]],
    ["a thumbnail alone", 400, [["title", "Sea"], thumb]],
    ["two files", 400, [["title", "Sea"], film, film]],
    ["no such visibility", 400, [["title", "Sea"], film, ["visibility", "friends"]]],
    [
      "a picture as video",
      415,
      [
        ["title", "Sea"],
        ["file", sample("png"), "a.png"],
      ],
    ],
    ["a video as thumbnail", 415, [["title", "Sea"], film, ["thumb", sample("mp4"), "a.mp4"]]],
    ["a thumbnail that lies, after a good video", 415, [["title", "Sea"], film, ["thumb", sample("pdf"), "a.png"]]],
  ])("with %s is %i and leaves nothing", async (_what, status, entries) => {
    const before = [await objects(), await rows()];
    expect((await upload(ann, ...entries)).status).toBe(status);
    expect([await objects(), await rows()]).toEqual(before);
  });

  it("needs somebody to be signed in", async () => {
    expect((await upload(null, film, ["title", "Sea"])).status).toBe(401);
  });
});

describe("a file made a video", () => {
  const uploadFile = async (by: TestUser, extension = "webm") =>
    (
      await call("/files/upload", {
        method: "POST",
        token: by.token,
        body: form(["file", sample(extension), `a.${extension}`]),
      })
    ).body.data;
  const publish = (by: TestUser, fileId: string) =>
    call("/videos", { method: "POST", token: by.token, body: { fileId, title: "Sea" } });

  it("plays, is seen by whoever sees the video, and is deleted with it alone", async () => {
    const file = await uploadFile(ann);
    const { status, body } = await publish(ann, file.id);
    expect(status).toBe(201);
    expect(body).toMatchObject({ title: "Sea", videoUrl: `/api/v1/videos/${body.id}/content`, thumbUrl: null });
    expect((await open(body.videoUrl)).bytes).toEqual(sample("webm"));
    const path = `/files/${file.folder}/${file.name}`;
    expect((await call(path, { method: "DELETE", token: ann.token })).status).toBe(409);
    const move = { folder: file.folder, file: file.name, targetFolder: "other" };
    expect((await call("/files/move", { method: "POST", token: ann.token, body: move })).status).toBe(409);
    await call(`/videos/${body.id}`, { method: "DELETE", token: ann.token });
    expect((await call(`/files/info/${file.folder}/${file.name}`, { token: ann.token })).status).toBe(404);
  });

  it("is one's own, a video, and nobody's video yet", async () => {
    const file = await uploadFile(ann);
    expect((await publish(bob, file.id)).status).toBe(404);
    expect((await publish(ann, "nothing")).status).toBe(404);
    expect((await publish(ann, (await uploadFile(ann, "png")).id)).status).toBe(415);
    expect((await publish(ann, file.id)).status).toBe(201);
    expect((await publish(ann, file.id)).status).toBe(409);
  });
});

describe("deleting", () => {
  it("a video deletes its bytes and thumbnail, and no others", async () => {
    const { body } = await upload(ann, film, thumb, ["title", "Sea"]);
    const { body: other } = await upload(ann, film, thumb, ["title", "Lake"]);
    const [keys, kept] = [await keysOf(body.id), await keysOf(other.id)];
    expect(keys).toHaveLength(2);
    expect((await call(`/videos/${body.id}`, { method: "DELETE", token: ann.token })).status).toBe(200);
    for (const key of keys) expect(await env.FILES.head(key)).toBeNull();
    for (const key of kept) expect(await env.FILES.head(key)).not.toBeNull();
    expect((await open(body.videoUrl)).status).toBe(404);
    expect((await open(body.thumbUrl, ann.token)).status).toBe(404);
  });

  it("a video in any way leaves its bytes to the outbox, which tries until they are gone", async () => {
    const { body } = await upload(bob, film, ["title", "Sea"]);
    const [key] = await keysOf(body.id);
    // As the admin's bulk deletion or a user's erasure does, by a statement that knows nothing of files.
    await env.DB.prepare("DELETE FROM videos WHERE id = ?").bind(body.id).run();
    const pending = await env.DB.prepare("SELECT payload FROM outbox WHERE target = ?").bind(`file:${key}`).all();
    expect(pending.results).toEqual([{ payload: "{}" }]);
    const { body: next } = await upload(ann, film, ["title", "Lake"]);
    await call(`/videos/${next.id}`, { method: "DELETE", token: ann.token });
    expect(await env.FILES.head(key ?? "")).toBeNull();
  });
});
