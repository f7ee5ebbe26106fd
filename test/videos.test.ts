import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, costOf, mintUser } from "./support/api.ts";
import { expectInert, get, giveRole, mintVideo, noticeTypesOf, post, remove } from "./support/social.ts";

const patch = (by: { token: string } | null, path: string, body: unknown) =>
  call(path, { method: "PATCH", token: by?.token, body });

describe("a video", () => {
  it("is published, found, changed and deleted by its owner", async () => {
    const ann = await mintUser("ann");
    const made = await post(ann, "/videos", {
      title: "Sea",
      description: "Waves & wind",
      videoUrl: "https://cdn.example.com/sea.mp4",
      thumbUrl: "/thumbs/sea.png",
      duration: 12.5,
    });
    expect(made.status).toBe(201);
    expect(made.body).toEqual({
      id: expect.any(Number),
      ownerId: ann.id,
      owner: { id: ann.id, username: ann.username, displayName: null, avatarUrl: null },
      title: "Sea",
      description: "Waves & wind",
      videoUrl: "https://cdn.example.com/sea.mp4",
      thumbUrl: "/thumbs/sea.png",
      visibility: "public",
      duration: 12.5,
      views: 0,
      likes: 0,
      comments: 0,
      shares: 0,
      isLiked: false,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    const path = `/videos/${made.body.id}`;
    const read = await get(ann, path);
    expect(read.body).toEqual(made.body);
    expect(costOf(read).d1_queries).toBeLessThanOrEqual(3);
    const changed = await patch(ann, path, { title: "Ocean", description: null });
    expect(changed).toMatchObject({ status: 200, body: { ...made.body, title: "Ocean", description: null } });
    expect((await patch(ann, path, {})).body).toEqual(changed.body);
    expect((await remove(ann, path)).body).toEqual({ success: true, message: "Video deleted" });
    expect((await get(ann, path)).status).toBe(404);
    expect((await remove(ann, path)).status).toBe(404);
  });

  it("takes its likes, comments and place in the counts along when it goes", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const { id } = await mintVideo(ann);
    await post(bob, `/videos/${id}/like`);
    await post(bob, "/comments", { videoId: id, content: "nice" });
    await post(bob, `/videos/${id}/view`);
    await remove(ann, `/videos/${id}`);
    for (const table of ["likes", "comments", "video_views"]) {
      const left = await env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE video_id = ?`).bind(id).first();
      expect(left).toEqual({ n: 0 });
    }
    expect((await get(bob, `/users/${ann.id}`)).body.videoCount).toBe(0);
  });

  it("is changed and deleted by nobody else, and by nobody who is not signed in", async () => {
    const [ann, bob, admin] = [
      await mintUser("ann"),
      await mintUser("bob"),
      await giveRole(await mintUser("admin"), "admin"),
    ];
    const { id } = await mintVideo(ann);
    for (const [by, status] of [
      [bob, 403],
      [admin, 403],
      [null, 401],
    ] as const) {
      expect((await patch(by, `/videos/${id}`, { title: "Mine now" })).status).toBe(status);
      expect((await remove(by, `/videos/${id}`)).status).toBe(status);
    }
    expect((await get(ann, `/videos/${id}`)).body.title).toBe("A day at sea");
  });

  it("takes no counter, owner or file from its maker", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const wish = { ownerId: bob.id, likes: 99, views: 99, id: 4711, createdAt: 1 };
    const { id } = await mintVideo(ann, wish);
    await patch(ann, `/videos/${id}`, { ...wish, videoUrl: "https://evil.example.com/" });
    expect((await get(ann, `/videos/${id}`)).body).toMatchObject({
      ownerId: ann.id,
      likes: 0,
      views: 0,
      videoUrl: "https://cdn.example.com/sea.mp4",
    });
  });

  it.each([
    ["no title", { title: undefined }, "title"],
    ["a blank title", { title: "  " }, "title"],
    ["a title of 256 characters", { title: "x".repeat(256) }, "title"],
    ["no link", { videoUrl: undefined }, "videoUrl"],
    ["a link that runs script", { videoUrl: "javascript:alert(1)" }, "videoUrl"],
    ["a preview that runs script", { thumbUrl: "data:text/html,<script>" }, "thumbUrl"],
    ["another visibility", { visibility: "friends" }, "visibility"],
    ["a negative duration", { duration: -1 }, "duration"],
  ])("with %s is refused, and the field named", async (_what, wrong, path) => {
    const ann = await mintUser("ann");
    const body = { title: "Sea", videoUrl: "https://cdn.example.com/sea.mp4", ...wrong };
    const answer = await post(ann, "/videos", body);
    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatchObject({ code: "INVALID_REQUEST", details: [{ path }] });
  });

  it("has a title of up to 255 characters, emoji counted as one", async () => {
    const ann = await mintUser("ann");
    expect((await mintVideo(ann, { title: "🌊".repeat(255) })).title).toBe("🌊".repeat(255));
  });

  it("carries no markup, and reads as it was typed", async () => {
    const ann = await mintUser("ann");
    const hostile = `<script>alert(1)</script><img src=x onerror=alert(1)> javascript:alert(1)`;
    const { id } = await mintVideo(ann, { title: hostile, description: hostile });
    const { body } = await get(null, `/videos/${id}`);
    for (const text of [body.title, body.description]) expectInert(text, hostile);
    for (const plain of ["I'm", "a & b", "1 < 2", "<3", "🌊👩‍👩‍👧"]) {
      const video = await mintVideo(ann, { title: plain, description: plain });
      expect(video).toMatchObject({ title: plain, description: plain });
    }
  });

  it("needs a token to be published, and an id that is one to be found", async () => {
    expect((await post(null, "/videos", { title: "Sea", videoUrl: "/sea.mp4" })).status).toBe(401);
    expect((await get(null, "/videos/sea")).status).toBe(400);
    expect((await get(null, "/videos/0")).status).toBe(400);
    expect((await get(null, "/videos/999999999")).status).toBe(404);
  });
});

describe("a private video", () => {
  it("exists only for its owner and admins, at every door", async () => {
    const [ann, bob, mod, admin] = [
      await mintUser("ann"),
      await mintUser("bob"),
      await giveRole(await mintUser("mod"), "moderator"),
      await giveRole(await mintUser("admin"), "admin"),
    ];
    const { id } = await mintVideo(ann, { visibility: "private" });
    const { body: note } = await post(ann, "/comments", { videoId: id, content: "to myself" });
    for (const by of [bob, mod]) {
      const answers = await Promise.all([
        get(by, `/videos/${id}`),
        patch(by, `/videos/${id}`, { title: "x" }),
        remove(by, `/videos/${id}`),
        post(by, `/videos/${id}/like`),
        remove(by, `/videos/${id}/like`),
        post(by, `/videos/${id}/view`),
        post(by, `/videos/${id}/share`),
        get(by, `/videos/${id}/comments`),
        post(by, "/comments", { videoId: id, content: "hi" }),
        post(by, "/comments", { videoId: id, content: "hi", parentId: note.id }),
        remove(by, `/comments/${note.id}`),
        post(by, "/reports", { targetType: "video", targetId: id, reason: "spam" }),
        post(by, "/reports", { targetType: "comment", targetId: note.id, reason: "spam" }),
      ]);
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404));
    }
    expect((await get(null, `/videos/${id}`)).status).toBe(404);
    expect((await post(null, `/videos/${id}/view`)).status).toBe(404);
    for (const by of [ann, admin]) {
      expect((await get(by, `/videos/${id}`)).body).toMatchObject({ id, visibility: "private", views: 0, comments: 1 });
      expect((await get(by, `/videos/${id}/comments`)).body.comments).toHaveLength(1);
    }
    expect(await noticeTypesOf(ann)).toEqual([]);
  });

  it("is in its owner's and admins' lists alone, and in nobody else's count", async () => {
    const [ann, bob, admin] = [
      await mintUser("ann"),
      await mintUser("bob"),
      await giveRole(await mintUser("admin"), "admin"),
    ];
    const open = await mintVideo(ann);
    const hidden = await mintVideo(ann, { visibility: "private" });
    const seenBy = async (by: { token: string } | null) => {
      const { body } = await get(by, `/users/${ann.id}/videos`);
      const profile = await get(by, `/users/${ann.id}`);
      return [body.videos.map((video: { id: number }) => video.id), body.pagination.total, profile.body.videoCount];
    };
    for (const by of [bob, null]) expect(await seenBy(by)).toEqual([[open.id], 1, 1]);
    for (const by of [ann, admin]) expect(await seenBy(by)).toEqual([[hidden.id, open.id], 2, 2]);
    const feed = await get(ann, "/videos?limit=100");
    expect(feed.body.videos.map((video: { id: number }) => video.id)).not.toContain(hidden.id);
  });
});

describe("the public feed", () => {
  it("is a page list, newest first, whose total follows every change without counting", async () => {
    const ann = await mintUser("ann");
    const total = async () => (await get(null, "/videos?limit=1")).body.pagination.total;
    const before = await total();
    const videos = [await mintVideo(ann), await mintVideo(ann), await mintVideo(ann)];
    expect(await total()).toBe(before + 3);
    const page = await get(ann, "/videos?page=2&limit=1");
    expect(page.body).toMatchObject({
      videos: [{ id: videos[1]?.id }],
      pagination: { page: 2, limit: 1, total: before + 3, pages: before + 3 },
    });
    await patch(ann, `/videos/${videos[0]?.id}`, { visibility: "private" });
    expect(await total()).toBe(before + 2);
    await patch(ann, `/videos/${videos[0]?.id}`, { visibility: "private" });
    expect(await total()).toBe(before + 2);
    await patch(ann, `/videos/${videos[0]?.id}`, { visibility: "public" });
    await remove(ann, `/videos/${videos[1]?.id}`);
    expect(await total()).toBe(before + 2);
    await remove(ann, "/auth/me");
    expect(await total()).toBe(before);
    expect((await get(null, `/videos/${videos[2]?.id}`)).status).toBe(404);
  });

  it("reads as many rows as it shows, however many there are", async () => {
    const ann = await mintUser("ann");
    for (let n = 0; n < 30; n += 1) await mintVideo(ann);
    const page = await get(null, "/videos?limit=5");
    expect(page.body.videos).toHaveLength(5);
    expect(costOf(page)).toMatchObject({ d1_queries: 1 });
    // For each: its row by index, its owner, its like.
    expect(costOf(page).d1_rows_read).toBeLessThanOrEqual(5 * 5 + 2);
  });

  it("keeps its total right when an account is erased, whether it or its videos go first", async () => {
    const totals = async () => [
      (await get(null, "/videos?limit=1")).body.pagination.total,
      await env.DB.prepare("SELECT total FROM list_totals WHERE list = 'people'").first("total"),
    ];
    const before = await totals();
    for (const order of [
      ["videos", "users"],
      ["users", "videos"],
    ]) {
      const ann = await mintUser("ann");
      for (const visibility of ["public", "public", "private"]) await mintVideo(ann, { visibility });
      for (const table of order) {
        const key = table === "users" ? "id" : "owner_id";
        await env.DB.prepare(`DELETE FROM ${table} WHERE ${key} = ?`).bind(ann.id).run();
      }
      expect(await totals()).toEqual(before);
    }
  });

  it.each(["page=0", "limit=0", "limit=101", "page=x", "limit=1.5"])("refuses %s", async (query) => {
    expect((await get(null, `/videos?${query}`)).status).toBe(400);
  });
});
