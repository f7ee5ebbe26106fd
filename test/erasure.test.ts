/** Erasure through the front door: what it does beyond the social tables, which admin-actions.test.ts holds to theirs. */

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { startContext } from "../src/context.ts";
import { sweepOutbox } from "../src/db/outbox-sweep.ts";
import { STREAM_ROOM_SCHEMA } from "../src/features/streams/schema.ts";
import { mintAdmin, run } from "./support/admin.ts";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { chatOf, erase, messagesOf, NOBODY, outboxOf, ringAll, say } from "./support/erasure.ts";
import { whereStandsIn } from "./support/everywhere.ts";
import { mintStream } from "./support/media.ts";
import { setBack } from "./support/old-objects.ts";
import { mintGroup, openRoom, post } from "./support/rooms.ts";
import { openHub, openSocket } from "./support/socket.ts";
import { connectSocketIo } from "./support/socketio.ts";

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
    await ringAll(env.SOCKET_GATEWAY);
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
