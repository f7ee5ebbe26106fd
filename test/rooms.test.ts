import { evictDurableObject, listDurableObjectIds, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { startContext } from "../src/context.ts";
import { sweepOutbox } from "../src/db/outbox-sweep.ts";
import { anonymiseAuthor } from "../src/features/rooms/erase.ts";
import { call, costOf, mintUser, type TestUser } from "./support/api.ts";
import { mintGroup, openRoom, post, promote } from "./support/rooms.ts";

const as = (user: TestUser | undefined, method: string, path: string, body?: unknown) =>
  call(path, { method, token: user?.token, ...(body === undefined ? {} : { body }) });
const privately = (me: TestUser, other: TestUser) =>
  as(me, "POST", "/rooms", { isGroup: false, memberIds: [other.id] });
const block = (me: TestUser, other: TestUser) =>
  env.DB.prepare("INSERT INTO blocks (blocker_id, blocked_id, since) VALUES (?, ?, 0)").bind(me.id, other.id).run();
const sweep = () => sweepOutbox(startContext({ env, later: () => {} }), 0);
const roomOf = async (user: TestUser, roomId: string) =>
  (await as(user, "GET", "/rooms")).body.rooms.find(({ id }: { id: string }) => id === roomId);

async function three() {
  const { roomId, people } = await mintGroup("ann", "bob", "cid");
  const [ann, bob, cid] = people as [TestUser, TestUser, TestUser];
  return { roomId, ann, bob, cid };
}

describe("POST /rooms", () => {
  it("makes a group that its maker owns", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const made = await as(ann, "POST", "/rooms", {
      name: "Tea & cake",
      isGroup: true,
      memberIds: [bob.id, bob.id, ann.id],
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      name: "Tea & cake",
      isGroup: true,
      ownerId: ann.id,
      memberCount: 2,
      unreadCount: 0,
    });
    expect(made.body).toMatchObject({ lastMessage: null, peer: null });
    expect(costOf(made)).toMatchObject({ d1_queries: 2, object_calls: 0 });
  });

  it("finds the one private room of two people, whoever asks, also at the same moment", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const answers = await Promise.all([
      privately(ann, bob),
      privately(bob, ann),
      privately(ann, bob),
      privately(bob, ann),
    ]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 201]);
    expect(answers[0]?.body).toMatchObject({ isGroup: false, ownerId: null, name: null, peer: { id: bob.id } });
    expect((await roomOf(bob, answers[0]?.body.id)).peer).toMatchObject({ id: ann.id, username: ann.username });
  });

  it("refuses what is no room", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    for (const body of [
      {},
      { isGroup: true },
      { isGroup: true, name: " " },
      { isGroup: true, name: "x".repeat(101) },
      { isGroup: false },
      { isGroup: false, memberIds: [bob.id, bob.id + 1] },
      { isGroup: false, memberIds: [ann.id] },
      { isGroup: true, name: "x", memberIds: ["bob"] },
    ]) {
      expect((await as(ann, "POST", "/rooms", body)).status).toBe(400);
    }
    expect((await as(undefined, "POST", "/rooms", { isGroup: true, name: "x" })).status).toBe(401);
    expect((await as(ann, "POST", "/rooms", { isGroup: true, name: "x", memberIds: [999_999] })).status).toBe(404);
    await block(bob, ann);
    expect((await as(ann, "POST", "/rooms", { isGroup: true, name: "x", memberIds: [bob.id] })).status).toBe(403);
    expect((await privately(ann, bob)).status).toBe(403);
    expect((await as(ann, "GET", "/rooms")).body.rooms).toEqual([]);
  });
});

describe("GET /rooms", () => {
  it("has the last message and what is unread, at once, from one query and the rooms that are busy", async () => {
    const { roomId, ann, bob } = await three();
    for (const text of ["one", "two", "three"]) await post(ann, roomId, text);
    const room = await roomOf(bob, roomId);
    expect(room).toMatchObject({ unreadCount: 3, lastMessage: { content: "three", userId: ann.id, seq: 3 } });
    expect((await roomOf(ann, roomId)).unreadCount).toBe(0);
    await post(bob, roomId, "sending is having read");
    expect((await roomOf(bob, roomId)).unreadCount).toBe(0);
    expect((await roomOf(ann, roomId)).unreadCount).toBe(1);
  });

  it("goes by the read mark, and leaves out what was deleted", async () => {
    const { roomId, ann, bob } = await three();
    const ids: string[] = [];
    for (const text of ["1", "2", "3", "4"]) ids.push((await post(ann, roomId, text)).body.id);
    expect((await as(bob, "POST", `/rooms/${roomId}/read`, { seq: 2 })).body).toEqual({ userId: bob.id, seq: 2 });
    expect((await roomOf(bob, roomId)).unreadCount).toBe(2);
    await as(ann, "DELETE", `/rooms/${roomId}/messages/${ids[3]}`);
    const room = await roomOf(bob, roomId);
    expect(room).toMatchObject({ unreadCount: 1, lastMessage: { id: ids[2] } });
    await as(ann, "DELETE", `/rooms/${roomId}/messages/${ids[0]}`);
    expect((await roomOf(bob, roomId)).unreadCount).toBe(1);
    expect((await as(bob, "POST", `/rooms/${roomId}/read`, { seq: 1 })).body.seq).toBe(2);
  });

  it("is right after the room fell asleep: the database has what the room knew, and the room is not asked", async () => {
    const { roomId, ann, bob } = await three();
    for (const text of ["1", "2", "3"]) await post(ann, roomId, text);
    await as(bob, "POST", `/rooms/${roomId}/read`, { seq: 1 });
    const room = env.CHAT_ROOM.getByName(roomId);
    await evictDurableObject(room);
    await env.DB.prepare("UPDATE rooms SET busy_until = 0").run();
    // What the alarm makes good after a crash: the first message alone had been told.
    await expect
      .poll(() => runDurableObjectAlarm(room).then(() => roomOf(bob, roomId)), { timeout: 15_000, interval: 500 })
      .toMatchObject({ unreadCount: 2, lastMessage: { content: "3" } });
    await env.DB.prepare("UPDATE rooms SET busy_until = 0").run();
    const list = await as(bob, "GET", "/rooms");
    expect(list.body.rooms[0]).toMatchObject({ unreadCount: 2, lastMessage: { content: "3" } });
    expect(costOf(list)).toMatchObject({ d1_queries: 2, object_calls: 0 });
  });

  it("comes in pages, and without others' rooms", async () => {
    const ann = await mintUser("ann");
    await three();
    for (const name of ["a", "b", "c"]) await as(ann, "POST", "/rooms", { isGroup: true, name });
    const page = await as(ann, "GET", "/rooms?limit=2&page=2");
    expect(page.body.rooms).toHaveLength(1);
    expect(page.body.pagination).toEqual({ page: 2, limit: 2, total: 3, pages: 2 });
    expect((await as(ann, "GET", "/rooms?limit=0")).status).toBe(400);
    expect((await as(undefined, "GET", "/rooms")).status).toBe(401);
  });
});

describe("a group", () => {
  it("is shown to its members alone", async () => {
    const { roomId, ann, bob, cid } = await three();
    const { status, body } = await as(cid, "GET", `/rooms/${roomId}`);
    expect(status).toBe(200);
    expect(body.members.map(({ id }: TestUser) => id).sort()).toEqual([ann.id, bob.id, cid.id].sort());
    expect(JSON.stringify(body)).not.toContain("@example.com");
    const eve = await mintUser("eve");
    expect((await as(eve, "GET", `/rooms/${roomId}`)).status).toBe(403);
    expect((await as(ann, "GET", `/rooms/${crypto.randomUUID()}`)).status).toBe(404);
    expect((await as(undefined, "GET", `/rooms/${roomId}`)).status).toBe(401);
  });

  it("is renamed and handed over by its owner, and the live room knows at once", async () => {
    const { roomId, ann, bob, cid } = await three();
    const socket = await openRoom(cid, roomId);
    expect((await as(bob, "PATCH", `/rooms/${roomId}`, { name: "Mine" })).status).toBe(403);
    expect((await as(ann, "PATCH", `/rooms/${roomId}`, {})).status).toBe(400);
    const renamed = await as(ann, "PATCH", `/rooms/${roomId}`, { name: "New" });
    expect(renamed.body).toMatchObject({ name: "New", ownerId: ann.id });
    expect(await socket.next("room_updated")).toMatchObject({ data: { id: roomId, name: "New" } });
    const eve = await mintUser("eve");
    expect((await as(ann, "PATCH", `/rooms/${roomId}`, { ownerId: eve.id })).status).toBe(409);
    expect((await as(ann, "PATCH", `/rooms/${roomId}`, { ownerId: bob.id })).body.ownerId).toBe(bob.id);
    const { id } = (await post(cid, roomId, "whose is this?")).body;
    expect((await as(ann, "DELETE", `/rooms/${roomId}/messages/${id}`)).status).toBe(403);
    expect((await as(bob, "DELETE", `/rooms/${roomId}/messages/${id}`)).status).toBe(200);
  });

  it("any member invites; a stranger does not, and nobody invites who has blocked them", async () => {
    const { roomId, ann, bob } = await three();
    const [eve, fay, gus] = [await mintUser("eve"), await mintUser("fay"), await mintUser("gus")];
    const invite = (by: TestUser | undefined, userId: unknown) =>
      as(by, "POST", `/rooms/${roomId}/members`, { userId });
    expect((await invite(eve, fay.id)).status).toBe(403);
    await post(ann, roomId, "before fay came");
    const invited = await invite(bob, fay.id);
    expect(invited.status).toBe(201);
    expect(invited.body).toMatchObject({ id: roomId, memberCount: 4 });
    expect((await invite(ann, fay.id)).status).toBe(200);
    expect((await roomOf(fay, roomId)).memberCount).toBe(4);
    await block(gus, bob);
    expect((await invite(bob, gus.id)).status).toBe(403);
    expect((await invite(bob, 999_999)).status).toBe(404);
    expect((await invite(bob, "gus")).status).toBe(400);
    expect((await invite(undefined, gus.id)).status).toBe(401);
    expect((await as(ann, "POST", `/rooms/${crypto.randomUUID()}/members`, { userId: gus.id })).status).toBe(404);
  });

  it("its owner and moderators in it remove members; nobody else does, and nobody removes the owner", async () => {
    const { roomId, ann, bob, cid } = await three();
    const mod = await mintUser("mod");
    await promote(env.DB, mod, "moderator");
    const remove = (by: TestUser | undefined, who: number) => as(by, "DELETE", `/rooms/${roomId}/members/${who}`);
    expect((await remove(undefined, bob.id)).status).toBe(401);
    expect((await remove(mod, bob.id)).status).toBe(403);
    expect((await remove(bob, cid.id)).status).toBe(403);
    expect((await remove(ann, mod.id)).status).toBe(404);
    await as(ann, "POST", `/rooms/${roomId}/members`, { userId: mod.id });
    expect((await remove(mod, ann.id)).status).toBe(403);
    expect((await remove(mod, bob.id)).status).toBe(200);
    expect((await remove(ann, cid.id)).status).toBe(200);
    expect((await as(ann, "GET", `/rooms/${roomId}`)).body.memberCount).toBe(2);
  });

  it("passes to its oldest member when the owner leaves, and ends with the last one", async () => {
    const { roomId, ann, bob, cid } = await three();
    const socket = await openRoom(ann, roomId);
    const leave = (user: TestUser) => as(user, "DELETE", `/rooms/${roomId}/members/${user.id}`);
    expect((await leave(ann)).status).toBe(200);
    expect((await socket.nextClose()).code).toBe(4003);
    expect((await as(cid, "GET", `/rooms/${roomId}`)).body.ownerId).toBe(bob.id);
    expect((await leave(ann)).status).toBe(403);
    await leave(bob);
    await post(cid, roomId, "alone");
    expect((await leave(cid)).status).toBe(200);
    expect((await as(cid, "GET", `/rooms/${roomId}`)).status).toBe(404);
    expect(await env.DB.prepare("SELECT count(*) AS n FROM outbox").first("n")).toBe(0);
  });

  it("is deleted by its owner: sockets close with 4004, and whoever was on the way in is turned away", async () => {
    const { roomId, ann, bob } = await three();
    const socket = await openRoom(bob, roomId);
    await post(ann, roomId, "the end");
    const facts = await env.DB.prepare("SELECT facts FROM room_facts WHERE room_id = ?").bind(roomId).first("facts");
    expect((await as(bob, "DELETE", `/rooms/${roomId}`)).status).toBe(403);
    expect((await as(undefined, "DELETE", `/rooms/${roomId}`)).status).toBe(401);
    expect((await as(ann, "DELETE", `/rooms/${roomId}`)).status).toBe(200);
    expect((await socket.nextClose()).code).toBe(4004);
    expect((await post(bob, roomId, "hello?")).status).toBe(404);
    expect((await as(ann, "DELETE", `/rooms/${roomId}`)).status).toBe(404);
    const person = { userId: bob.id, username: "bob", displayName: null, avatarUrl: null, role: "user" as const };
    const entrance = { room: JSON.parse(String(facts)), readSeq: 0 };
    const late = await env.CHAT_ROOM.getByName(roomId).executeFor(person, entrance, "send_message", {
      content: "late",
    });
    expect(late).toMatchObject({ ok: false, error: { code: "NOT_FOUND" } });
  });
});

describe("a private room", () => {
  it("has its two people and no third, no owner, and no end", async () => {
    const [ann, bob, eve] = [await mintUser("ann"), await mintUser("bob"), await mintUser("eve")];
    const { id } = (await privately(ann, bob)).body;
    expect((await as(ann, "POST", `/rooms/${id}/members`, { userId: eve.id })).status).toBe(403);
    expect((await as(ann, "DELETE", `/rooms/${id}/members/${bob.id}`)).status).toBe(403);
    expect((await as(ann, "DELETE", `/rooms/${id}/members/${ann.id}`)).status).toBe(403);
    expect((await as(ann, "PATCH", `/rooms/${id}`, { name: "x" })).status).toBe(403);
    expect((await as(ann, "DELETE", `/rooms/${id}`)).status).toBe(403);
    expect((await as(eve, "GET", `/rooms/${id}/messages`)).status).toBe(403);
  });

  it("a block stops writing in it, on every door at once, until it is lifted", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const { id } = (await privately(ann, bob)).body;
    const socket = await openRoom(ann, id);
    const mine = (await socket.ask("send_message", { content: "before" })).data;
    expect((await as(bob, "POST", `/friends/${ann.id}/block`)).status).toBe(200);
    for (const [type, data] of [
      ["send_message", { content: "no" }],
      ["edit_message", { messageId: mine.id, content: "no" }],
      ["reaction", { messageId: mine.id, emoji: "👎" }],
      ["typing", { isTyping: true }],
    ] as const) {
      expect((await socket.ask(type, data)).error.code).toBe("FORBIDDEN");
    }
    expect((await post(ann, id, "no")).status).toBe(403);
    expect((await post(bob, id, "no")).status).toBe(403);
    expect((await as(ann, "GET", `/rooms/${id}/messages`)).body.messages).toHaveLength(1);
    expect((await as(bob, "DELETE", `/friends/${ann.id}/block`)).status).toBe(200);
    expect((await socket.ask("send_message", { content: "friends again" })).type).toBe("ack");
  });
});

describe("messages over REST", () => {
  it("are sent, edited, reacted to and deleted by the same rules as on the socket", async () => {
    const { roomId, ann, bob } = await three();
    const socket = await openRoom(bob, roomId);
    const sent = await post(ann, roomId, "hello", { type: "image", fileUrl: "/api/v1/files/view/general/a.png" });
    expect(sent.status).toBe(201);
    expect(costOf(sent)).toMatchObject({ d1_queries: 2, object_calls: 1 });
    expect(await socket.next("new_message")).toEqual({ type: "new_message", seq: 1, data: sent.body });
    const path = `/rooms/${roomId}/messages/${sent.body.id}`;
    expect((await as(bob, "PATCH", path, { content: "no" })).status).toBe(403);
    expect((await as(ann, "PATCH", path, { content: "hello!" })).body).toMatchObject({ content: "hello!", seq: 1 });
    expect((await socket.next("message_updated")).seq).toBe(2);
    const reacted = await as(bob, "POST", `${path}/reactions`, { emoji: "👍" });
    expect(reacted.body).toEqual({ messageId: sent.body.id, userId: bob.id, emoji: "👍", action: "added", count: 1 });
    expect((await as(bob, "POST", `${path}/reactions`, { emoji: "👍" })).body.count).toBe(1);
    expect((await as(ann, "DELETE", `${path}/reactions`, { emoji: "👍" })).body.count).toBe(1);
    expect((await as(ann, "POST", `${path}/reactions`, { emoji: "👍" })).body.count).toBe(2);
    const [message] = (await as(bob, "GET", `/rooms/${roomId}/messages`)).body.messages;
    expect(message).toMatchObject({ content: "hello!", type: "image", editedAt: expect.any(String) });
    expect(message.reactions).toEqual([{ emoji: "👍", count: 2, userIds: [ann.id, bob.id] }]);
    expect((await as(bob, "DELETE", `${path}/reactions`, { emoji: "👍" })).body).toMatchObject({ count: 1 });
    expect((await as(bob, "DELETE", path)).status).toBe(403);
    expect((await as(ann, "DELETE", path)).body.success).toBe(true);
    expect((await as(bob, "GET", `/rooms/${roomId}/messages`)).body).toEqual({ messages: [], nextCursor: null });
    const seqs = socket.frames.flatMap(({ seq, type }) => (type === "connected" ? [] : (seq ?? [])));
    expect((await as(ann, "DELETE", path)).status).toBe(404);
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("come newest first, in pages that neither miss nor repeat", async () => {
    const { roomId, ann, bob } = await three();
    for (let at = 1; at <= 7; at += 1) await post(ann, roomId, `m${at}`);
    const texts: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page = await as(bob, "GET", `/rooms/${roomId}/messages?limit=3${cursor ? `&before=${cursor}` : ""}`);
      texts.push(...page.body.messages.map(({ content }: { content: string }) => content));
      cursor = page.body.nextCursor;
    }
    expect(texts).toEqual(["m7", "m6", "m5", "m4", "m3", "m2", "m1"]);
    const all = (await as(bob, "GET", `/rooms/${roomId}/messages`)).body.messages;
    const newer = await as(bob, "GET", `/rooms/${roomId}/messages?after=${all[2].id}`);
    expect(newer.body.messages.map(({ content }: { content: string }) => content)).toEqual(["m7", "m6"]);
    expect([...all].map(({ id }) => id).sort()).toEqual([...all].map(({ id }) => id).reverse());
  });

  it("refuse bad input, strangers and what is not there", async () => {
    const { roomId, ann } = await three();
    const eve = await mintUser("eve");
    const { id } = (await post(ann, roomId, "x")).body;
    const base = `/rooms/${roomId}/messages`;
    for (const [method, path, body] of [
      ["GET", `${base}?limit=101`, undefined],
      ["GET", `${base}?before=junk`, undefined],
      ["POST", base, { content: "" }],
      ["POST", base, { content: "x".repeat(5001) }],
      ["POST", base, { content: "x", type: "nonsense" }],
      ["PATCH", `${base}/${id}`, {}],
      ["POST", `${base}/${id}/reactions`, { emoji: "a b" }],
      ["DELETE", `${base}/${id}/reactions`, {}],
      ["POST", `/rooms/${roomId}/read`, { seq: -1 }],
      ["GET", `${base}/search?q=`, undefined],
      ["GET", `${base}/search?q=${"x".repeat(101)}`, undefined],
    ] as const) {
      expect([path, (await as(ann, method, path, body)).status]).toEqual([path, 400]);
    }
    for (const [method, path, body] of [
      ["GET", base, undefined],
      ["POST", base, { content: "x" }],
      ["PATCH", `${base}/${id}`, { content: "x" }],
      ["DELETE", `${base}/${id}`, undefined],
      ["POST", `${base}/${id}/reactions`, { emoji: "👍" }],
      ["DELETE", `${base}/${id}/reactions`, { emoji: "👍" }],
      ["GET", `${base}/search?q=x`, undefined],
      ["POST", `/rooms/${roomId}/read`, { seq: 1 }],
    ] as const) {
      expect([path, (await as(eve, method, path, body)).status]).toEqual([path, 403]);
      expect([path, (await as(undefined, method, path, body)).status]).toEqual([path, 401]);
      const elsewhere = path.replace(roomId, crypto.randomUUID());
      expect([elsewhere, (await as(ann, method, elsewhere, body)).status]).toEqual([elsewhere, 404]);
    }
    expect((await as(ann, "PATCH", `${base}/${id.slice(0, -1)}z`, { content: "x" })).status).toBe(404);
    expect((await as(ann, "DELETE", `${base}/junk`)).status).toBe(404);
  });

  it("junk ids never make an object", async () => {
    const ann = await mintUser("ann");
    const before = (await listDurableObjectIds(env.CHAT_ROOM)).length;
    for (let at = 0; at < 20; at += 1) {
      const id = at % 2 ? crypto.randomUUID() : `junk-${at}`;
      expect((await post(ann, id, "x")).status).toBe(404);
      await as(ann, "GET", `/rooms/${id}/messages/search?q=x`);
      await as(ann, "GET", `/chat/courses/${id}/messages`);
      await as(ann, "DELETE", `/chat/messages/${id}_000000001`);
    }
    expect((await listDurableObjectIds(env.CHAT_ROOM)).length).toBe(before);
  });
});

describe("search", () => {
  const find = async (user: TestUser, roomId: string, q: string) => {
    const { status, body } = await as(user, "GET", `/rooms/${roomId}/messages/search?q=${encodeURIComponent(q)}`);
    expect(status).toBe(200);
    return body.messages.map(({ content }: { content: string }) => content);
  };

  it("finds every word or part of one, whatever the case, newest first, up to the last message", async () => {
    const { roomId, ann, bob } = await three();
    for (const text of ["Hello World", "hell on earth", "ÄPFEL und Birnen", "日本語のテスト", "a 👍👍👍 day"]) {
      await post(ann, roomId, text);
    }
    expect(await find(bob, roomId, "hell")).toEqual(["hell on earth", "Hello World"]);
    expect(await find(bob, roomId, "WORLD hello")).toEqual(["Hello World"]);
    expect(await find(bob, roomId, "äpfel")).toEqual(["ÄPFEL und Birnen"]);
    expect(await find(bob, roomId, "日本")).toEqual(["日本語のテスト"]);
    expect(await find(bob, roomId, "👍👍👍")).toEqual(["a 👍👍👍 day"]);
    expect(await find(bob, roomId, "zebra")).toEqual([]);
    await post(ann, roomId, "hello once more");
    expect(await find(bob, roomId, "hello")).toEqual(["hello once more", "Hello World"]);
  });

  it("takes every character as it is: the index's language means nothing", async () => {
    const { roomId, ann, bob } = await three();
    for (const text of [
      "100% sure",
      "100 sure",
      "snake_case",
      "snakexcase",
      'say "hi there"',
      "NEAR(here)",
      "star* *",
    ]) {
      await post(ann, roomId, text);
    }
    expect(await find(bob, roomId, "%")).toEqual(["100% sure"]);
    expect(await find(bob, roomId, "100%")).toEqual(["100% sure"]);
    expect(await find(bob, roomId, "snake_case")).toEqual(["snake_case"]);
    expect(await find(bob, roomId, '"hi')).toEqual(['say "hi there"']);
    expect(await find(bob, roomId, "NEAR(")).toEqual(["NEAR(here)"]);
    expect(await find(bob, roomId, "sta*")).toEqual([]);
    for (const odd of ['"', '""', "'", "content:x", "AND OR NOT", "^abc", "-abc", "(((", "\\", "a".repeat(100)]) {
      await find(bob, roomId, odd);
    }
  });

  it("knows the new text of an edited message, and not the old one; a deleted one is gone", async () => {
    const { roomId, ann, bob } = await three();
    const { id } = (await post(ann, roomId, "the oldest wording")).body;
    const gone = (await post(ann, roomId, "to be deleted")).body.id;
    expect(await find(bob, roomId, "wording")).toHaveLength(1);
    expect(await find(bob, roomId, "deleted")).toHaveLength(1);
    await as(ann, "PATCH", `/rooms/${roomId}/messages/${id}`, { content: "the newest phrasing" });
    await as(ann, "DELETE", `/rooms/${roomId}/messages/${gone}`);
    expect(await find(bob, roomId, "wording")).toEqual([]);
    expect(await find(bob, roomId, "phrasing")).toEqual(["the newest phrasing"]);
    expect(await find(bob, roomId, "deleted")).toEqual([]);
  });

  it("goes on being right for what is old enough to be indexed", async () => {
    const { roomId, ann, bob } = await three();
    const socket = await openRoom(ann, roomId);
    const ids: string[] = [];
    for (let at = 1; at <= 70; at += 1) {
      const text = at % 10 === 0 ? `needle ${at}` : `straw ${at}`;
      ids.push((await socket.ask("send_message", { content: text })).data.id);
    }
    const needles = [70, 60, 50, 40, 30, 20, 10].map((at) => `needle ${at}`);
    expect(await find(bob, roomId, "needle")).toEqual(needles);
    await as(ann, "PATCH", `/rooms/${roomId}/messages/${ids[4]}`, { content: "a needle after all" });
    await as(ann, "PATCH", `/rooms/${roomId}/messages/${ids[19]}`, { content: "haystack" });
    await as(ann, "DELETE", `/rooms/${roomId}/messages/${ids[39]}`);
    const now = needles.filter((text) => !/20|40/.test(text));
    expect(await find(bob, roomId, "needle")).toEqual([...now, "a needle after all"]);
    expect(await find(bob, roomId, "haystack")).toEqual(["haystack"]);
    const before = `/rooms/${roomId}/messages/search?q=needle&before=${ids[49]}&after=${ids[9]}`;
    const part = (await as(bob, "GET", before)).body.messages.map(({ content }: { content: string }) => content);
    expect(part).toEqual(["needle 30"]);
    const total = await runInDurableObject(env.CHAT_ROOM.getByName(roomId), (room) => room.statistics().totalMessages);
    expect(total).toBe(69);
  });

  it("comes in pages", async () => {
    const { roomId, ann } = await three();
    for (let at = 1; at <= 5; at += 1) await post(ann, roomId, `needle ${at}`);
    const first = (await as(ann, "GET", `/rooms/${roomId}/messages/search?q=needle&limit=3`)).body;
    const rest = await as(ann, "GET", `/rooms/${roomId}/messages/search?q=needle&limit=3&before=${first.nextCursor}`);
    const all = [...first.messages, ...rest.body.messages].map(({ content }) => content);
    expect(all).toEqual(["needle 5", "needle 4", "needle 3", "needle 2", "needle 1"]);
    expect(rest.body.nextCursor).toBeNull();
  });
});

describe("moderation", () => {
  it("who is muted reads but does not write, on every door, until it ends; the owner cannot be muted", async () => {
    const { roomId, ann, bob, cid } = await three();
    const socket = await openRoom(bob, roomId);
    const { id } = (await post(bob, roomId, "mine")).body;
    const mute = (by: TestUser | undefined, who: number, body: unknown = { seconds: 60 }) =>
      as(by, "POST", `/rooms/${roomId}/members/${who}/mute`, body);
    expect((await mute(cid, bob.id)).status).toBe(403);
    expect((await mute(undefined, bob.id)).status).toBe(401);
    expect((await mute(ann, bob.id, { seconds: 0 })).status).toBe(400);
    expect((await mute(ann, 999_999)).status).toBe(404);
    expect((await mute(ann, ann.id)).status).toBe(403);
    expect((await mute(ann, bob.id)).body).toMatchObject({ userId: bob.id, mutedUntil: expect.any(String) });
    await evictDurableObject(env.CHAT_ROOM.getByName(roomId));
    expect((await post(bob, roomId, "no")).status).toBe(403);
    expect((await socket.ask("send_message", { content: "no" })).error.code).toBe("FORBIDDEN");
    expect((await socket.ask("edit_message", { messageId: id, content: "no" })).error.code).toBe("FORBIDDEN");
    expect((await socket.ask("delete_message", { messageId: id })).type).toBe("ack");
    const lifted = await as(ann, "DELETE", `/rooms/${roomId}/members/${bob.id}/mute`);
    expect(lifted.body).toEqual({ userId: bob.id, mutedUntil: null });
    expect((await socket.ask("send_message", { content: "free" })).type).toBe("ack");
  });

  it("slow mode makes members wait, also after an eviction; not who is in charge", async () => {
    const { roomId, ann, bob } = await three();
    expect((await as(bob, "PATCH", `/rooms/${roomId}`, { slowModeSeconds: 60 })).status).toBe(403);
    const slowed = await as(ann, "PATCH", `/rooms/${roomId}`, { slowModeSeconds: 60 });
    expect(slowed.body.slowModeSeconds).toBe(60);
    expect((await post(bob, roomId, "one")).status).toBe(201);
    await evictDurableObject(env.CHAT_ROOM.getByName(roomId));
    const refused = await post(bob, roomId, "two");
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(50);
    for (const text of ["a", "b"]) expect((await post(ann, roomId, text)).status).toBe(201);
  });

  it("announcements are for who is in charge", async () => {
    const { roomId, ann, bob } = await three();
    expect((await post(bob, roomId, "hear ye", { type: "announcement" })).status).toBe(403);
    expect((await post(ann, roomId, "hear ye", { type: "announcement" })).status).toBe(201);
  });

  it("100 messages a minute, socket and REST together", async () => {
    const { roomId, bob } = await three();
    const socket = await openRoom(bob, roomId);
    for (let at = 0; at < 99; at += 1) socket.send({ type: "send_message", data: { content: "x" } });
    await socket.collect("new_message", 99);
    expect((await post(bob, roomId, "the hundredth")).status).toBe(201);
    const refused = await post(bob, roomId, "one too many");
    expect([refused.status, refused.body.error.code]).toEqual([429, "RATE_LIMIT"]);
    expect((await socket.ask("send_message", { content: "x" })).error.code).toBe("RATE_LIMIT");
  });
});

describe("an erased user", () => {
  async function erase(user: TestUser) {
    const ctx = startContext({ env, later: () => {} });
    await ctx.db.batch({
      ...anonymiseAuthor(ctx, user.id),
      user: ctx.db.run(`DELETE FROM users WHERE id = ${user.id}`),
    });
    await sweep();
  }

  it("is nobody in every room they wrote in, and belongs to none; their groups pass on", async () => {
    const { roomId, ann, bob } = await three();
    const { id } = (await post(ann, roomId, "by ann")).body;
    await post(bob, roomId, "by bob");
    await as(ann, "POST", `/rooms/${roomId}/messages/${id}/reactions`, { emoji: "👍" });
    const alone = (await as(ann, "POST", "/rooms", { isGroup: true, name: "alone" })).body.id;
    await erase(ann);
    const { messages } = (await as(bob, "GET", `/rooms/${roomId}/messages`)).body;
    expect(messages[1]).toMatchObject({ id, userId: null, username: "Deleted user", content: "by ann", reactions: [] });
    expect(messages[0]).toMatchObject({ userId: bob.id });
    expect(JSON.stringify(messages)).not.toContain(ann.username);
    const { ownerId, memberCount } = (await as(bob, "GET", `/rooms/${roomId}`)).body;
    expect({ ownerId, memberCount }).toEqual({ ownerId: bob.id, memberCount: 2 });
    expect((await as(bob, "GET", `/rooms/${alone}`)).status).toBe(404);
    expect(
      await env.DB.prepare("SELECT count(*) AS n FROM room_authors WHERE user_id = ?").bind(ann.id).first("n"),
    ).toBe(0);
  });

  it("also where the database had not heard of their first message yet", async () => {
    const { roomId, ann, bob } = await three();
    await env.DB.prepare("DELETE FROM room_authors").run();
    await post(bob, roomId, "one");
    // As if the summary that names bob had not been written when he was erased.
    await env.DB.batch([
      env.DB.prepare("DELETE FROM room_authors WHERE user_id = ?").bind(bob.id),
      env.DB.prepare("DELETE FROM users WHERE id = ?").bind(bob.id),
    ]);
    const room = env.CHAT_ROOM.getByName(roomId);
    await runInDurableObject(room, (_, state) => {
      state.storage.sql.exec("UPDATE people SET is_recorded = 0");
      state.storage.sql.exec("UPDATE state SET synced_seq = 0");
    });
    await evictDurableObject(room);
    await post(ann, roomId, "two");
    await expect
      .poll(async () => (await as(ann, "GET", `/rooms/${roomId}/messages`)).body.messages[1].userId)
      .toBeNull();
  });
});
