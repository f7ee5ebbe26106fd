import { describe, expect, it } from "vitest";
import { call, costOf, mintKnown, mintUser, type TestUser } from "./support/api.ts";
import {
  comment,
  expectInert,
  get,
  giveRole,
  mintVideo,
  noticesOf,
  noticeTypesOf,
  post,
  remove,
} from "./support/social.ts";
import { openHub } from "./support/socket.ts";

const idsOf = (body: { comments: { id: number }[] }) => body.comments.map(({ id }) => id);
const notice = (type: string, refId: number, by: TestUser) => ({ type, refId, actor: { id: by.id } });

const broken = (by: TestUser) =>
  call("/comments", {
    method: "POST",
    token: by.token,
    body: "{",
    headers: { "Content-Type": "application/json" },
  });

describe("comments", () => {
  it("are answered, listed newest first with replies among them, and counted", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const { id } = await mintVideo(ann);
    const first = await comment(bob, id, "Where is this?");
    expect(first.status).toBe(201);
    expect(first.body).toEqual({
      id: expect.any(Number),
      videoId: id,
      authorId: bob.id,
      author: { id: bob.id, username: bob.username, displayName: null, avatarUrl: null },
      parentId: null,
      content: "Where is this?",
      createdAt: expect.stringMatching(/\.\d{3}Z$/),
    });
    const reply = await comment(ann, id, "At home", first.body.id);
    expect(reply.body).toMatchObject({ parentId: first.body.id });
    const { body } = await get(null, `/videos/${id}/comments`);
    expect(body).toEqual({
      comments: [reply.body, first.body],
      pagination: { page: 1, limit: 20, total: 2, pages: 1 },
    });
    const second = await get(null, `/videos/${id}/comments?page=2&limit=1`);
    expect(second.body).toMatchObject({
      comments: [first.body],
      pagination: { page: 2, limit: 1, total: 2, pages: 2 },
    });
    expect((await get(null, `/videos/${id}`)).body.comments).toBe(2);
  });

  it("that arrive ten at once are ten, and the owner hears of each without a gap", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const { id } = await mintVideo(ann);
    const hub = await openHub(ann);
    const made = await Promise.all(Array.from({ length: 10 }, (_, n) => comment(bob, id, `comment ${n}`)));
    const { body } = await get(ann, `/videos/${id}/comments`);
    expect(idsOf(body).sort()).toEqual(made.map((answer) => answer.body.id).sort());
    expect(body.pagination.total).toBe(10);
    const told = await hub.collect("notification:new", 10);
    expect(new Set(told.map(({ data }) => data.refId))).toEqual(new Set(idsOf(body)));
    await hub.expectNothing();
    const seqs = hub.frames.flatMap(({ seq, type }) => (type === "connected" ? [] : (seq ?? [])));
    expect(seqs).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  it("cost two round trips, one of them after the answer, and a call of each hub that is told", async () => {
    const [ann, bob, cat] = [await mintUser("ann"), await mintKnown("bob"), await mintKnown("cat")];
    const { id } = await mintVideo(ann);
    const first = await comment(bob, id, "Where is this?");
    expect(costOf(first)).toMatchObject({ d1_queries: 2, object_calls: 1 });
    const reply = await comment(cat, id, "At home", first.body.id);
    expect(costOf(reply)).toMatchObject({ d1_queries: 2, object_calls: 2 });
    expect(costOf(reply).d1_rows_read).toBeLessThan(80);
    expect(costOf(await get(bob, `/videos/${id}/comments`)).d1_queries).toBe(1);
  });

  it("carry no markup, and read as they were typed", async () => {
    const ann = await mintUser("ann");
    const { id } = await mintVideo(ann);
    for (const hostile of [
      "<script>alert(1)</script>",
      "<img src=x onerror=alert(1)>",
      "javascript:alert(1)",
      "</p>",
    ]) {
      expectInert((await comment(ann, id, hostile)).body.content, hostile);
    }
    for (const plain of ["I'm", "a & b", "1 < 2", "<3", "😀", "👩‍👩‍👧 🇫🇷", "Ünïcode ✓"]) {
      expect((await comment(ann, id, plain)).body.content).toBe(plain);
    }
  });

  it("have 1 to 5000 characters", async () => {
    const ann = await mintUser("ann");
    const { id } = await mintVideo(ann);
    expect((await comment(ann, id, "x".repeat(5000))).status).toBe(201);
    expect((await comment(ann, id, "😀".repeat(5000))).body.content).toBe("😀".repeat(5000));
    for (const wrong of ["", "   ", "x".repeat(5001), "😀".repeat(5001)]) {
      const answer = await comment(ann, id, wrong);
      expect(answer.status).toBe(400);
      expect(answer.body.error.details).toMatchObject([{ path: "content" }]);
    }
    expect((await get(ann, `/videos/${id}`)).body.comments).toBe(2);
  });

  it("need a token, a video, and a parent on the same video", async () => {
    const ann = await mintUser("ann");
    const [video, other] = [await mintVideo(ann), await mintVideo(ann)];
    const elsewhere = await comment(ann, other.id, "elsewhere");
    expect((await post(null, "/comments", { videoId: video.id, content: "hi" })).status).toBe(401);
    expect((await comment(ann, 999_999_999, "hi")).status).toBe(404);
    expect((await comment(ann, video.id, "hi", elsewhere.body.id)).status).toBe(404);
    expect((await comment(ann, video.id, "hi", 999_999_999)).status).toBe(404);
    expect((await post(ann, "/comments", { content: "hi" })).status).toBe(400);
    expect((await post(ann, "/comments", { videoId: "1; DROP TABLE videos", content: "hi" })).status).toBe(400);
    expect((await broken(ann)).status).toBe(400);
    expect((await get(ann, `/videos/${video.id}`)).body.comments).toBe(0);
    expect((await get(ann, "/videos/999999999/comments")).status).toBe(404);
    expect((await get(ann, `/videos/${video.id}/comments?limit=101`)).status).toBe(400);
  });
});

describe("a comment tells", () => {
  it("the video's owner of a comment, and the author of what it replies to", async () => {
    const [ann, bob, cat] = [await mintUser("ann"), await mintUser("bob"), await mintUser("cat")];
    const { id, title } = await mintVideo(ann);
    const [annHub, bobHub, catHub] = [await openHub(ann), await openHub(bob), await openHub(cat)];
    const first = await comment(bob, id, "Where?");
    const reply = await comment(cat, id, "There", first.body.id);
    expect((await annHub.next("notification:new")).data).toEqual({
      id: expect.any(Number),
      userId: ann.id,
      type: "comment",
      refId: first.body.id,
      createdAt: expect.any(String),
      seen: false,
      actor: { id: bob.id, username: bob.username, avatarUrl: null },
      target: { type: "video", id, title },
    });
    expect((await annHub.next("notification:new")).data).toMatchObject(notice("comment", reply.body.id, cat));
    expect((await annHub.next("notification:unseen_count")).data).toEqual({ count: 2 });
    expect((await bobHub.next("notification:new")).data).toMatchObject(notice("reply", reply.body.id, cat));
    expect((await bobHub.next("notification:unseen_count")).data).toEqual({ count: 1 });
    for (const hub of [annHub, bobHub, catHub]) await hub.expectNothing("notification:new");
  });

  it("each person once, of the most specific thing: a mention, else a reply, else a comment", async () => {
    const [ann, bob, cat] = [await mintUser("ann"), await mintUser("bob"), await mintUser("cat")];
    const { id } = await mintVideo(ann);
    const first = await comment(bob, id, "Where?");
    const all = await comment(cat, id, `@${ann.username} @${bob.username} look, @${bob.username}!`, first.body.id);
    expect(await noticesOf(bob)).toMatchObject([notice("mention", all.body.id, cat)]);
    expect(await noticesOf(ann)).toMatchObject([
      notice("mention", all.body.id, cat),
      notice("comment", first.body.id, bob),
    ]);
    const own = await comment(ann, id, "my own", undefined);
    await comment(bob, id, "to the owner", own.body.id);
    expect((await noticeTypesOf(ann))[0]).toBe("reply");
  });

  it("nobody of their own act", async () => {
    const ann = await mintUser("ann");
    const { id } = await mintVideo(ann);
    const first = await comment(ann, id, `me, @${ann.username}`);
    await comment(ann, id, "and again", first.body.id);
    expect(await noticeTypesOf(ann)).toEqual([]);
  });

  it("nobody, when it is refused", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const { id } = await mintVideo(ann);
    await comment(bob, id, "one");
    const hub = await openHub(ann);
    expect((await comment(bob, id, `@${ann.username}`, 999_999_999)).status).toBe(404);
    await hub.expectNothing("notification:new", "notification:unseen_count");
    expect(await noticeTypesOf(ann)).toEqual(["comment"]);
  });

  it("whoever is named, in whatever case and at the end of a sentence, but not in an address", async () => {
    const [ann, bob, dot] = [await mintUser("ann"), await mintUser("bob"), await mintUser("dot")];
    const { id } = await mintVideo(ann);
    const named = await comment(ann, id, `Thank you @${bob.username.toUpperCase()}. (@${dot.username})`);
    await comment(ann, id, `mail me@${bob.username} or x@${bob.username}.example.com, ${bob.username}, @nobody.at.all`);
    for (const user of [bob, dot]) expect(await noticesOf(user)).toMatchObject([notice("mention", named.body.id, ann)]);
  });

  it("ten named people, and not the eleventh", async () => {
    const ann = await mintUser("ann");
    const people = await Promise.all(Array.from({ length: 11 }, () => mintUser("fan")));
    const { id } = await mintVideo(ann);
    await comment(ann, id, people.map(({ username }) => `@${username}`).join(" "));
    const told = await Promise.all(people.map(noticeTypesOf));
    expect(told).toEqual([...Array.from({ length: 10 }, () => ["mention"]), []]);
  });

  it("nobody who cannot see the video, and nobody who blocked its author", async () => {
    const [ann, bob, cat] = [await mintUser("ann"), await mintUser("bob"), await mintUser("cat")];
    const hidden = await mintVideo(ann, { visibility: "private" });
    await comment(ann, hidden.id, `psst @${bob.username}`);
    expect(await noticeTypesOf(bob)).toEqual([]);
    const shown = await mintVideo(ann);
    const first = await comment(bob, shown.id, "hi");
    await post(bob, `/friends/${cat.id}/block`);
    expect((await comment(cat, shown.id, `@${bob.username}`, first.body.id)).status).toBe(201);
    expect(await noticeTypesOf(bob)).toEqual([]);
  });
});

describe("deleting a comment", () => {
  it("takes the replies along, and theirs, and counts every one", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const { id } = await mintVideo(ann);
    const kept = await comment(bob, id, "kept");
    const first = await comment(bob, id, "first");
    const reply = await comment(ann, id, "reply", first.body.id);
    await comment(bob, id, "reply to the reply", reply.body.id);
    expect(await remove(bob, `/comments/${first.body.id}`)).toMatchObject({ status: 200, body: { success: true } });
    const { body } = await get(null, `/videos/${id}/comments`);
    expect(idsOf(body)).toEqual([kept.body.id]);
    expect(body.pagination.total).toBe(1);
    expect((await get(null, `/videos/${id}`)).body.comments).toBe(1);
    expect((await remove(bob, `/comments/${first.body.id}`)).status).toBe(404);
  });

  it("twice at once counts once", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const { id } = await mintVideo(ann);
    const first = await comment(bob, id, "first");
    const both = await Promise.all([
      remove(bob, `/comments/${first.body.id}`),
      remove(ann, `/comments/${first.body.id}`),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 404]);
    expect((await get(null, `/videos/${id}`)).body.comments).toBe(0);
  });

  it("is for its author, the video's owner and moderators; for others it is forbidden", async () => {
    const [ann, bob, cat] = [await mintUser("ann"), await mintUser("bob"), await mintUser("cat")];
    const mod = await giveRole(await mintUser("mod"), "moderator");
    const { id } = await mintVideo(ann);
    for (const by of [bob, ann, mod]) {
      const { body } = await comment(bob, id, "hi");
      expect((await remove(cat, `/comments/${body.id}`)).status).toBe(403);
      expect((await remove(null, `/comments/${body.id}`)).status).toBe(401);
      expect((await get(null, `/videos/${id}`)).body.comments).toBe(1);
      expect((await remove(by, `/comments/${body.id}`)).status).toBe(200);
      expect((await get(null, `/videos/${id}`)).body.comments).toBe(0);
    }
    expect((await remove(cat, "/comments/999999999")).status).toBe(404);
    expect((await remove(cat, "/comments/x")).status).toBe(400);
  });
});
