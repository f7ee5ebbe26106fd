import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { costOf, mintUser, type TestUser } from "./support/api.ts";
import { personOf } from "./support/callers.ts";
import { as, mintThree, openRoom, post, promote } from "./support/rooms.ts";

const privately = (me: TestUser, other: TestUser) =>
  as(me, "POST", "/rooms", { isGroup: false, memberIds: [other.id] });
const block = (me: TestUser, other: TestUser) =>
  env.DB.prepare("INSERT INTO blocks (blocker_id, blocked_id, since) VALUES (?, ?, 0)").bind(me.id, other.id).run();
const roomOf = async (user: TestUser, roomId: string) =>
  (await as(user, "GET", "/rooms")).body.rooms.find(({ id }: { id: string }) => id === roomId);

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
      { isGroup: true, name: "x", memberIds: [true] },
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
    const { roomId, ann, bob } = await mintThree();
    for (const text of ["one", "two", "three"]) await post(ann, roomId, text);
    const room = await roomOf(bob, roomId);
    expect(room).toMatchObject({ unreadCount: 3, lastMessage: { content: "three", userId: ann.id, seq: 3 } });
    expect((await roomOf(ann, roomId)).unreadCount).toBe(0);
    await post(bob, roomId, "sending is having read");
    expect((await roomOf(bob, roomId)).unreadCount).toBe(0);
    expect((await roomOf(ann, roomId)).unreadCount).toBe(1);
  });

  it("goes by the read mark, and leaves out what was deleted", async () => {
    const { roomId, ann, bob } = await mintThree();
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
    const { roomId, ann, bob } = await mintThree();
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
    expect(costOf(list)).toMatchObject({ d1_queries: 1, object_calls: 0 });
  });

  it("comes in pages, and without others' rooms", async () => {
    const ann = await mintUser("ann");
    await mintThree();
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
    const { roomId, ann, bob, cid } = await mintThree();
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
    const { roomId, ann, bob, cid } = await mintThree();
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
    const { roomId, ann, bob } = await mintThree();
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
    expect((await invite(bob, [gus.id])).status).toBe(400);
    expect((await invite(bob, "nobody is called this")).status).toBe(404);
    expect((await invite(undefined, gus.id)).status).toBe(401);
    expect((await as(ann, "POST", `/rooms/${crypto.randomUUID()}/members`, { userId: gus.id })).status).toBe(404);
  });

  it("its owner and moderators in it remove members; nobody else does, and nobody removes the owner", async () => {
    const { roomId, ann, bob, cid } = await mintThree();
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
    const { roomId, ann, bob, cid } = await mintThree();
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
    const { roomId, ann, bob } = await mintThree();
    const socket = await openRoom(bob, roomId);
    await post(ann, roomId, "the end");
    const facts = await env.DB.prepare("SELECT facts FROM room_facts WHERE room_id = ?").bind(roomId).first("facts");
    expect((await as(bob, "DELETE", `/rooms/${roomId}`)).status).toBe(403);
    expect((await as(undefined, "DELETE", `/rooms/${roomId}`)).status).toBe(401);
    expect((await as(ann, "DELETE", `/rooms/${roomId}`)).status).toBe(200);
    expect((await socket.nextClose()).code).toBe(4004);
    expect((await post(bob, roomId, "hello?")).status).toBe(404);
    expect((await as(ann, "DELETE", `/rooms/${roomId}`)).status).toBe(404);
    const context = { room: JSON.parse(String(facts)), readSeq: 0 };
    const late = await env.CHAT_ROOM.getByName(roomId).executeFor(personOf(bob), context, "send_message", {
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
