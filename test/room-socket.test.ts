import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call, mintUser } from "./support/api.ts";
import { personOf } from "./support/callers.ts";
import { at } from "./support/items.ts";
import { mintGroup, openRoom, post, promote } from "./support/rooms.ts";
import { openSocket, type TestSocket } from "./support/socket.ts";

const DURABLE = ["new_message", "message_updated", "message_deleted", "reaction"];
const evict = (roomId: string) => evictDurableObject(env.CHAT_ROOM.getByName(roomId));

async function two() {
  const { roomId, people } = await mintGroup("ann", "bob");
  const [ann, bob] = people;
  return { roomId, ann, bob, annSocket: await openRoom(ann, roomId), bobSocket: await openRoom(bob, roomId) };
}

const said = async (socket: TestSocket, content: string, more: object = {}) =>
  (await socket.ask("send_message", { content, ...more })).data;

describe("a message", () => {
  it("reaches every member in one order, with the contract's keys, and no other room", async () => {
    const { roomId, ann, annSocket, bobSocket } = await two();
    const { roomId: otherRoom, people } = await mintGroup("eve");
    const eve = await openRoom(people[0], otherRoom);
    const ack = await annSocket.ask("send_message", { content: "I'm <3 & 1 < 2 👍" });
    expect(ack.type).toBe("ack");
    for (const socket of [annSocket, bobSocket]) {
      const frame = await socket.next("new_message");
      expect(frame).toEqual({ type: "new_message", seq: 1, data: ack.data });
      expect(Object.keys(frame.data)).toEqual(
        "id roomId seq userId username avatarUrl content type fileUrl replyTo createdAt messageId user_id room_id message_id".split(
          " ",
        ),
      );
      expect(frame.data).toMatchObject({ roomId, seq: 1, userId: ann.id, username: ann.username, type: "text" });
      expect(frame.data.content).toBe("I'm <3 & 1 < 2 👍");
      await socket.expectNothing(...DURABLE, "user_joined", "typing", "read");
    }
    await eve.expectNothing("new_message");
  });

  it("with a clientMessageId that was used before is the same message, and no second event", async () => {
    const { roomId, ann, annSocket, bobSocket } = await two();
    const first = await said(annSocket, "once", { clientMessageId: "c1" });
    const again = await said(annSocket, "once", { clientMessageId: "c1" });
    const overRest = await post(ann, roomId, "once", { clientMessageId: "c1" });
    const bobs = await said(bobSocket, "mine", { clientMessageId: "c1" });
    expect([again.id, overRest.body.id, overRest.status]).toEqual([first.id, first.id, 201]);
    expect(bobs.id).not.toBe(first.id);
    expect((await bobSocket.collect("new_message", 2)).map((frame) => frame.seq)).toEqual([1, 2]);
    await bobSocket.expectNothing("none");
    expect(bobSocket.frames.filter(({ type }) => type === "new_message")).toHaveLength(2);
  });

  it("with a file needs no text; without both it is refused, over REST as well", async () => {
    const { roomId, ann, annSocket, bobSocket } = await two();
    annSocket.send({ type: "send_message", data: { content: "", file_url: "/api/v1/files/view/images/a.png" } });
    const first = await bobSocket.next("new_message");
    expect(first.data).toMatchObject({ content: "", fileUrl: "/api/v1/files/view/images/a.png" });
    await annSocket.ask("send_message", { fileUrl: "https://example.com/b.png", reply_to: first.data.id });
    expect((await bobSocket.next("new_message")).data).toMatchObject({ content: "", replyTo: first.data.id });
    expect((await post(ann, roomId, "", { fileUrl: "/a.png" })).status).toBe(201);
    await bobSocket.next("new_message");
    for (const data of [{}, { content: " " }, { content: "", fileUrl: null }])
      expect((await annSocket.ask("send_message", data)).error).toMatchObject({ code: "INVALID_MESSAGE" });
    expect((await post(ann, roomId, "")).status).toBe(400);
    await bobSocket.expectNothing("new_message");
  });

  it("and all frames that name a user, a room or a message do so in both cases, live and replayed", async () => {
    const { roomId, ann, bob, annSocket, bobSocket } = await two();
    const { id } = await said(annSocket, "Hello");
    await annSocket.ask("edit_message", { messageId: id, content: "Hallo" });
    await bobSocket.ask("reaction", { message_id: id, emoji: "👍" });
    await annSocket.ask("delete_message", { messageId: id });
    await bobSocket.ask("read", { seq: 1 });
    await bobSocket.ask("typing", {});
    await annSocket.next("typing");
    const replayed = await openRoom(ann, roomId, "&since=0");
    await replayed.collect("message_deleted", 1);
    bobSocket.close();
    await annSocket.next("user_left");
    const frames = [...annSocket.frames, ...replayed.frames].filter(({ id, data }) => id === undefined && data?.roomId);
    expect(new Set(frames.map(({ type }) => type)).size).toBe(9);
    for (const { data } of frames.filter(({ type }) => type === "new_message")) expect(data.message_id).toBe(data.id);
    for (const { data } of frames) {
      for (const one of [data, ...(data.users ?? [])]) {
        expect([one.user_id, one.room_id, one.message_id]).toEqual([one.userId, one.roomId, one.messageId]);
      }
    }
    expect(bob.id).toBe(annSocket.frames.find(({ type }) => type === "typing")?.data.user_id);
  });

  it("may have 5000 characters or only emoji; 5001 fail, and markup comes out inert", async () => {
    const { annSocket } = await two();
    expect((await annSocket.ask("send_message", { content: "x".repeat(5000) })).type).toBe("ack");
    expect((await annSocket.ask("send_message", { content: "😀".repeat(5000) })).type).toBe("ack");
    expect((await annSocket.ask("send_message", { content: "👩‍👩‍👧" })).type).toBe("ack");
    const tooLong = await annSocket.ask("send_message", { content: "x".repeat(5001) });
    expect(tooLong).toMatchObject({ type: "error", error: { code: "INVALID_MESSAGE" } });
    const { content } = await said(annSocket, "<script>alert(1)</script>");
    expect(content).not.toMatch(/<[a-z/]/i);
  });

  it("of 5000 characters that has to be made inert passes over REST too", async () => {
    const { roomId, ann } = await two();
    const { status } = await post(ann, roomId, "<b>".repeat(1666));
    expect(status).toBe(201);
  });
});

describe("what becomes of a message", () => {
  it("edits, deletions and reactions take the next seq each and reach everybody", async () => {
    const { roomId, ann, bob, annSocket, bobSocket } = await two();
    const { id } = await said(annSocket, "frist");
    const edit = await annSocket.ask("edit_message", { messageId: id, content: "first" });
    expect(edit.data).toMatchObject({ id, content: "first", seq: 1 });
    const added = await bobSocket.ask("reaction", { messageId: id, emoji: "👍" });
    expect(added.data).toEqual({ messageId: id, userId: bob.id, emoji: "👍", action: "added", count: 1 });
    await annSocket.ask("reaction", { messageId: id, emoji: "👍" });
    const removed = await bobSocket.ask("reaction", { messageId: id, emoji: "👍" });
    expect(removed.data).toMatchObject({ action: "removed", count: 1 });
    await annSocket.ask("delete_message", { messageId: id });
    for (const socket of [annSocket, bobSocket]) {
      await socket.collect("message_deleted", 1);
      const frames = socket.frames.filter(({ type }) => DURABLE.includes(type));
      expect(frames.map(({ type, seq }) => [type, seq])).toEqual([
        ["new_message", 1],
        ["message_updated", 2],
        ["reaction", 3],
        ["reaction", 4],
        ["reaction", 5],
        ["message_deleted", 6],
      ]);
      expect(frames[1]?.data).toMatchObject({ id, messageId: id, content: "first", userId: ann.id });
      expect(frames[3]?.data).toEqual({
        roomId,
        room_id: roomId,
        messageId: id,
        message_id: id,
        userId: ann.id,
        user_id: ann.id,
        emoji: "👍",
        action: "added",
        count: 2,
      });
      expect(frames[5]?.data).toMatchObject({ id, messageId: id, roomId, deletedBy: ann.id });
    }
  });

  it("reactions that look the same are one, shown as it was first given; flags of tags are not", async () => {
    const { annSocket, bobSocket } = await two();
    const { id } = await said(annSocket, "react to this");
    const react = async (socket: TestSocket, emoji: string, action?: string) =>
      (await socket.ask("reaction", { messageId: id, emoji, action })).data;
    expect(await react(annSocket, "❤\uFE0F")).toMatchObject({ emoji: "❤\uFE0F", action: "added", count: 1 });
    expect(await react(bobSocket, "❤")).toMatchObject({ emoji: "❤\uFE0F", action: "added", count: 2 });
    expect(await react(bobSocket, "❤")).toMatchObject({ emoji: "❤\uFE0F", action: "removed", count: 1 });
    const flag = (letters: string) =>
      String.fromCodePoint(0x1f3f4, ...[...letters].map((letter) => 0xe0000 + letter.charCodeAt(0)), 0xe007f);
    for (const letters of ["gbwls", "gbsct"]) {
      expect(await react(annSocket, flag(letters), "added")).toMatchObject({ emoji: flag(letters), count: 1 });
    }
    expect((await annSocket.ask("reaction", { messageId: id, emoji: "\uFE0F" })).error.code).toBe("INVALID_MESSAGE");
  });

  it("only its author edits it; its author, the owner and moderators among the members delete it", async () => {
    const { roomId, people } = await mintGroup("ann", "bob", "mod");
    const [ann, bob, mod] = people;
    await promote(env.DB, mod, "moderator");
    const [annSocket, bobSocket, modSocket] = [
      await openRoom(ann, roomId),
      await openRoom(bob, roomId),
      await openRoom(mod, roomId),
    ];
    const anns = await said(annSocket, "by the owner");
    const bobs = [await said(bobSocket, "one"), await said(bobSocket, "two"), await said(bobSocket, "three")];
    for (const socket of [annSocket, modSocket]) {
      const refused = await socket.ask("edit_message", { messageId: bobs[0].id, content: "no" });
      expect(refused.error.code).toBe("FORBIDDEN");
    }
    expect((await bobSocket.ask("delete_message", { messageId: anns.id })).error.code).toBe("FORBIDDEN");
    expect((await annSocket.ask("delete_message", { messageId: bobs[0].id })).type).toBe("ack");
    expect((await modSocket.ask("delete_message", { messageId: bobs[1].id })).type).toBe("ack");
    expect((await bobSocket.ask("delete_message", { messageId: bobs[2].id })).type).toBe("ack");
    expect((await bobSocket.ask("delete_message", { messageId: bobs[2].id })).error.code).toBe("NOT_FOUND");
  });

  it("a message of another room cannot be edited, reacted to or replied to here", async () => {
    const { annSocket } = await two();
    const other = await two();
    const { id } = await said(other.annSocket, "elsewhere");
    for (const [type, data] of [
      ["edit_message", { messageId: id, content: "x" }],
      ["delete_message", { messageId: id }],
      ["reaction", { messageId: id, emoji: "👍" }],
      ["send_message", { content: "x", replyTo: id }],
    ] as const) {
      expect((await annSocket.ask(type, data)).error.code).toBe("NOT_FOUND");
    }
  });
});

describe("resume", () => {
  it("replays every durable frame after `since` in order, as things are now, also after an eviction", async () => {
    const { roomId, bob, annSocket, bobSocket } = await two();
    const { epoch } = at(bobSocket.frames, 0);
    const one = await said(annSocket, "one");
    await bobSocket.collect("new_message", 1);
    bobSocket.close();
    const two_ = await said(annSocket, "two, a secret");
    await annSocket.ask("edit_message", { messageId: one.id, content: "one, better" });
    await annSocket.ask("reaction", { messageId: one.id, emoji: "🎉" });
    await annSocket.ask("delete_message", { messageId: two_.id });
    await evict(roomId);
    const back = await openSocket(`/rooms/${roomId}/ws?token=${bob.token}&since=1&epoch=${epoch}`);
    await back.collect("online_users", 1);
    expect(back.frames.map(({ type, seq }) => [type, seq])).toEqual([
      ["connected", 5],
      ["new_message", 2],
      ["message_updated", 3],
      ["reaction", 4],
      ["message_deleted", 5],
      ["online_users", undefined],
    ]);
    expect(JSON.stringify(back.frames)).not.toContain("secret");
    expect(back.frames[1]?.data).toMatchObject({ id: two_.id, content: "", isDeleted: true });
    expect(back.frames[2]?.data).toMatchObject({ id: one.id, content: "one, better" });
    expect((await annSocket.ask("send_message", { content: "still here" })).data.seq).toBe(6);
    expect((await back.next("new_message")).seq).toBe(2);
    expect((await back.next("new_message")).seq).toBe(6);
  });

  it("says resync for another epoch and for a position that never was", async () => {
    const { roomId, bob, annSocket } = await two();
    await said(annSocket, "one");
    for (const query of ["since=0&epoch=other", "since=2"]) {
      const socket = await openSocket(`/rooms/${roomId}/ws?token=${bob.token}&${query}`);
      await socket.next("connected");
      expect(await socket.next("resync")).toMatchObject({ data: { seq: 1 } });
    }
  });

  it("with batch=1 gets the same frames, in arrays", async () => {
    const { roomId, bob, annSocket } = await two();
    for (const content of ["1", "2", "3"]) await said(annSocket, content);
    const socket = await openRoom(bob, roomId, "&since=0&batch=1");
    expect(socket.messages[0]).toMatch(/^\[/);
    expect((await socket.collect("new_message", 3)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });
});

describe("presence", () => {
  it("joined is the first connection of a user, left the last; online_users follows connected", async () => {
    const { roomId, ann, bob, annSocket, bobSocket } = await two();
    expect(await annSocket.next("user_joined")).toMatchObject({ data: { userId: bob.id, username: bob.username } });
    const phone = await openSocket(`//ws/${roomId}/${bob.id}?token=${bob.token}`);
    expect((await phone.nextFrame()).type).toBe("connected");
    const online = await phone.nextFrame();
    expect(online.type).toBe("online_users");
    expect(online.data.users.map(({ userId }: { userId: number }) => userId).sort()).toEqual([ann.id, bob.id].sort());
    await annSocket.expectNothing("user_joined", "user_left");
    await evict(roomId);
    phone.close();
    await phone.nextClose();
    await annSocket.expectNothing("user_left");
    bobSocket.close();
    expect(await annSocket.next("user_left")).toMatchObject({ data: { userId: bob.id } });
  });

  it("typing goes to the others, is not stored, and has a budget of its own", async () => {
    const { roomId, ann, annSocket, bobSocket } = await two();
    await annSocket.ask("typing", { isTyping: true });
    expect(await bobSocket.next("typing")).toEqual({
      type: "typing",
      data: { roomId, room_id: roomId, userId: ann.id, user_id: ann.id, username: ann.username, isTyping: true },
    });
    await annSocket.expectNothing("typing");
    for (let at = 0; at < 9; at += 1) expect((await annSocket.ask("typing", { isTyping: false })).type).toBe("ack");
    expect((await annSocket.ask("typing", {})).error.code).toBe("RATE_LIMIT");
    expect((await annSocket.ask("send_message", { content: "goes all the same" })).data.seq).toBe(1);
  });
});

describe("read marks", () => {
  it("are shown, never go back, and end at the head", async () => {
    const { roomId, ann, bob, annSocket, bobSocket } = await two();
    for (const content of ["1", "2", "3"]) await said(annSocket, content);
    expect((await bobSocket.ask("read", { seq: 2 })).data).toEqual({ seq: 2 });
    expect(await annSocket.next("read")).toMatchObject({ type: "read", data: { roomId, userId: bob.id, seq: 2 } });
    expect((await bobSocket.ask("read", { seq: 1 })).data).toEqual({ seq: 2 });
    expect((await bobSocket.ask("read", { seq: 99 })).data).toEqual({ seq: 3 });
    expect((await annSocket.next("read")).data).toMatchObject({ roomId, userId: bob.id, seq: 3 });
    // Who sends has read: that mark is ahead already.
    expect((await annSocket.ask("read", { seq: 3 })).data).toEqual({ seq: 3 });
    await annSocket.expectNothing("read");
    expect(bobSocket.frames.filter(({ type, data }) => type === "read" && data.userId === ann.id)).toEqual([]);
  });

  it("survive an eviction", async () => {
    const { roomId, annSocket, bobSocket } = await two();
    for (const content of ["1", "2"]) await said(annSocket, content);
    await bobSocket.ask("read", { seq: 1 });
    await bobSocket.ask("read", { seq: 2 });
    await evict(roomId);
    expect((await bobSocket.ask("read", { seq: 1 })).data).toEqual({ seq: 2 });
  });
});

describe("the door", () => {
  it("closes 4001 without a token, 4003 for others and for who is no member, 4004 for no such room", async () => {
    const { roomId, ann, bob } = await two();
    const eve = await mintUser("eve");
    const closes = async (path: string) => (await (await openSocket(path)).nextClose()).code;
    expect(await closes(`//ws/${roomId}/${ann.id}`)).toBe(4001);
    expect(await closes(`//ws/${roomId}/${ann.id}?token=junk`)).toBe(4001);
    expect(await closes(`//ws/${roomId}/${ann.id}?token=${bob.token}`)).toBe(4003);
    expect(await closes(`/ws/${roomId}/${eve.id}?token=${eve.token}`)).toBe(4003);
    expect(await closes(`/rooms/${roomId}/ws?token=${eve.token}`)).toBe(4003);
    expect(await closes(`//ws/no-such-room/${ann.id}?token=${ann.token}`)).toBe(4004);
    expect(await closes(`/rooms/${crypto.randomUUID()}/ws?token=${ann.token}`)).toBe(4004);
    expect((await call(`//ws/${roomId}/${ann.id}`)).status).toBe(426);
  });

  it("a removed member's socket closes with 4003, and their last word was their last", async () => {
    const { roomId, ann, bob, annSocket, bobSocket } = await two();
    await call(`/rooms/${roomId}/members/${bob.id}`, { method: "DELETE", token: ann.token });
    expect((await bobSocket.nextClose()).code).toBe(4003);
    expect((await post(bob, roomId, "no")).status).toBe(403);
    expect((await (await openSocket(`/rooms/${roomId}/ws?token=${bob.token}`)).nextClose()).code).toBe(4003);
    await annSocket.expectNothing("new_message");
  });

  it("a member removed while connecting is turned away by the room itself", async () => {
    const { roomId, ann, bob } = await two();
    const room = env.CHAT_ROOM.getByName(roomId);
    const before = await env.DB.prepare("SELECT facts FROM room_facts WHERE room_id = ?").bind(roomId).first("facts");
    await call(`/rooms/${roomId}/members/${bob.id}`, { method: "DELETE", token: ann.token });
    const context = { room: JSON.parse(String(before)), readSeq: 0 };
    const late = await room.executeFor(personOf(bob), context, "send_message", { content: "too late" });
    expect(late).toMatchObject({ ok: false, error: { code: "FORBIDDEN" } });
    await call(`/rooms/${roomId}/members`, { method: "POST", token: ann.token, body: { userId: bob.id } });
    expect((await post(bob, roomId, "back again")).status).toBe(201);
  });

  it("a removal that a crash left in the outbox is told before anybody comes in again", async () => {
    const { roomId, ann, bob, bobSocket } = await two();
    await env.DB.batch([
      env.DB.prepare("DELETE FROM room_members WHERE room_id = ? AND user_id = ?").bind(roomId, bob.id),
      env.DB.prepare("UPDATE rooms SET version = version + 1 WHERE id = ?").bind(roomId),
      env.DB.prepare(
        `INSERT INTO outbox (target, payload, created_at)
         SELECT 'room:' || room_id, json_object('facts', json(facts), 'removed', ?), 0 FROM room_facts WHERE room_id = ?`,
      ).bind(bob.id, roomId),
    ]);
    expect((await post(ann, roomId, "anything")).status).toBe(201);
    expect((await bobSocket.nextClose()).code).toBe(4003);
    expect(bobSocket.frames.filter(({ type }) => type === "new_message")).toEqual([]);
  });
});

describe("a bad frame", () => {
  const BAD: [string, unknown][] = [
    ["send_message", undefined],
    ["send_message", { content: "" }],
    ["send_message", { content: " \n" }],
    ["send_message", { content: 7 }],
    ["send_message", { content: "x", type: "virus" }],
    ["send_message", { content: "x", fileUrl: "javascript:alert(1)" }],
    ["send_message", { content: "x", replyTo: 5 }],
    ["send_message", { content: "x", clientMessageId: "x".repeat(65) }],
    ["edit_message", { content: "x" }],
    ["edit_message", { messageId: "m", content: "" }],
    ["delete_message", {}],
    ["delete_message", { messageId: ["a"] }],
    ["reaction", { messageId: "m" }],
    ["reaction", { messageId: "m", emoji: "<img src=x>" }],
    ["reaction", { messageId: "m", emoji: "" }],
    ["typing", { isTyping: "yes" }],
    ["read", { seq: -1 }],
    ["read", { seq: "one" }],
    ["mute_member", { userId: ["all"] }],
    ["chat:send_message", { message: "not spoken here" }],
    ["no_such_type", {}],
  ];

  it.each(BAD)("%s %j is answered INVALID_MESSAGE, and nobody else hears of it", async (type, data) => {
    const { annSocket, bobSocket } = await two();
    const answer = await annSocket.ask(type, data);
    expect(answer).toMatchObject({ type: "error", error: { code: "INVALID_MESSAGE" } });
    await bobSocket.expectNothing(...DURABLE, "typing", "read", "error");
    expect((await annSocket.ask("send_message", { content: "alive" })).type).toBe("ack");
  });

  it("that is no JSON, no object or binary is answered, and the socket lives", async () => {
    const { annSocket } = await two();
    for (const junk of ["{", "[]", "null", "7", '{"type":7}']) {
      annSocket.send(junk);
      expect((await annSocket.next("error")).error.code).toBe("INVALID_MESSAGE");
    }
    annSocket.send(new ArrayBuffer(3));
    expect((await annSocket.next("error")).error.code).toBe("INVALID_MESSAGE");
    expect((await annSocket.ask("send_message", { content: "alive" })).type).toBe("ack");
  });
});
