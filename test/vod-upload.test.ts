/** How recordings come in. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, mintUser } from "./support/api.ts";
import { WEBHOOK_SECRET } from "./support/media.ts";
import { fetchContent, file, flv, form, objects, type Part, PROOF, studio, upload } from "./support/vod.ts";

describe("uploading a recording", () => {
  it("by the stream's owner: listed, and played byte for byte", async () => {
    const { owner, stream, streamId } = await studio();
    const more: Part[] = [
      ["title", "Part <b>1</b>"],
      ["duration", "12.5"],
      ["thumbnail", "/t.png"],
    ];
    const { status, body } = await upload([streamId, ...more, file(flv(5000), "../..\\a b/rec-1.flv")], owner.token);
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.any(Number),
      streamId: stream.id,
      userId: owner.id,
      title: "Part <\u2060b>1<\u2060/b>",
      thumbnail: "/t.png",
      duration: 12.5,
      fileName: "rec-1.flv",
      mimeType: "video/x-flv",
      size: 5000,
      views: 0,
      url: `/api/v1/vod/${body.id}/content`,
      createdAt: expect.any(String),
    });
    expect((await call(`//vod/${body.id}`)).body).toEqual(body);
    expect((await call(`/vod?streamId=${stream.id}`)).body).toEqual({
      vods: [body],
      pagination: { page: 1, limit: 20, total: 1, pages: 1 },
    });
    const played = await fetchContent(body.id);
    expect(played.status).toBe(200);
    expect(new Uint8Array(await played.arrayBuffer())).toEqual(flv(5000));
    expect(played.headers.get("content-type")).toBe("video/x-flv");
    expect(played.headers.get("x-content-type-options")).toBe("nosniff");
  });

  it("by the media server: with the key or the public id, the file first, empty fields as none", async () => {
    const { stream, owner, streamId } = await studio();
    const byKey = await upload([file(flv(3000, 2)), ["title", ""], ["streamKey", stream.streamKey]], undefined, PROOF);
    expect(byKey).toMatchObject({ status: 201, body: { title: "My show", userId: owner.id, streamId: stream.id } });
    expect(JSON.stringify(byKey.body)).not.toContain(stream.streamKey);
    const byId = await upload([streamId, file(flv(3000, 3), "rec-2.flv")], undefined, PROOF);
    expect(byId).toMatchObject({ status: 201, body: { streamId: stream.id } });
    const byHeader = await call("//vod/upload", {
      method: "POST",
      body: form([streamId, file(flv(3000, 4), "rec-3.flv")]).body,
      headers: { ...form([]).headers, "X-Webhook-Secret": WEBHOOK_SECRET },
    });
    expect(byHeader.status).toBe(201);
  });

  it.each(["announced", "not announced"])(
    "asks whose stream it is before it takes in more than 8 MiB (length %s)",
    async (length) => {
      const { owner, stream } = await studio();
      const before = await objects();
      const { body: head, headers } = form([file(flv(60_000))]);
      let sent = 0;
      const endless = new ReadableStream<Uint8Array>({
        pull(controller) {
          controller.enqueue(sent === 0 ? head.subarray(0, 50_000) : new Uint8Array(65_536));
          sent += 65_536;
        },
      });
      const announced = length === "announced" ? { "Content-Length": String(4_000_000_000) } : undefined;
      const answer = await call("/vod/upload", {
        method: "POST",
        token: owner.token,
        body: endless,
        headers: { ...headers, ...announced },
      });
      expect([answer.status, answer.body.error.details[0].path]).toEqual([400, "streamId"]);
      expect(sent).toBeLessThan(12 * 1024 * 1024);
      expect(await objects()).toEqual(before);
      // Named first, a recording of that size is taken.
      const large = flv(9 * 1024 * 1024, 5);
      expect((await upload([["streamId", String(stream.id)], file(large)], owner.token)).status).toBe(201);
    },
  );

  it("of the same recording again answers the one that is there, and keeps no second copy", async () => {
    const { owner, stream, streamId } = await studio();
    const first = await upload([streamId, file()], owner.token);
    const before = await objects();
    const again = await upload([["streamKey", stream.streamKey], file()], undefined, PROOF);
    expect(again).toMatchObject({ status: 200, body: first.body });
    expect(await objects()).toEqual(before);
    expect((await upload([streamId, file(flv(5000, 9))], owner.token)).status).toBe(201);
    expect((await upload([streamId, file(flv(), "rec-2.flv")], owner.token)).status).toBe(201);
    const { results } = await env.DB.prepare("SELECT * FROM uploads").all();
    expect(results).toEqual([]);
  });

  it("of one recording at once by several makes one", async () => {
    const { owner, streamId } = await studio();
    const answers = await Promise.all([1, 2, 3].map(() => upload([streamId, file(flv(4000, 7))], owner.token)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 201]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  });

  it("is refused to others, and leaves nothing", async () => {
    const { owner, stream, streamId } = await studio();
    const other = await mintUser("other");
    const before = await objects();
    expect((await upload([streamId, file()])).status).toBe(401);
    expect((await upload([streamId, file()], undefined, "?secret=wrong")).status).toBe(401);
    expect((await upload([["streamKey", stream.streamKey], file()])).status).toBe(401);
    expect((await upload([streamId, file()], other.token)).status).toBe(403);
    expect((await upload([file(), streamId], other.token)).status).toBe(403);
    expect((await upload([["streamId", "999999"], file()], owner.token)).status).toBe(404);
    expect((await upload([["streamKey", "sk_nobody-has-this-key"], file()], undefined, PROOF)).status).toBe(404);
    expect(await objects()).toEqual(before);
  });

  it.each<[string, number, Part[]]>([
    ["without a stream", 400, [file()]],
    ["without a file", 400, [["title", "x"]]],
    ["with two files", 400, [file(), file()]],
    ["of an empty file", 400, [file(new Uint8Array(0))]],
    ["of less than 1 KB", 400, [file(flv(1023))]],
    ["of a page", 415, [file(new TextEncoder().encode("<html>".repeat(500)), "rec.flv")]],
    ["with a bad duration", 400, [["duration", "long"], file()]],
    ["with a negative duration", 400, [["duration", "-1"], file()]],
    ["with a duration in hexadecimal", 400, [["duration", "0x10"], file()]],
    ["with a bad thumbnail", 400, [["thumbnail", "javascript:alert(1)"], file()]],
  ])("%s is refused with %i, and leaves nothing", async (name, status, parts) => {
    const { owner, streamId } = await studio();
    const before = await objects();
    const all = name === "without a stream" ? parts : [streamId, ...parts];
    expect((await upload(all, owner.token)).status).toBe(status);
    expect(await objects()).toEqual(before);
  });

  it("of more bytes than may be is refused before it is read, if they are announced", async () => {
    const { owner, streamId } = await studio();
    const { body, headers } = form([streamId, file()]);
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(sent === 0 ? body.subarray(0, 4000) : new Uint8Array(65_536));
        sent += 65_536;
      },
    });
    const declared = { ...headers, "Content-Length": String(6000 * 1024 * 1024) };
    const answer = await call("/vod/upload", { method: "POST", token: owner.token, body: endless, headers: declared });
    expect([answer.status, answer.body.error.code]).toEqual([413, "PAYLOAD_TOO_LARGE"]);
    expect(sent).toBeLessThan(1024 * 1024);
  });

  it("that is cut off leaves no row and no object, however far it came", async () => {
    const { owner, stream, streamId } = await studio();
    const before = await objects();
    const { body, headers } = form([streamId, file(flv(20 * 1024 * 1024))]);
    for (const end of [300, 3000, 9 * 1024 * 1024, body.byteLength - 6]) {
      const cut = await call("/vod/upload", {
        method: "POST",
        token: owner.token,
        body: body.subarray(0, end),
        headers,
      });
      expect(cut.status, String(end)).toBe(400);
    }
    expect(await objects()).toEqual(before);
    expect((await call(`/vod?streamId=${stream.id}`)).body.vods).toEqual([]);
    expect((await env.DB.prepare("SELECT * FROM uploads").all()).results).toEqual([]);
  });

  it("has a name that is no markup", async () => {
    const { owner, streamId } = await studio();
    const name = "<img src=x onerror=alert(1)>.flv";
    const { body } = await upload([streamId, file(flv(), name)], owner.token);
    expect(body.fileName).not.toMatch(/<[a-z/!?]|\bon[a-z]+\s*=/i);
    expect(body.fileName.replaceAll("\u2060", "")).toBe(name);
    expect(await upload([streamId, file(flv(), name)], owner.token)).toMatchObject({ status: 200, body });
  });

  it("is a form or JSON", async () => {
    const { owner } = await studio();
    const post = (body: string, type: string) =>
      call("/vod/upload", { method: "POST", token: owner.token, body, headers: { "Content-Type": type } });
    expect((await post("x", "text/plain")).status).toBe(415);
    expect((await post("{", "application/json")).status).toBe(400);
    expect((await post("{}", "application/json")).status).toBe(400);
  });
});

describe("a recording that is in the bucket already", () => {
  const register = (body: object, proof = PROOF, token?: string) =>
    call(`/vod/upload${proof}`, { method: "POST", token, body });

  it("is taken from under the prefix alone, once", async () => {
    const { stream } = await studio();
    const path = `recordings/show-${stream.id}.flv`;
    await env.FILES.put(path, flv(2000, 5));
    await env.FILES.put(`private/${stream.id}.flv`, flv(2000, 5));
    const first = await register({ path, streamId: stream.id, duration: 3 });
    expect(first).toMatchObject({ status: 201, body: { fileName: `show-${stream.id}.flv`, size: 2000, duration: 3 } });
    expect(await register({ path, streamKey: stream.streamKey })).toMatchObject({
      status: 200,
      body: { id: first.body.id },
    });
    const played = await fetchContent(first.body.id);
    expect(new Uint8Array(await played.arrayBuffer())).toEqual(flv(2000, 5));
    for (const bad of [
      `private/${stream.id}.flv`,
      `recordings/../private/${stream.id}.flv`,
      `/recordings/show-${stream.id}.flv`,
      "recordings/",
      `recordings//show-${stream.id}.flv`,
      `recordings\\..\\private/${stream.id}.flv`,
    ]) {
      expect((await register({ path: bad, streamId: stream.id })).status, bad).toBe(403);
    }
    expect((await register({ path: "recordings/none.flv", streamId: stream.id })).status).toBe(404);
    expect((await register({ path }, PROOF)).status).toBe(400);
    // What JavaScript would take for a number is none.
    for (const bad of [true, [stream.id], "", " ", "0x1", null, {}, 1.5, -1]) {
      expect((await register({ path, streamId: bad })).status, JSON.stringify(bad)).toBe(400);
    }
    expect((await register({ path, streamId: stream.id, duration: null })).status).toBe(400);
    expect((await register({ path, streamId: String(stream.id) })).status).toBe(200);
    const other = await studio();
    expect((await register({ path, streamId: other.stream.id })).status).toBe(409);
  });

  it("is looked at like any other", async () => {
    const { stream } = await studio();
    const put = (name: string, bytes: Uint8Array) => env.FILES.put(`recordings/${name}`, bytes);
    await put("empty.flv", new Uint8Array(0));
    await put("small.flv", flv(100));
    await put("page.flv", new TextEncoder().encode("<html>".repeat(500)));
    const status = async (name: string) => (await register({ path: `recordings/${name}`, streamId: stream.id })).status;
    expect(await status("empty.flv")).toBe(400);
    expect(await status("small.flv")).toBe(400);
    expect(await status("page.flv")).toBe(415);
  });

  it("is taken from an owner only below the stream's own folder", async () => {
    const { owner, stream } = await studio();
    await env.FILES.put(`recordings/${stream.id}/a.flv`, flv(2000, 6));
    await env.FILES.put(`recordings/someone-elses-${stream.id}.flv`, flv(2000, 6));
    const own = await register({ path: `recordings/${stream.id}/a.flv`, streamId: stream.id }, "", owner.token);
    expect(own.status).toBe(201);
    const others = { path: `recordings/someone-elses-${stream.id}.flv`, streamId: stream.id };
    expect((await register(others, "", owner.token)).status).toBe(403);
    expect((await register(others, "")).status).toBe(401);
  });
});
