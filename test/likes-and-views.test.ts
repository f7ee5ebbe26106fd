import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { runCron } from "../src/cron.ts";
import { call, costOf, mintKnown, mintUser } from "./support/api.ts";
import { get, mintVideo, noticeTypesOf, post, remove } from "./support/social.ts";
import { openHub } from "./support/socket.ts";

const view = (id: number, address: string, token?: string) =>
  call(`/videos/${id}/view`, { method: "POST", token, headers: { "CF-Connecting-IP": address } });

describe("likes", () => {
  it("count once and tell the owner once, however often and however parallel", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const { id, title } = await mintVideo(ann);
    const hub = await openHub(ann);
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(bob, `/videos/${id}/like`)));
    expect(answers.map(({ status, body }) => [status, body])).toEqual(
      answers.map(() => [200, { liked: true, likes: 1 }]),
    );
    const note = await hub.next("notification:new");
    expect(note.data).toEqual({
      id: expect.any(Number),
      userId: ann.id,
      type: "like",
      refId: id,
      createdAt: expect.stringMatching(/\.\d{3}Z$/),
      seen: false,
      actor: { id: bob.id, username: bob.username, avatarUrl: null },
      target: { type: "video", id, title },
    });
    expect((await hub.next("notification:unseen_count")).data).toEqual({ count: 1 });
    await hub.expectNothing("notification:new", "notification:unseen_count");
    expect((await get(bob, `/videos/${id}`)).body).toMatchObject({ likes: 1, isLiked: true });
    expect((await get(ann, `/videos/${id}`)).body).toMatchObject({ likes: 1, isLiked: false });
  });

  it("of ten people at once count ten, and the owner hears of all ten without a gap", async () => {
    const ann = await mintUser("ann");
    const people = await Promise.all(Array.from({ length: 10 }, () => mintUser("fan")));
    const { id } = await mintVideo(ann);
    const hub = await openHub(ann);
    await Promise.all(people.map((person) => post(person, `/videos/${id}/like`)));
    expect((await get(null, `/videos/${id}`)).body.likes).toBe(10);
    const notes = await hub.collect("notification:new", 10);
    expect(new Set(notes.map(({ data }) => data.actor.id))).toEqual(new Set(people.map((person) => person.id)));
    await hub.expectNothing();
    const numbered = hub.frames.filter(({ seq, type }) => seq !== undefined && type !== "connected");
    expect(numbered.map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect((await hub.collect("notification:unseen_count", 10)).at(-1)?.data).toEqual({ count: 10 });
  });

  it("are taken back; liking again counts, but is no news", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const { id } = await mintVideo(ann);
    await post(bob, `/videos/${id}/like`);
    expect((await remove(bob, `/videos/${id}/like`)).body).toEqual({ liked: false, likes: 0 });
    expect((await remove(bob, `/videos/${id}/like`)).body).toEqual({ liked: false, likes: 0 });
    expect((await post(bob, `/videos/${id}/like`)).body).toEqual({ liked: true, likes: 1 });
    expect(await noticeTypesOf(ann)).toEqual(["like"]);
  });

  it("of one's own video are no news", async () => {
    const ann = await mintUser("ann");
    const { id } = await mintVideo(ann);
    const hub = await openHub(ann);
    expect((await post(ann, `/videos/${id}/like`)).body).toEqual({ liked: true, likes: 1 });
    await hub.expectNothing("notification:new", "notification:unseen_count");
  });

  it("cost two round trips, one of them after the answer, and one call of the owner's hub", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintKnown("bob")];
    const { id } = await mintVideo(ann);
    const first = costOf(await post(bob, `/videos/${id}/like`));
    expect(first).toMatchObject({ d1_queries: 2, object_calls: 1 });
    expect(first.d1_rows_read).toBeLessThan(40);
    expect(costOf(await post(bob, `/videos/${id}/like`))).toMatchObject({ d1_queries: 1, object_calls: 0 });
  });

  it("need a token and a video", async () => {
    const ann = await mintUser("ann");
    const { id } = await mintVideo(ann);
    expect((await post(null, `/videos/${id}/like`)).status).toBe(401);
    expect((await remove(null, `/videos/${id}/like`)).status).toBe(401);
    expect((await post(ann, "/videos/999999999/like")).status).toBe(404);
    expect((await remove(ann, "/videos/999999999/like")).status).toBe(404);
    expect((await post(ann, "/videos/x/like")).status).toBe(400);
  });
});

describe("views", () => {
  it("count once per person in 30 minutes, signed in or known by address", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const { id } = await mintVideo(ann);
    expect((await view(id, "192.0.2.1", bob.token)).body).toEqual({ counted: true, views: 1 });
    // The same person elsewhere; then strangers at two addresses.
    expect((await view(id, "192.0.2.2", bob.token)).body).toEqual({ counted: false, views: 1 });
    expect((await view(id, "192.0.2.2")).body).toEqual({ counted: true, views: 2 });
    expect((await view(id, "192.0.2.2")).body).toEqual({ counted: false, views: 2 });
    expect((await view(id, "192.0.2.3")).body).toEqual({ counted: true, views: 3 });
    const parallel = await Promise.all(Array.from({ length: 10 }, () => view(id, "192.0.2.4")));
    expect(parallel.filter(({ body }) => body.counted)).toHaveLength(1);
    expect((await get(null, `/videos/${id}`)).body.views).toBe(4);
  });

  it("count again after 30 minutes, and not a moment before", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const { id } = await mintVideo(ann);
    const lastCounted = (minutesAgo: number) =>
      env.DB.prepare("INSERT OR REPLACE INTO video_views VALUES (?, ?, ?)")
        .bind(id, `user:${bob.id}`, Date.now() - minutesAgo * 60_000)
        .run();
    await lastCounted(29.9);
    expect((await view(id, "", bob.token)).body.counted).toBe(false);
    await lastCounted(30);
    expect((await view(id, "", bob.token)).body.counted).toBe(true);
    expect((await view(id, "", bob.token)).body.counted).toBe(false);
  });

  it("are forgotten by the cron once they are too old to matter, and stay counted", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const { id } = await mintVideo(ann);
    const other = await mintVideo(ann);
    await view(id, "", bob.token);
    await view(other.id, "", bob.token);
    await env.DB.prepare("UPDATE video_views SET counted_at = ? WHERE video_id = ?")
      .bind(Date.now() - 31 * 60_000, id)
      .run();
    await runCron(env, { waitUntil: () => {} });
    const { results } = await env.DB.prepare("SELECT video_id FROM video_views WHERE viewer = ?")
      .bind(`user:${bob.id}`)
      .all();
    expect(results).toEqual([{ video_id: other.id }]);
  });

  it("need a video", async () => {
    expect((await view(999_999_999, "192.0.2.9")).status).toBe(404);
    expect((await post(null, "/videos/x/view")).status).toBe(400);
  });
});

describe("shares", () => {
  it("are counted", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const { id } = await mintVideo(ann);
    await Promise.all([post(bob, `/videos/${id}/share`), post(ann, `/videos/${id}/share`)]);
    expect(await post(bob, `/videos/${id}/share`)).toMatchObject({ status: 200, body: { shares: 3 } });
    expect((await post(null, `/videos/${id}/share`)).status).toBe(401);
    expect((await post(bob, "/videos/999999999/share")).status).toBe(404);
  });
});
