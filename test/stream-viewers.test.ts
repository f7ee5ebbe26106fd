import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, mintUser } from "./support/api.ts";
import { mintStream, nginx, type TestStream } from "./support/media.ts";
import { joinStream, roomOf } from "./support/streams.ts";

describe("the viewer count", () => {
  it("counts people, not connections, and is held back for a second", async () => {
    const [owner, ann, bob] = [await mintUser("owner"), await mintUser("ann"), await mintUser("bob")];
    const stream = await mintStream(owner);
    const first = await joinStream(stream, ann);
    const count = (value: number) => ({ type: "stream:viewer_count", data: { streamId: stream.id, count: value } });
    expect(await first.next("stream:viewer_count")).toEqual(count(1));
    const second = await joinStream(stream, bob);
    const again = await joinStream(stream, bob);
    // The second change came within the second: one frame for both, when the alarm rings.
    await first.expectNothing("stream:viewer_count");
    expect(await first.next("stream:viewer_count")).toEqual(count(2));
    expect(await again.next("stream:viewer_count")).toEqual(count(2));
    again.close();
    second.close();
    expect(await first.next("stream:viewer_count")).toEqual(count(1));
    await first.expectNothing("stream:viewer_count");
  });

  it("is not lost when the object is evicted meanwhile", async () => {
    const [owner, ann, bob] = [await mintUser("owner"), await mintUser("ann"), await mintUser("bob")];
    const stream = await mintStream(owner);
    const first = await joinStream(stream, ann);
    await first.next("stream:viewer_count");
    await joinStream(stream, bob);
    await evictDurableObject(roomOf(stream));
    await runDurableObjectAlarm(roomOf(stream));
    expect(await first.next("stream:viewer_count")).toMatchObject({ data: { count: 2 } });
  });

  it("is the stream's viewerCount while it is live", async () => {
    const [owner, ann] = [await mintUser("owner"), await mintUser("ann")];
    const stream = await mintStream(owner);
    await nginx("publish", stream.streamKey, 1);
    const socket = await joinStream(stream, ann);
    await socket.next("stream:viewer_count");
    await expect.poll(async () => (await call(`/streams/${stream.id}`)).body.viewerCount).toBe(1);
    await nginx("publish_done", stream.streamKey, 1);
    expect((await call(`/streams/${stream.id}`)).body.viewerCount).toBe(1);
  });
});

describe("one number of viewers", () => {
  const viewersOf = async (stream: TestStream) => (await call(`/streams/${stream.id}`)).body.viewerCount;
  const play = async (stream: TestStream, ...clients: number[]) => {
    for (const client of clients) await nginx("play", stream.streamKey, client);
  };

  it("is told on the socket and over REST, whichever side has more: players or people in the room", async () => {
    const [owner, ann, bob, cid] = [await mintUser(), await mintUser(), await mintUser(), await mintUser()];
    const stream = await mintStream(owner);
    await nginx("publish", stream.streamKey, 1);
    await play(stream, 11, 12, 13);
    const socket = await joinStream(stream, ann);
    expect((await socket.next("stream:viewer_count")).data.count).toBe(3);
    expect(await viewersOf(stream)).toBe(3);
    await play(stream, 14);
    expect((await socket.next("stream:viewer_count")).data.count).toBe(4);
    for (const client of [11, 12, 13]) await nginx("play_done", stream.streamKey, client);
    expect((await socket.next("stream:viewer_count")).data.count).toBeLessThan(4);
    for (const user of [bob, cid]) await joinStream(stream, user);
    await expect.poll(() => socket.frames.at(-1)?.data?.count, { timeout: 5000 }).toBe(3);
    await expect.poll(() => viewersOf(stream), { timeout: 5000 }).toBe(3);
  });

  it("is remembered by an object that slept, and is that of the people alone when the stream has ended", async () => {
    const [owner, ann] = [await mintUser(), await mintUser()];
    const stream = await mintStream(owner);
    await nginx("publish", stream.streamKey, 1);
    await play(stream, 11, 12);
    const socket = await joinStream(stream, ann);
    expect((await socket.next("stream:viewer_count")).data.count).toBe(2);
    await evictDurableObject(roomOf(stream));
    const again = await joinStream(stream, ann);
    expect((await again.next("stream:viewer_count")).data.count).toBe(2);
    await nginx("publish_done", stream.streamKey, 1);
    expect((await socket.next("stream:viewer_count")).data.count).toBe(1);
    // The final figure: the most at once.
    expect(await viewersOf(stream)).toBe(2);
  });

  it("shows those who wait for a stream that never began", async () => {
    const [owner, ann] = [await mintUser(), await mintUser()];
    const stream = await mintStream(owner);
    await (await joinStream(stream, ann)).next("stream:viewer_count");
    await expect.poll(() => viewersOf(stream), { timeout: 5000 }).toBe(1);
  });

  it("of a stream that ends is one piece of news, however many played it", async () => {
    const stream = await mintStream(await mintUser());
    await nginx("publish", stream.streamKey, 1);
    await play(stream, 11, 12, 13, 14);
    await env.DB.prepare("DELETE FROM outbox WHERE target = ?").bind(`stream:${stream.id}`).run();
    const end = "UPDATE streams SET status = 'ended', session = NULL, ended_at = 2 WHERE id = ?";
    await env.DB.prepare(end).bind(stream.id).run();
    const { results } = await env.DB.prepare("SELECT payload FROM outbox WHERE target = ? ORDER BY id")
      .bind(`stream:${stream.id}`)
      .all<{ payload: string }>();
    const news = results.map(({ payload }) => JSON.parse(payload));
    expect(news.filter(({ type }) => type === "stream:players")).toEqual([{ type: "stream:players", players: 0 }]);
    expect(news).toHaveLength(2);
  });
});
