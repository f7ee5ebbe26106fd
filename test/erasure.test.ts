/** Erasure through the front door: what it does beyond the social tables, which admin-actions.test.ts holds to theirs. */

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { startContext } from "../src/context.ts";
import { sweepOutbox } from "../src/db/outbox-sweep.ts";
import { STREAM_ROOM_SCHEMA } from "../src/features/streams/schema.ts";
import { WebhookEventType } from "../src/features/webhooks/contract.ts";
import { mintAdmin, run } from "./support/admin.ts";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { makeEndpoint, standIn } from "./support/backend.ts";
import { passTime } from "./support/clock.ts";
import { stubsOf, whereStands, whereStandsIn } from "./support/everywhere.ts";
import { mintStream } from "./support/media.ts";
import { setBack } from "./support/old-objects.ts";
import { mintGroup, openRoom, post } from "./support/rooms.ts";
import { SAMPLES } from "./support/samples.ts";
import { openHub, openSocket } from "./support/socket.ts";
import { connectSocketIo } from "./support/socketio.ts";
import { gif, metadata, tus } from "./support/tus.ts";

const erase = (admin: { token: string }, user: { id: number }) =>
  call(`/admin/users/${user.id}`, { method: "DELETE", token: admin.token, body: { reason: "asked for" } });
const messagesOf = async (user: { token: string }, roomId: string) =>
  (await call(`/rooms/${roomId}/messages`, { token: user.token })).body.messages;
const outboxOf = (...targets: string[]) =>
  run("SELECT target FROM outbox WHERE target IN (SELECT value FROM json_each(?))", JSON.stringify(targets));

/** Bob owns a group with ann in it, belongs to one of hers, and wrote in both. */
async function bobInTwoRooms() {
  const { roomId: his, people } = await mintGroup("bob", "ann");
  const [bob, ann] = people;
  const made = await call("/rooms", {
    method: "POST",
    token: ann.token,
    body: { name: "Hers", isGroup: true, memberIds: [bob.id] },
  });
  const hers: string = made.body.id;
  for (const roomId of [his, hers]) {
    await post(bob, roomId, "by bob");
    await post(ann, roomId, "by ann");
  }
  return { bob, ann, his, hers };
}

async function expectAnonymous(ann: { id: number; token: string }, rooms: string[]): Promise<void> {
  for (const roomId of rooms) {
    const [newer, older] = await messagesOf(ann, roomId);
    expect(newer).toMatchObject({ userId: ann.id, content: "by ann" });
    expect(older).toMatchObject({ userId: null, username: "Deleted user", content: "by bob" });
  }
}

describe("rooms of an erased user", () => {
  it("hear of it before the answer, close their sockets, pass on, and stay anonymous after eviction", async () => {
    const [admin, { bob, ann, his, hers }] = [await mintAdmin(), await bobInTwoRooms()];
    const [hub, inHers] = [await openHub(bob), await openRoom(bob, hers)];
    const bystander = await openRoom(ann, hers);
    expect((await erase(admin, bob)).status).toBe(200);
    expect(await outboxOf(`room:${his}`, `room:${hers}`, `erase:${bob.id}`)).toEqual([]);
    for (const socket of [hub, inHers]) {
      expect((await socket.nextClose()).code).toBe(4003);
    }
    expect((await bystander.ask("send_message", { content: "still here" })).error).toBeUndefined();
    for (const roomId of [his, hers]) await evictDurableObject(env.CHAT_ROOM.getByName(roomId));
    await expectAnonymous(ann, [his]);
    expect(JSON.stringify(await messagesOf(ann, hers))).not.toContain(bob.username);
    expect((await call(`/rooms/${his}`, { token: ann.token })).body).toMatchObject({ ownerId: ann.id, memberCount: 1 });
    for (const table of ["room_members", "user_references"]) {
      expect(await run(`SELECT * FROM ${table} WHERE user_id = ?`, bob.id), table).toEqual([]);
    }
  });

  it("have no reaction of theirs, and those where they were alone are gone", async () => {
    const [admin, { bob, ann, hers }] = [await mintAdmin(), await bobInTwoRooms()];
    const [newer] = await messagesOf(ann, hers);
    const reactions = `/rooms/${hers}/messages/${newer.id}/reactions`;
    expect((await call(reactions, { method: "POST", token: bob.token, body: { emoji: "👍" } })).status).toBe(200);
    const alone = (await call("/rooms", { method: "POST", token: bob.token, body: { isGroup: true, name: "alone" } }))
      .body.id;
    expect((await erase(admin, bob)).status).toBe(200);
    expect((await messagesOf(ann, hers))[0]).toMatchObject({ id: newer.id, reactions: [] });
    expect((await call(`/rooms/${alone}`, { token: ann.token })).status).toBe(404);
  });

  it("name them no more where the database had not heard of their first message", async () => {
    const { bob, ann, hers } = await bobInTwoRooms();
    const room = env.CHAT_ROOM.getByName(hers);
    // As if he had been erased before the room recorded him.
    await run("DELETE FROM user_references WHERE user_id = ?", bob.id);
    await run("DELETE FROM users WHERE id = ?", bob.id);
    await runInDurableObject(room, (_, state) => {
      state.storage.sql.exec("UPDATE user_references SET is_recorded = 0");
    });
    await evictDurableObject(room);
    await expectAnonymous(ann, [hers]);
  });

  it("are made anonymous by the sweep when the worker dies after the row is gone, or before the rooms heard", async () => {
    const { bob, ann, his, hers } = await bobInTwoRooms();
    const sweep = () => sweepOutbox(startContext({ env, later: () => {} }));
    await run("DELETE FROM users WHERE id = ?", bob.id);
    await run("INSERT INTO outbox (target, payload, created_at) VALUES (?, '{}', 1)", `erase:${bob.id}`);
    await sweep();
    await expectAnonymous(ann, [his, hers]);
    expect(await outboxOf(`room:${his}`, `room:${hers}`, `erase:${bob.id}`)).toEqual([]);

    const second = await bobInTwoRooms();
    const payload = JSON.stringify({ type: "anonymise", userId: second.bob.id });
    await run("DELETE FROM users WHERE id = ?", second.bob.id);
    // As the rooms' batch leaves it, untold; the job itself is still there, too, and repeats.
    for (const target of [`room:${second.his}`, `room:${second.hers}`]) {
      await run("INSERT INTO outbox (target, payload, created_at) VALUES (?, ?, 1)", target, payload);
    }
    await run("DELETE FROM user_references WHERE user_id = ?", second.bob.id);
    await run("INSERT INTO outbox (target, payload, created_at) VALUES (?, '{}', 1)", `erase:${second.bob.id}`);
    await sweep();
    await expectAnonymous(second.ann, [second.his, second.hers]);
    expect(await run("SELECT * FROM room_members WHERE user_id = ?", second.bob.id)).toEqual([]);
  });
});

describe("video sessions that an erased user hosts", () => {
  it("end for everybody and are gone; those of others go on", async () => {
    const [admin, bob, ann] = [await mintAdmin(), await mintUser("bob"), await mintUser("ann")];
    const make = async (user: { token: string }): Promise<string> =>
      (await call("/webrtc/sessions", { method: "POST", token: user.token, body: {} })).body.id;
    const [his, hers] = [await make(bob), await make(ann)];
    const enter = async (id: string) => {
      const socket = await openSocket(`/webrtc/sessions/${id}/ws?token=${ann.token}`);
      await socket.ask("webrtc:join_session", { sessionId: id, role: "student" });
      return socket;
    };
    const [inHis, inHers] = [await enter(his), await enter(hers)];
    expect((await erase(admin, bob)).status).toBe(200);
    expect((await inHis.nextClose()).code).toBe(4004);
    expect((await inHers.ask("webrtc:join_session", { sessionId: hers, role: "student" })).error).toBeUndefined();
    expect((await call(`/webrtc/sessions/${his}`, { token: ann.token })).status).toBe(404);
    expect((await call(`/webrtc/sessions/${hers}`, { token: ann.token })).status).toBe(200);
    expect(await outboxOf(`webrtc:${his}`)).toEqual([]);
  });
});

const say = (user: { token: string }, streamId: number, message: string) =>
  call(`/streams/${streamId}/chat`, { method: "POST", token: user.token, body: { message } });
const chatOf = async (user: { token: string }, streamId: number) =>
  (await call(`/streams/${streamId}/chat`, { token: user.token })).body.messages;
const NOBODY = { userId: null, username: "Deleted user" };

describe("the chat of others' streams", () => {
  const audience = async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const { id } = await mintStream(ann);
    return { ann, bob, id, room: env.STREAM_ROOM.getByName(String(id)) };
  };
  const referencesOf = (user: { id: number }) => run("SELECT target FROM user_references WHERE user_id = ?", user.id);

  it("has a row in the database per author, none per message, and none on a message's way", async () => {
    const { ann, bob, id, room } = await audience();
    const written = () =>
      runInDurableObject(
        room,
        (_, { storage }) => storage.sql.exec<{ n: number }>("SELECT total_changes() AS n").one().n,
      );
    await say(ann, id, "zero");
    await chatOf(ann, id);
    const before = await written();
    for (const message of ["one", "two", "three"]) await say(bob, id, message);
    await chatOf(ann, id);
    // A row in the object per message, three for the author (how they are shown, and that the database knows them), and
    // one for what somebody without a socket here has spent.
    expect((await written()) - before).toBe(3 + 3 + 1);
    await expect.poll(() => referencesOf(bob)).toEqual([{ target: `stream:${id}` }]);
    // The first of all is told at once; who comes soon after waits for the alarm, or for somebody who reads.
    const eve = await mintUser("eve");
    await say(eve, id, "four");
    expect(await referencesOf(eve)).toEqual([]);
    await evictDurableObject(room);
    await runInDurableObject(room, (object) => object.alarm());
    expect(await referencesOf(eve)).toEqual([{ target: `stream:${id}` }]);
    expect(await run("SELECT user_id FROM user_references WHERE target = ?", `stream:${id}`)).toHaveLength(3);
  });

  it("is nobody's in history and replay at once, in its place, and stays so after eviction", async () => {
    const { ann, bob, id, room } = await audience();
    const [admin, socket] = [await mintAdmin(), await openSocket(`/streams/${id}/ws?token=${ann.token}`)];
    const { epoch } = await socket.next("connected");
    await say(ann, id, "by ann");
    const { body: said } = await say(bob, id, "I'm <b>here</b> & 😀");
    await say(bob, id, "deleted");
    await call(`/streams/${id}/chat/${said.seq + 1}`, { method: "DELETE", token: ann.token });
    expect((await erase(admin, bob)).status).toBe(200);
    const expectNobody = async () => {
      const [newer, older, ...more] = await chatOf(ann, id);
      expect(newer).toEqual({ ...said, ...NOBODY });
      expect([older.userId, older.username, more]).toEqual([ann.id, ann.username, []]);
      const replay = await openSocket(`/streams/${id}/ws?token=${ann.token}&since=0&epoch=${epoch}`);
      const [first, second] = await replay.collect("chat_message", 2);
      expect(first?.data).toEqual(older);
      expect(second).toEqual({ type: "chat_message", data: { ...said, ...NOBODY }, seq: said.seq });
      await replay.collect("chat_message_deleted", 2);
      expect(JSON.stringify(replay.frames)).not.toContain(bob.username);
      replay.close();
    };
    await expectNobody();
    await evictDurableObject(room);
    await expectNobody();
    expect(await referencesOf(bob)).toEqual([]);
    await runInDurableObject(room, (_, state) => {
      const rows = state.storage.sql.exec("SELECT * FROM log").toArray();
      expect(rows.filter((row) => row.user_id === bob.id || String(row.frame).includes(bob.username))).toEqual([]);
      expect(state.storage.sql.exec("SELECT * FROM user_references WHERE user_id = ?", bob.id).toArray()).toEqual([]);
    });
    // What was nobody's is moderated like all else.
    const path = `/streams/${id}/chat/${said.id}`;
    expect((await call(path, { method: "DELETE", token: ann.token })).status).toBe(200);
    expect(await chatOf(ann, id)).toHaveLength(1);
  });

  it("is nobody's although the worker dies before the room was told, and when it is told twice", async () => {
    const { ann, bob, id, room } = await audience();
    await say(bob, id, "by bob");
    await expect.poll(() => referencesOf(bob)).toHaveLength(1);
    await run("DELETE FROM users WHERE id = ?", bob.id);
    await run("INSERT INTO outbox (target, payload, created_at) VALUES (?, '{}', 1)", `erase:${bob.id}`);
    const sweep = () => sweepOutbox(startContext({ env, later: () => {} }));
    await sweep();
    expect(await chatOf(ann, id)).toMatchObject([{ ...NOBODY, message: "by bob" }]);
    expect(await outboxOf(`erase:${bob.id}`, `stream:${id}`)).toEqual([]);

    const eve = await mintUser("eve");
    await say(eve, id, "by eve");
    await chatOf(ann, id);
    // As the batch leaves it, untold; the job itself is still there, too, and repeats.
    await run("DELETE FROM users WHERE id = ?", eve.id);
    await run("DELETE FROM user_references WHERE user_id = ?", eve.id);
    const payload = JSON.stringify({ type: "anonymise", userId: eve.id });
    for (let times = 0; times < 2; times += 1) {
      await run("INSERT INTO outbox (target, payload, created_at) VALUES (?, ?, 1)", `stream:${id}`, payload);
    }
    await run("INSERT INTO outbox (target, payload, created_at) VALUES (?, '{}', 1)", `erase:${eve.id}`);
    await evictDurableObject(room);
    await sweep();
    expect(await chatOf(ann, id)).toMatchObject([
      { ...NOBODY, message: "by eve" },
      { ...NOBODY, message: "by bob" },
    ]);
  });

  it("written by somebody who was erased meanwhile is nobody's before anybody reads it", async () => {
    const { ann, bob, id, room } = await audience();
    await say(ann, id, "by ann");
    // Within ten seconds of ann's: the database has not heard of bob.
    await say(bob, id, "by bob");
    await run("DELETE FROM users WHERE id = ?", bob.id);
    expect(await chatOf(ann, id)).toMatchObject([{ ...NOBODY, message: "by bob" }, { userId: ann.id }]);
    const eve = await mintUser("eve");
    await say(eve, id, "by eve");
    await run("DELETE FROM users WHERE id = ?", eve.id);
    await runDurableObjectAlarm(room);
    expect(await chatOf(ann, id)).toMatchObject([NOBODY, NOBODY, { userId: ann.id }]);
    expect(await run("SELECT * FROM user_references WHERE user_id IN (?, ?)", bob.id, eve.id)).toEqual([]);
  });

  it("of a stream that is gone leaves no row", async () => {
    const { ann, bob, id } = await audience();
    await say(bob, id, "by bob");
    await expect.poll(() => referencesOf(bob)).toHaveLength(1);
    await run("DELETE FROM users WHERE id = ?", ann.id);
    await sweepOutbox(startContext({ env, later: () => {} }), -60_000);
    expect(await outboxOf(`stream:${id}`)).toEqual([]);
    expect(await referencesOf(bob)).toEqual([]);
  });

  it("was written before the room kept its authors: they are found when it wakes", async () => {
    const { ann, bob, id, room } = await audience();
    const data = { message: "by bob", username: bob.username, userId: bob.id };
    await runInDurableObject(room, (_, { storage: { sql } }) =>
      setBack(sql, STREAM_ROOM_SCHEMA.steps.slice(0, 1), () => {
        const frame = JSON.stringify({ type: "chat_message", data, seq: 1 });
        sql.exec("INSERT INTO log (seq, at, frame, user_id) VALUES (1, 1000, ?, ?)", frame, bob.id);
      }),
    );
    await evictDurableObject(room);
    await chatOf(ann, id);
    expect(await referencesOf(bob)).toEqual([{ target: `stream:${id}` }]);
  });
});

describe("the attendance of others' sessions", () => {
  const session = async () => {
    const [host, bob] = [await mintUser("host"), await mintUser("bob")];
    const { id }: { id: string } = (await call("/webrtc/sessions", { method: "POST", token: host.token, body: {} }))
      .body;
    const enter = async (user: TestUser) => {
      const socket = await openSocket(`/webrtc/sessions/${id}/ws?token=${user.token}`);
      await socket.next("connected");
      await socket.ask("webrtc:join_session", { sessionId: id, displayName: user.username });
      return socket;
    };
    const attendance = async () =>
      (await call(`/webrtc/sessions/${id}/attendance`, { token: host.token })).body.attendance;
    return { host, bob, id, enter, attendance };
  };

  it("keeps an erased guest's stay, but not whose it was; who is still there leaves", async () => {
    const { host, bob, id, enter, attendance } = await session();
    const [admin, hosting] = [await mintAdmin(), await enter(host)];
    const [earlier, now] = [await enter(bob), "webrtc:leave_session"];
    await earlier.ask(now, { sessionId: id });
    const present = await enter(bob);
    expect((await attendance()).map(({ userId }: { userId: number }) => userId)).toEqual([host.id, bob.id, bob.id]);
    expect((await erase(admin, bob)).status).toBe(200);
    expect((await present.nextClose()).code).toBe(4003);
    await hosting.collect("webrtc:user_left", 2);
    const expectNobody = async () => {
      const rows = await attendance();
      expect(rows).toHaveLength(3);
      expect(rows[0]).toMatchObject({ userId: host.id, leftAt: null });
      for (const row of rows.slice(1)) expect(row).toMatchObject({ userId: null, leftAt: expect.any(String) });
    };
    await expectNobody();
    const room = env.WEBRTC_ROOM.getByName(id);
    await evictDurableObject(room);
    await expectNobody();
    await runInDurableObject(room, (_, state) => {
      const { sql } = state.storage;
      for (const table of ["present", "stays", "user_references"]) {
        expect(sql.exec(`SELECT * FROM ${table} WHERE user_id = ?`, bob.id).toArray(), table).toEqual([]);
      }
    });
  });

  it("names nobody who was erased before the database had heard of them", async () => {
    const { host, bob, enter, attendance } = await session();
    await enter(host);
    await enter(bob);
    await run("DELETE FROM users WHERE id = ?", bob.id);
    const rows = await attendance();
    expect(rows.map(({ userId }: { userId: number | null }) => userId)).toEqual([host.id, null]);
    expect(await run("SELECT * FROM user_references WHERE user_id = ?", bob.id)).toEqual([]);
  });
});

/** Whoever came within ten seconds of others is recorded by the alarm. */
async function ringGateways(): Promise<void> {
  passTime(11);
  for (const stub of await stubsOf(env.SOCKET_GATEWAY)) await runInDurableObject(stub, (gateway) => gateway.alarm());
}

async function ringSenders(): Promise<void> {
  passTime(11);
  for (const stub of await stubsOf(env.WEBHOOK_SENDER)) await runInDurableObject(stub, (sender) => sender.alarm());
}

describe("what is kept for Socket.IO clients that are away", () => {
  const inGateways = (...words: string[]) => whereStandsIn(env.SOCKET_GATEWAY, words);

  /** Bob and ann in ann's room, ann over Socket.IO. */
  const pair = async () => {
    const { bob, ann, hers } = await bobInTwoRooms();
    const client = await connectSocketIo(ann);
    expect(await client.ask("join_room", { roomId: hers })).toMatchObject({ success: true });
    const { sid, pid } = await client.connected();
    const lose = async () => {
      client.lose();
      await client.end();
    };
    return { admin: await mintAdmin(), bob, ann, hers, client, sid, pid, lose };
  };

  it("has nothing of an erased user: a client that would have heard of them begins anew", async () => {
    const { admin, bob, ann, hers, client, sid, pid, lose } = await pair();
    await lose();
    await post(bob, hers, "something by bob");
    await expect.poll(() => inGateways(bob.username)).not.toEqual([]);
    await ringGateways();
    expect(await run("SELECT target FROM user_references WHERE user_id = ? AND target > 'g'", bob.id)).toContainEqual({
      target: `gateway:${pid.split(".")[0]}`,
    });
    expect((await erase(admin, bob)).status).toBe(200);
    expect(await inGateways(bob.username, "something by bob")).toEqual([]);
    const back = await connectSocketIo(ann, { pid, offset: client.offset });
    expect(back.welcome?.sid).not.toBe(sid);
  });

  it("names nobody who was erased before they were kept, or before the database had heard of them; others go on", async () => {
    const { admin, bob, ann, hers, client, sid, pid, lose } = await pair();
    await post(bob, hers, "something by bob");
    await client.next("new_message");
    await post(ann, hers, "something by ann");
    await client.next("new_message");
    expect((await erase(admin, bob)).status).toBe(200);
    // What the gateway has of bob's is only in its memory until now.
    await lose();
    const back = await connectSocketIo(ann, { pid, offset: client.offset });
    expect(back.welcome?.sid).not.toBe(sid);
    await expect.poll(() => inGateways(bob.username, "something by bob")).toEqual([]);
    await back.ask("join_room", { roomId: hers });
    back.lose();
    await back.end();
    await post(ann, hers, "more by ann");
    const third = await connectSocketIo(ann, { pid: back.welcome?.pid, offset: back.offset });
    expect(third.welcome?.sid).toBe(back.welcome?.sid);
    expect(await third.next("new_message")).toMatchObject({ content: "more by ann" });
  });

  it("does not outlast those for whom it was kept, however often their gateway sleeps", async () => {
    const { hers, ann, lose, pid } = await pair();
    await lose();
    await post(ann, hers, "xyzzy by ann");
    await expect.poll(() => inGateways("xyzzy by ann")).not.toEqual([]);
    // Somebody else is always away, and the gateway never sees two minutes pass.
    const gateway = env.SOCKET_GATEWAY.getByName(`gw:${pid.split(".")[0]}`);
    await runInDurableObject(gateway, async (_, { storage }) => {
      const [mine] = [...(await storage.list<{ expiresAt: number; after: number }>({ prefix: "lost:" }))];
      if (!mine) throw new Error("Nobody is away");
      await storage.put(mine[0], { ...mine[1], after: mine[1].after + 100 });
    });
    await evictDurableObject(gateway);
    expect(await inGateways("xyzzy by ann")).toEqual([]);
  });
});

describe("somebody who left one of everything", () => {
  const backend = standIn();

  const as = (user: { token: string }, method: string, path: string, body?: unknown) =>
    call(path, { method, token: user.token, body });

  /** What Bob says everywhere but in rooms and chats, where it stays as nobody's. */
  const WORDS = "xyzzy-plugh";

  /** Bob's of everything, with ann, who did each thing before him. */
  async function leaveEverything(bob: TestUser, ann: TestUser) {
    const id = async (made: Promise<{ body: { id: number } }>) => (await made).body.id;
    const { roomId, people } = await mintGroup("host");
    const [host] = people;
    for (const { id: userId } of [ann, bob]) await as(host, "POST", `/rooms/${roomId}/members`, { userId });
    const { id: streamId } = await mintStream(host);
    const sessionId = String((await as(host, "POST", "/webrtc/sessions", {})).body.id);
    const hers = await id(as(ann, "POST", "/videos", { title: "hers", videoUrl: "https://cdn.example.com/v.mp4" }));
    await as(bob, "PATCH", "/auth/me", { displayName: `${WORDS} himself`, bio: `${WORDS} and more`, phone: WORDS });
    const away = await connectSocketIo(ann);
    await away.ask("join_room", { roomId });
    away.lose();
    await away.end();
    for (const [user, name] of [
      [ann, "ann"],
      [bob, "bob"],
    ] as const) {
      await post(user, roomId, `room message of ${name}`);
      await say(user, streamId, `chat line of ${name}`);
      const socket = await openSocket(`/webrtc/sessions/${sessionId}/ws?token=${user.token}`);
      await socket.ask("webrtc:join_session", { sessionId, displayName: user.username });
      await as(user, "POST", "/comments", {
        videoId: hers,
        content: `comment of ${name}${name === "bob" ? `: ${WORDS}, @${ann.username}` : ""}`,
      });
    }
    const form = new FormData();
    form.set("file", new Blob([SAMPLES.png ?? ""]), `${WORDS}.png`);
    form.set("folder", `${WORDS}s`);
    expect((await call("/files/upload", { method: "POST", token: bob.token, body: form })).status).toBe(201);
    const video = new FormData();
    video.set("file", new Blob([SAMPLES.mp4 ?? ""]), `${WORDS}.mp4`);
    video.set("title", `${WORDS} the film`);
    video.set("description", WORDS);
    const { status, body: his } = await call("/videos", { method: "POST", token: bob.token, body: video });
    expect(status).toBe(201);
    const below = await as(ann, "POST", "/comments", { videoId: his.id, content: "below his" });
    // The title of his video goes to others by what others do there.
    const reply = { videoId: his.id, parentId: below.body.id, content: `see @${ann.username}` };
    expect((await as(host, "POST", "/comments", reply)).status).toBe(201);
    const named = {
      "Upload-Length": "20000",
      "Upload-Metadata": metadata({ filename: `${WORDS}.gif`, folder: WORDS }),
    };
    const begun = await tus("", "POST", named, undefined, bob);
    expect(begun.status).toBe(201);
    const part = { "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream" };
    const sent = await tus(begun.headers.get("location") ?? "", "PATCH", part, gif(1000), bob);
    expect(sent.status).toBe(204);
    for (const [user, other] of [
      [bob, ann],
      [ann, bob],
    ] as const) {
      const reason = user === bob ? WORDS : "spam";
      await as(user, "POST", "/reports", { targetType: "user", targetId: other.id, reason, details: reason });
      await as(user, "POST", `/users/${other.id}/follow`);
      await as(user, "POST", "/messages", { receiverId: other.id, content: user === bob ? WORDS : "hello" });
      await as(user, "POST", `/videos/${hers}/like`);
      await as(user, "POST", `/videos/${hers}/view`);
    }
    await as(bob, "POST", "/friends", { friendId: ann.id });
    const { id: hisStream } = await mintStream(bob, { title: WORDS, description: WORDS });
    await as(bob, "POST", "/webrtc/sessions", { title: WORDS });
    await as(bob, "POST", "/rooms", { isGroup: true, name: "his", memberIds: [ann.id] });
    await run(
      "INSERT INTO identities (issuer, subject, user_id) VALUES ('https://id.example', ?, ?)",
      `sub-${bob.id}`,
      bob.id,
    );
    return { host, roomId, streamId, sessionId, hers, his: Number(his.id), hisStream };
  }

  /** What admins did to him and he did as one, and what of his was put aside on its way to ann. */
  async function leaveRecords(admin: TestUser, bob: TestUser, ann: TestUser) {
    const video = { title: WORDS, videoUrl: "https://cdn.example.com/v.mp4" };
    const { body: second } = await as(bob, "POST", "/videos", video);
    await as(admin, "PUT", `/admin/videos/${second.id}/visibility`, { visibility: "private" });
    await as(admin, "DELETE", `/admin/videos/${second.id}`, { reason: "too long" });
    await as(admin, "POST", `/admin/users/${bob.id}/deactivate`);
    await as(admin, "POST", `/admin/users/${bob.id}/restore`);
    await as(admin, "PUT", `/admin/users/${bob.id}/role`, { role: "admin" });
    await as(bob, "POST", `/admin/users/${ann.id}/verify`);
    await as(admin, "PUT", `/admin/users/${bob.id}/role`, { role: "user" });
    const message = { id: 1, senderId: bob.id, receiverId: ann.id, content: WORDS, seen: false };
    const notice = { id: 1, actor: { id: bob.id, username: bob.username } };
    const fact = { type: "message.sent", subject: "users:1-2", at: 1, data: message };
    await run(
      "INSERT INTO outbox_parked (id, target, payload, created_at, attempts, reason, parked_at) VALUES (?, 'webhook:messages', ?, 1, 5, '', 1)",
      bob.id * 1000 + 9,
      JSON.stringify(fact),
    );
    for (const [at, data] of [message, notice].entries()) {
      await run(
        "INSERT INTO outbox_parked (id, target, payload, created_at, attempts, reason, parked_at) VALUES (?, ?, ?, 1, 5, '', 1)",
        bob.id * 1000 + at,
        `user:${ann.id}`,
        JSON.stringify({ frames: [{ type: "message:new", data }] }),
      );
    }
  }

  /** Every row of every table that names this id in a column for people, or one of these words anywhere. */
  async function rowsAbout(userId: number, words: string[]) {
    const tables = await run<{ name: string }>(
      "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '_cf%'",
    );
    const found: string[] = [];
    for (const { name } of tables) {
      for (const row of await run(`SELECT * FROM "${name}"`)) {
        const isTheirs = Object.entries(row).some(
          ([column, value]) =>
            (/^(user|owner|author|actor|sender|receiver|reporter|host|follower|followed|blocker|blocked|low|high|viewer)_id$/.test(
              column,
            ) &&
              value === userId) ||
            words.some((word) => String(value).includes(word)),
        );
        if (isTheirs) found.push(`${name} ${JSON.stringify(row)}`);
      }
    }
    return found;
  }

  it("leaves messages, lines and stays of nobody, an identity that opens no account, the admin's record, and no more", async () => {
    const [admin, ann, bob] = [await mintAdmin(), await mintUser("ann"), await mintUser("bob")];
    const before = (await env.FILES.list()).objects.length;
    await makeEndpoint(backend, admin, WebhookEventType.options);
    const left = await leaveEverything(bob, ann);
    await leaveRecords(admin, bob, ann);
    const events = await openHub(ann, "&since=0");
    const { seq: missed } = await events.next("message:new");
    const standing = await whereStands([bob.username, WORDS, btoa(WORDS)]);
    for (const kind of ["D1", "USER_HUB", "CHAT_ROOM", "STREAM_ROOM", "SOCKET_GATEWAY", "WEBHOOK_SENDER"]) {
      expect(standing).toContainEqual(expect.stringMatching(new RegExp(`^${kind}`)));
    }
    await ringGateways();
    expect((await rowsAbout(bob.id, [bob.username])).length).toBeGreaterThan(15);
    expect((await env.FILES.list()).objects.length).toBe(before + 3);
    expect((await erase(admin, bob)).status).toBe(200);
    await sweepOutbox(startContext({ env, later: () => {} }), -60_000);

    expect(await messagesOf(ann, left.roomId)).toMatchObject([
      { ...NOBODY, content: "room message of bob" },
      { userId: ann.id, content: "room message of ann" },
    ]);
    expect(await chatOf(ann, left.streamId)).toMatchObject([
      { ...NOBODY, message: "chat line of bob" },
      { userId: ann.id, message: "chat line of ann" },
    ]);
    const { attendance } = (await as(left.host, "GET", `/webrtc/sessions/${left.sessionId}/attendance`)).body;
    expect(attendance.map(({ userId }: { userId: number | null }) => userId)).toEqual([ann.id, null]);
    const { comments } = (await as(ann, "GET", `/videos/${left.hers}/comments`)).body;
    expect(comments).toMatchObject([{ content: "comment of ann" }]);
    for (const gone of [`/videos/${left.his}`, `/streams/${left.hisStream}`, `/users/${bob.id}`]) {
      expect((await as(ann, "GET", gone)).status, gone).toBe(404);
    }
    expect((await as(ann, "GET", `/videos/${left.hers}`)).body).toMatchObject({ likes: 1 });
    expect(await run("SELECT user_id FROM identities WHERE subject = ?", `sub-${bob.id}`)).toEqual([{ user_id: 0 }]);
    expect((await as(bob, "GET", "/auth/me")).status).toBe(401);
    expect(
      await run("SELECT action, details FROM audit WHERE target_type = 'user' AND target_id = ?", String(bob.id)),
    ).toEqual(["deactivate", "restore", "role", "role", "delete"].map((action) => ({ action, details: null })));
    expect(await run("SELECT admin_username FROM audit WHERE admin_id = ?", bob.id)).toEqual([
      { admin_username: "Deleted user" },
    ]);
    // What the list of rooms shows of the newest message is written by the room, after the answer.
    await expect.poll(() => rowsAbout(bob.id, [bob.username])).toEqual([]);
    // Endpoints were told that he was erased, and which files are no more; then that is gone as well.
    await ringSenders();
    await expect.poll(() => whereStands([bob.username, WORDS, btoa(WORDS)])).toEqual([]);
    const erased = { userId: bob.id, username: bob.username };
    const told = backend.heard.flatMap(({ events }) => events).filter(({ type }) => type === "user.erased");
    expect(told).toMatchObject([{ data: erased }]);
    // In the place of a frame that is no more there is another: nobody's position goes missing.
    const again = await openHub(ann, `&since=${Number(missed) - 1}`);
    expect(await again.nextFrame()).toEqual({ type: "erased", data: {}, seq: missed });
    expect((await env.FILES.list()).objects.length).toBe(before);
  });
});

describe("an erasure that is refused", () => {
  it("changes nothing", async () => {
    const [admin, bob] = [await mintAdmin(), await mintUser("bob")];
    const { roomId, people } = await mintGroup("lone", "ann");
    const [lone, ann] = people;
    await post(lone, roomId, "by lone");
    const others = await run<{ id: number }>("SELECT id FROM users WHERE role = 'admin'");
    await run("UPDATE users SET role = 'user' WHERE role = 'admin'");
    await run("UPDATE users SET role = 'admin' WHERE id = ?", lone.id);
    const refused = await erase(lone, lone);
    await run(
      "UPDATE users SET role = 'admin' WHERE id IN (SELECT value ->> 'id' FROM json_each(?))",
      JSON.stringify(others),
    );
    expect([refused.status, refused.body.error.code]).toEqual([409, "CONFLICT"]);
    expect(await outboxOf(`erase:${lone.id}`, `room:${roomId}`)).toEqual([]);
    expect((await messagesOf(ann, roomId))[0]).toMatchObject({ userId: lone.id, content: "by lone" });
    expect((await call(`/rooms/${roomId}`, { token: ann.token })).body).toMatchObject({ ownerId: lone.id });
    expect((await erase(bob, lone)).status).toBe(403);
    expect((await call("/auth/me", { token: admin.token })).status).toBe(200);
  });
});

describe("very many files of an erased user", () => {
  it("go in rounds, whoever deletes the row, with their bytes, and no bytes but theirs", async () => {
    const [bob, ann] = [await mintUser("bob"), await mintUser("ann")];
    const insert = `INSERT INTO files (id, owner_id, folder, name, original_name, category, mime_type, size, sha256, key, created_at)
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
      SELECT 'f' || ?1 || '-' || i, ?1, 'f' || ?1, i, i, 'other', 'text/plain', 1, 'x', 'many/' || ?1 || '/' || i, 1 FROM n`;
    // As text: a bound number is a REAL, which would be spelt with ".0".
    await run(insert, String(bob.id), 1203);
    await run(insert, String(ann.id), 1);
    const keys = [1, 500, 501, 1203].map((at) => `many/${bob.id}/${at}`);
    for (const key of [...keys, `many/${ann.id}/1`]) await env.FILES.put(key, "x");
    await run("DELETE FROM users WHERE id = ?", bob.id);
    expect(await run("SELECT count(*) AS n FROM files WHERE owner_id = ?", bob.id)).toEqual([{ n: 703 }]);
    expect(await outboxOf(`erase:${bob.id}`)).toHaveLength(1);
    const ctx = startContext({ env, later: () => {} });
    for (let sweeps = 0; sweeps < 5; sweeps += 1) await sweepOutbox(ctx, -60_000);
    expect(await run("SELECT id FROM files WHERE owner_id = ?", bob.id)).toEqual([]);
    expect(await outboxOf(`erase:${bob.id}`, ...keys.map((key) => `file:${key}`))).toEqual([]);
    for (const key of keys) expect(await env.FILES.head(key), key).toBeNull();
    expect(await env.FILES.head(`many/${ann.id}/1`)).not.toBeNull();
  });
});
