import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, costOf, mintUser } from "./support/api.ts";
import { mintStream, nginx } from "./support/media.ts";

const idsOf = async (query: string): Promise<number[]> => {
  const { body } = await call(`/streams?limit=100&${query}`);
  return body.streams.map(({ id }: { id: number }) => id);
};
const soon = () => new Date(Date.now() + 3_600_000).toISOString();

describe("making a stream", () => {
  it("answers the stream, and its key this once", async () => {
    const owner = await mintUser("caster");
    const input = { title: "1 < 2 & <b>bold</b>", description: "d", thumbnail: "/t.png", scheduledAt: soon() };
    const { status, body } = await call("/streams", { method: "POST", token: owner.token, body: input });
    expect(status).toBe(201);
    const { streamKey, ...stream } = body;
    expect(stream).toEqual({
      id: expect.any(Number),
      userId: owner.id,
      title: "1 < 2 & <\u2060b>bold<\u2060/b>",
      description: "d",
      status: "ended",
      startTime: null,
      endTime: null,
      viewerCount: 0,
      thumbnail: "/t.png",
      scheduledAt: input.scheduledAt,
      createdAt: expect.any(String),
      updatedAt: stream.createdAt,
    });
    expect(streamKey).toMatch(/^[A-Za-z0-9_-]{22,128}$/);
    for (const token of [owner.token, undefined]) {
      const seen = await call(`//streams/${stream.id}/`, { token });
      expect(seen.body).toEqual(stream);
    }
    const { results } = await env.DB.prepare("SELECT * FROM streams WHERE id = ?").bind(stream.id).all();
    expect(JSON.stringify(results)).not.toContain(streamKey);
  });

  it("needs nothing but a user", async () => {
    const owner = await mintUser("caster");
    const { status, body } = await call("//streams", { method: "POST", token: owner.token, body: {} });
    expect(status).toBe(201);
    expect(body.title).toBe(`${owner.username}'s stream`);
    expect((await call("/streams", { method: "POST", body: {} })).status).toBe(401);
  });

  it.each([
    ["title", { title: "x".repeat(256) }],
    ["title", { title: " " }],
    ["thumbnail", { thumbnail: "javascript:alert(1)" }],
    ["scheduledAt", { scheduledAt: "tomorrow" }],
    ["scheduledAt", { scheduledAt: "2026-02-30T00:00:00Z" }],
    ["scheduledAt", { scheduledAt: "2026-11-26T12:00:00" }],
    ["scheduledAt", { scheduledAt: 1795193809301 }],
    ["scheduledAt", { scheduledAt: "9999-12-31T23:59:59-23:59" }],
    ["scheduledAt", { scheduledAt: "0000-01-01T00:00:00+23:00" }],
  ])("refuses a bad %s", async (path, body) => {
    const owner = await mintUser("caster");
    const answer = await call("/streams", { method: "POST", token: owner.token, body });
    expect(answer.status).toBe(400);
    expect(answer.body.error.details).toEqual([{ path, message: expect.any(String) }]);
  });
});

describe("changing a stream", () => {
  it("is its owner's alone", async () => {
    const [owner, other] = [await mintUser("caster"), await mintUser("other")];
    const { id } = await mintStream(owner);
    const put = (token: string | undefined, streamId: number, body: object) =>
      call(`/streams/${streamId}`, { method: "PUT", token, body });
    const changed = await put(owner.token, id, { title: "New", description: null, scheduledAt: null });
    expect(changed).toMatchObject({ status: 200, body: { id, title: "New", description: null, scheduledAt: null } });
    expect((await put(other.token, id, { title: "Mine" })).status).toBe(403);
    expect((await put(undefined, id, { title: "Mine" })).status).toBe(401);
    expect((await put(owner.token, 999_999, { title: "Mine" })).status).toBe(404);
    expect((await put(owner.token, id, { title: "" })).status).toBe(400);
    expect((await call(`/streams/${id}`)).body.title).toBe("New");
  });

  it("ends what is live, and makes nothing live", async () => {
    const owner = await mintUser("caster");
    const stream = await mintStream(owner);
    const put = (body: object) => call(`/streams/${stream.id}`, { method: "PUT", token: owner.token, body });
    expect((await put({ status: "live", title: "Sneaky" })).status).toBe(400);
    expect((await call(`/streams/${stream.id}`)).body).toMatchObject({ status: "ended", startTime: null });
    expect((await call(`/streams/${stream.id}`)).body.title).not.toBe("Sneaky");
    await nginx("publish", stream.streamKey, 1);
    expect((await put({ status: "live", title: "Fine" })).body).toMatchObject({ status: "live", title: "Fine" });
    const ended = await put({ status: "ended" });
    expect(ended.body).toMatchObject({ status: "ended", endTime: expect.any(String) });
    // Doing again what is already so changes nothing.
    expect((await put({ status: "ended" })).body).toEqual(ended.body);
    expect((await put({ status: "featured" })).status).toBe(400);
  });
});

describe("a stream's key", () => {
  it("is replaced by its owner alone", async () => {
    const [owner, other] = [await mintUser("caster"), await mintUser("other")];
    const { id, streamKey } = await mintStream(owner);
    const rotate = (token?: string, streamId = id) => call(`/streams/${streamId}/key`, { method: "POST", token });
    expect((await rotate()).status).toBe(401);
    expect((await rotate(other.token)).status).toBe(403);
    expect((await rotate(owner.token, 999_999)).status).toBe(404);
    expect((await call("/streams/abc/key", { method: "POST", token: owner.token })).status).toBe(400);
    const { status, body } = await rotate(owner.token);
    expect(status).toBe(200);
    expect(body).toMatchObject({ id, userId: owner.id });
    expect(body.streamKey).not.toBe(streamKey);
    expect((await nginx("publish", streamKey, 1)).status).toBe(403);
    expect((await nginx("publish", body.streamKey, 2)).status).toBe(200);
  });
});

describe("lists", () => {
  it("show streams by status, a change at once", async () => {
    const owner = await mintUser("caster");
    const [live, popular, upcoming, plain] = [
      await mintStream(owner),
      await mintStream(owner),
      await mintStream(owner, { scheduledAt: soon() }),
      await mintStream(owner),
    ];
    const all = [live.id, popular.id, upcoming.id, plain.id];
    const mine = async (status: string) => (await idsOf(`status=${status}`)).filter((id) => all.includes(id));
    expect(await mine("live")).toEqual([]);
    await nginx("publish", popular.streamKey, 1);
    expect(await mine("live")).toEqual([popular.id]);
    await nginx("play", popular.streamKey, 11);
    await nginx("publish", live.streamKey, 2);
    expect(await mine("live")).toEqual([live.id, popular.id]);
    expect(await mine("featured")).toEqual([popular.id, live.id]);
    expect(await mine("upcoming")).toEqual([upcoming.id]);
    expect(await mine("ended")).toEqual([plain.id, upcoming.id]);
    expect(await mine("all")).toEqual([...all].reverse());
    await nginx("done", live.streamKey, 2);
    expect(await mine("live")).toEqual([popular.id]);
    expect((await mine("ended"))[0]).toBe(live.id);
  });

  it("are paged", async () => {
    const owner = await mintUser("caster");
    for (let made = 0; made < 3; made += 1) await mintStream(owner);
    const { body } = await call("//streams?page=2&limit=2");
    expect(body.streams).toHaveLength(Math.min(2, body.pagination.total - 2));
    expect(body.pagination).toMatchObject({ page: 2, limit: 2, pages: Math.ceil(body.pagination.total / 2) });
    for (const query of ["page=0", "limit=0", "limit=101", "status=dead", "page=x"]) {
      expect((await call(`/streams?${query}`)).status).toBe(400);
    }
  });

  it("cost one small read while nothing changes, however long they are", async () => {
    const owner = await mintUser("caster");
    for (let made = 0; made < 12; made += 1) {
      const { streamKey } = await mintStream(owner);
      await nginx("publish", streamKey, made);
      if (made > 5) await nginx("update_publish", streamKey, made);
    }
    const list = () => call("/streams?status=live&limit=50");
    const first = await list();
    const again = await list();
    expect(again.body).toEqual(first.body);
    expect(costOf(first).d1_rows_read).toBeGreaterThan(12);
    expect(costOf(again)).toMatchObject({ d1_queries: 1, object_calls: 0 });
    expect(costOf(again).d1_rows_read).toBeLessThanOrEqual(3);
    await nginx("publish", (await mintStream(owner)).streamKey, 99);
    const changed = await list();
    expect(changed.body.pagination.total).toBe(first.body.pagination.total + 1);
  });
});

describe("one stream", () => {
  it("is there for anyone, or not at all", async () => {
    expect((await call("/streams/999999")).status).toBe(404);
    expect((await call("/streams/0")).status).toBe(400);
    expect((await call("/streams/x")).status).toBe(400);
    expect((await call("/streams/1", { token: "not-a-token" })).status).toBe(401);
  });

  it("shows its viewers while it is live, and the most at once afterwards", async () => {
    const stream = await mintStream(await mintUser("caster"));
    const viewers = async () => (await call(`/streams/${stream.id}`)).body.viewerCount;
    await nginx("publish", stream.streamKey, 1);
    expect(await viewers()).toBe(0);
    for (const client of [11, 12, 13]) await nginx("play", stream.streamKey, client);
    expect(await viewers()).toBe(3);
    for (const client of [11, 12]) await nginx("play_done", stream.streamKey, client);
    expect(await viewers()).toBe(1);
    await nginx("publish_done", stream.streamKey, 1);
    expect(await viewers()).toBe(3);
    await nginx("publish", stream.streamKey, 2);
    expect(await viewers()).toBe(0);
  });
});
