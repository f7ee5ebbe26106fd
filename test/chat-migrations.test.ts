/** Objects that slept through releases: what they hold survives, in its place, under its epoch. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { CHAT_ROOM_SCHEMA } from "../src/chat/schema.ts";
import { STREAM_ROOM_SCHEMA } from "../src/features/streams/schema.ts";
import { HUB_SCHEMA } from "../src/hub/schema.ts";
import { migrate } from "../src/realtime/migrations.ts";
import { run } from "./support/admin.ts";
import { call } from "./support/api.ts";
import { mintStream } from "./support/media.ts";
import { setBack } from "./support/old-objects.ts";
import { as, mintThree, openRoom, post } from "./support/rooms.ts";
import { openSocket } from "./support/socket.ts";

describe("a room of an earlier release", () => {
  async function oldRoom() {
    const three = await mintThree();
    const { roomId, ann, bob } = three;
    const room = env.CHAT_ROOM.getByName(roomId);
    await room.summary(ann.id);
    await runInDurableObject(room, (_, { storage: { sql } }) =>
      setBack(sql, CHAT_ROOM_SCHEMA.steps.slice(0, 2), () => {
        const say =
          "INSERT INTO log (seq, at, kind, nr, user_id, type, content) VALUES (?, ?, 'message', ?, ?, 'text', ?)";
        sql.exec(say, 1, 1000, 1, ann.id, "Ein CAFE\u0301 am Morgen");
        sql.exec(say, 2, 2000, 2, bob.id, "the second");
        sql.exec(
          "INSERT INTO log (seq, at, kind, nr, user_id, target, content, action, count) VALUES (3, 3000, 'reaction', 2, ?, 1, '❤', 'added', 1)",
          bob.id,
        );
        for (const [emoji, userId] of [
          ["❤", bob.id],
          ["❤\uFE0F", ann.id],
          ["❤\uFE0F", bob.id],
        ]) {
          sql.exec("INSERT INTO reactions (message, emoji, user_id) VALUES (1, ?, ?)", emoji, userId);
        }
        sql.exec("INSERT INTO people (user_id, username, is_recorded) VALUES (?, ?, 1)", ann.id, ann.username);
        sql.exec("INSERT INTO people (user_id, username) VALUES (?, ?)", bob.id, bob.username);
        sql.exec("INSERT INTO mutes (user_id, until) VALUES (?, ?)", three.cid.id, Date.now() + 60_000);
        sql.exec("INSERT INTO state (epoch, indexed_seq) VALUES ('old-epoch', 0)");
      }),
    );
    await evictDurableObject(room);
    return three;
  }

  it("keeps its log, epoch, mutes and reactions, which count by how they look", async () => {
    const { roomId, ann, bob, cid } = await oldRoom();
    const socket = await openSocket(`/rooms/${roomId}/ws?token=${ann.token}&since=1&epoch=old-epoch`);
    expect(await socket.next("connected")).toMatchObject({ seq: 3, epoch: "old-epoch" });
    expect(await socket.next("new_message")).toMatchObject({ seq: 2, data: { content: "the second" } });
    expect(await socket.next("reaction")).toMatchObject({ seq: 3, data: { emoji: "❤", count: 1 } });
    const { messages } = (await as(ann, "GET", `/rooms/${roomId}/messages`)).body;
    expect(messages[1].reactions).toEqual([
      { emoji: expect.stringMatching(/^❤/), count: 2, userIds: [ann.id, bob.id] },
    ]);
    expect((await post(cid, roomId, "no")).status).toBe(403);
    expect((await post(bob, roomId, "goes on")).body.seq).toBe(4);
    const path = `/rooms/${roomId}/messages/search?q=${encodeURIComponent("café")}`;
    expect((await as(bob, "GET", path)).body.messages).toHaveLength(1);
    expect(await env.CHAT_ROOM.getByName(roomId).statistics()).toMatchObject({ totalMessages: 3, activeUsers: 2 });
  });

  it("records everybody it names, so that they can be erased from it", async () => {
    const { roomId, ann, bob, cid } = await oldRoom();
    await openRoom(ann, roomId);
    await as(ann, "GET", `/rooms/${roomId}/messages`);
    const recorded = await run("SELECT user_id FROM user_references WHERE target = ? ORDER BY 1", `room:${roomId}`);
    // Ann's row says that the database knows her, and is believed.
    expect(recorded).toEqual([{ user_id: bob.id }, { user_id: cid.id }]);
  });
});

describe("a stream's room of an earlier release", () => {
  /** Ann's stream. Bob wrote, and was renamed since; cid wrote, was deleted and muted; an erased user wrote. */
  async function oldStream() {
    const three = await mintThree();
    const { ann, bob, cid } = three;
    const { id } = await mintStream(ann);
    const room = env.STREAM_ROOM.getByName(String(id));
    await room.deliver([]);
    await runInDurableObject(room, (_, { storage: { sql } }) =>
      setBack(sql, STREAM_ROOM_SCHEMA.steps.slice(0, 4), () => {
        const insert = "INSERT INTO log (seq, at, frame, user_id, client_id, is_deleted) VALUES (?, ?, ?, ?, ?, ?)";
        const log = (seq: number, frame: object, userId: number | null, clientId: string | null, isDeleted: number) =>
          sql.exec(insert, seq, seq * 1000, JSON.stringify({ ...frame, seq }), userId, clientId, isDeleted);
        const said = (seq: number, userId: number | null, username: string, message: string) => ({
          type: "chat_message",
          data: {
            id: String(seq).padStart(12, "0"),
            streamId: id,
            seq,
            userId,
            username,
            message,
            timestamp: new Date(seq * 1000).toISOString(),
          },
        });
        const deleted = { type: "chat_message_deleted", data: { streamId: id, messageId: "000000000003" } };
        const live = { streamId: id, status: "live", startTime: "2026-01-01T00:00:00.000Z", endTime: null };
        log(1, said(1, bob.id, "bob_as_he_was", 'a "first" <b> 😀'), bob.id, "c1", 0);
        log(2, { type: "stream:status", data: live }, null, null, 0);
        log(3, deleted, cid.id, "c3", 1);
        log(4, deleted, null, null, 0);
        log(5, said(5, null, "Deleted user", "of nobody"), 0, null, 0);
        log(6, { type: "chat_slow_mode", data: { streamId: id, seconds: 3600 } }, null, null, 0);
        log(7, said(7, bob.id, bob.username, "the last"), bob.id, null, 0);
        sql.exec("INSERT INTO mutes (user_id, until) VALUES (?, ?)", cid.id, Date.now() + 60_000);
        sql.exec("INSERT INTO user_references (user_id, is_recorded) VALUES (?, 1)", bob.id);
        sql.exec("INSERT INTO room (epoch, owner_id, slow_seconds, shown_viewers) VALUES ('old', ?, 3600, 7)", ann.id);
        sql.exec("INSERT INTO last_delivery (id) VALUES (41)");
      }),
    );
    await evictDurableObject(room);
    const open = (user: { token: string }, query = "") => openSocket(`/streams/${id}/ws?token=${user.token}${query}`);
    return { ...three, id, room, open };
  }

  it("keeps its log frame by frame, its epoch, and what it had of the outbox", async () => {
    const { ann, bob, id, room, open } = await oldStream();
    const socket = await open(ann, "&since=0&epoch=old");
    expect(await socket.next("connected")).toMatchObject({ seq: 7, epoch: "old" });
    await socket.collect("chat_message", 3);
    const deleted = { type: "chat_message_deleted", data: { streamId: id, messageId: "000000000003" } };
    const author = { userId: bob.id, username: bob.username };
    const message = (seq: number, data: object) => ({
      type: "chat_message",
      data: { id: `00000000000${seq}`, streamId: id, seq, timestamp: new Date(seq * 1000).toISOString(), ...data },
      seq,
    });
    expect(socket.frames.slice(1, 8)).toEqual([
      message(1, { ...author, message: 'a "first" <b> 😀' }),
      {
        type: "stream:status",
        data: { streamId: id, status: "live", startTime: "2026-01-01T00:00:00.000Z", endTime: null },
        seq: 2,
      },
      { ...deleted, seq: 3 },
      { ...deleted, seq: 4 },
      message(5, { userId: null, username: "Deleted user", message: "of nobody" }),
      { type: "chat_slow_mode", data: { streamId: id, seconds: 3600 }, seq: 6 },
      message(7, { ...author, message: "the last" }),
    ]);
    const late = { type: "stream:status", data: { streamId: id, status: "ended", startTime: null, endTime: null } };
    await room.deliver([41, 42].map((delivery) => ({ id: delivery, payload: late })));
    expect((await socket.collect("stream:status", 2)).map(({ seq }) => seq)).toEqual([2, 8]);
    await socket.ask("no-such-command");
    expect(await socket.collect("stream:status", 2)).toHaveLength(2);
    const { messages } = (await call(`/streams/${id}/chat`, { token: bob.token })).body;
    expect(messages.map(({ seq }: { seq: number }) => seq)).toEqual([7, 5, 1]);
  });

  it("keeps its owner, mutes, slow mode, and what a message was once called", async () => {
    const { ann, bob, cid, id, open } = await oldStream();
    const say = (user: { token: string }, body: object) =>
      call(`/streams/${id}/chat`, { method: "POST", token: user.token, body });
    expect((await say(cid, { message: "let me" })).status).toBe(403);
    expect((await say(bob, { message: "again", clientMessageId: "c1" })).body).toMatchObject({ seq: 1 });
    expect((await say(cid, { message: "again", clientMessageId: "c3" })).status).toBe(403);
    // Slow mode is for viewers: bob may, since he last wrote long ago, and then may not.
    expect((await say(bob, { message: "one" })).body).toMatchObject({ seq: 8 });
    expect((await say(bob, { message: "two" })).status).toBe(429);
    expect((await say(ann, { message: "mine" })).body).toMatchObject({ seq: 9 });
    const newcomer = await open(cid);
    expect(await newcomer.next("chat_slow_mode")).toMatchObject({ data: { seconds: 3600 } });
    expect(await newcomer.next("chat_muted")).toMatchObject({ data: { userId: cid.id } });
    expect((await call(`/streams/${id}/chat/3`, { method: "DELETE", token: ann.token })).status).toBe(200);
    await newcomer.expectNothing("chat_message_deleted");
  });

  it("records who was muted, too, so that they can be erased from it", async () => {
    const { ann, cid, id } = await oldStream();
    await call(`/streams/${id}/chat`, { token: ann.token });
    const recorded = await run("SELECT user_id FROM user_references WHERE target = ?", `stream:${id}`);
    expect(recorded).toEqual([{ user_id: cid.id }]);
  });
});

describe("a user's object of an earlier release", () => {
  it("still knows which rooms its user is in, and tells them of a ban that waited", async () => {
    const { ann, roomId } = await mintThree();
    const hub = env.USER_HUB.getByName(String(ann.id));
    const socket = await openRoom(ann, roomId);
    await hub.isOnline();
    await runInDurableObject(hub, (_, { storage }) => {
      setBack(storage.sql, HUB_SCHEMA.steps.slice(0, 2), () => {
        const cut = { code: 4003, reason: "Account banned", userId: ann.id };
        storage.sql.exec("INSERT INTO places (kind, name) VALUES ('CHAT_ROOM', ?)", roomId);
        const errand = "INSERT INTO errands (kind, name, errand) VALUES ('CHAT_ROOM', ?, ?)";
        storage.sql.exec(errand, roomId, JSON.stringify({ cut }));
      });
      return storage.setAlarm(Date.now());
    });
    await evictDurableObject(hub);
    expect(await hub.isIn("CHAT_ROOM")).toBe(true);
    await runDurableObjectAlarm(hub);
    expect(await socket.nextClose()).toMatchObject({ code: 4003, reason: "Account banned" });
  });

  it("obeys deliveries that were written by the release before", async () => {
    const { ann, roomId } = await mintThree();
    const socket = await openRoom(ann, roomId);
    const hub = env.USER_HUB.getByName(String(ann.id));
    const payload = { cut: { code: 4003, reason: "Account banned" } };
    expect(await hub.deliver([{ id: 1_000_000_001, payload }])).toEqual([]);
    expect(await socket.nextClose()).toMatchObject({ code: 4003, reason: "Account banned" });
  });
});

describe("a new object", () => {
  /** Tables, columns, keys, indexes and what stands in them, however they came about. */
  function contentsOf(sql: SqlStorage) {
    const made = sql
      .exec<{ type: string; name: string; sql: string | null }>(
        "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '\\_cf\\_%' ESCAPE '\\' ORDER BY name",
      )
      .toArray();
    return made.map(({ type, name, sql: text }) => {
      if (type === "index") return { name, columns: sql.exec(`PRAGMA index_xinfo(${name})`).toArray(), text };
      const columns = sql.exec(`PRAGMA table_xinfo(${name})`).toArray();
      const isVirtual = /^CREATE VIRTUAL/.test(text ?? "");
      return {
        name,
        columns,
        isWithoutRowid: text?.includes("WITHOUT ROWID"),
        module: isVirtual ? text?.replace(/\s+/g, " ") : null,
        rows: isVirtual || name.startsWith("search_") ? null : sql.exec(`SELECT * FROM ${name}`).toArray(),
      };
    });
  }

  it.each([
    { what: "of a user", namespace: env.USER_HUB, schema: HUB_SCHEMA },
    { what: "of a room", namespace: env.CHAT_ROOM, schema: CHAT_ROOM_SCHEMA },
    { what: "of a stream", namespace: env.STREAM_ROOM, schema: STREAM_ROOM_SCHEMA },
  ])("$what holds what the steps of all releases lead to", async ({ namespace, schema }) => {
    const [atOnce, byAndBy] = await runInDurableObject<Rpc.DurableObjectBranded, unknown[]>(
      namespace.getByName("0"),
      (_, { storage }) =>
        [schema, { steps: schema.steps }].map((way) => {
          setBack(storage.sql, [], () => storage.sql.exec("DROP TABLE schema_version"));
          migrate(storage, way);
          return contentsOf(storage.sql);
        }),
    );
    expect(atOnce).toEqual(byAndBy);
    expect(atOnce).not.toEqual([]);
  });
});
