import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { ChatRoom } from "../src/chat/room.ts";
import { costOf } from "./support/api.ts";
import { at } from "./support/items.ts";
import { mintGroup, openRoom, post } from "./support/rooms.ts";

type Written = { query: string; rows: number };

/** Counts every row that the object writes from now on, statement by statement. */
const countWrites = (room: DurableObjectStub<ChatRoom>) =>
  runInDurableObject(room, (_, state) => {
    const written: Written[] = [];
    state.storage.sql.exec = new Proxy(state.storage.sql.exec, {
      apply(exec, sql, [query, ...values]) {
        const cursor = exec.call(sql, query, ...values);
        written.push({ query, rows: cursor.rowsWritten });
        return cursor;
      },
    });
    const setAlarm = vi.spyOn(state.storage, "setAlarm");
    return { written, setAlarm };
  });

/** The next thing to go wrong in a test that counts is not to have counted: reads are there, with no rows. */
const rowsOf = (written: Written[]) => written.reduce((sum, { rows }) => sum + rows, 0);

async function room(...names: string[]) {
  const { roomId, people } = await mintGroup(...names);
  const sockets = [];
  for (const user of people) sockets.push(await openRoom(user, roomId));
  const [first] = sockets;
  if (!first) throw new Error("A room without people");
  return { roomId, people, sockets, first, stub: env.CHAT_ROOM.getByName(roomId) };
}

describe("the hot path", () => {
  it("a message is one row written, no alarm, no call to the database, one serialisation, one send per socket", async () => {
    const { roomId, people, sockets, first, stub } = await room("a", "b", "c", "d", "e", "f");
    await first.ask("send_message", { content: "the first of a burst tells the database" });
    await vi.waitFor(async () => {
      const synced = "SELECT count(*) AS n FROM user_references WHERE target = ?";
      expect(await env.DB.prepare(synced).bind(`room:${roomId}`).first("n")).toBe(1);
    });
    // What the first one had the room tell is told now, and the second has the alarm set for the next time, in ten seconds.
    await runDurableObjectAlarm(stub);
    await first.ask("send_message", { content: "the second of a burst" });
    // An answer from the room after its summary was written: nothing of that is still under way.
    await first.ask("no-such-command");
    const { written, setAlarm } = await countWrites(stub);
    const prepare = vi.spyOn(env.DB, "prepare");
    const batch = vi.spyOn(env.DB, "batch");
    const stringify = vi.spyOn(JSON, "stringify");
    for (const content of ["one", "two", "three"]) await first.ask("send_message", { content });
    const serialised = stringify.mock.calls.filter(([value]) => value?.type === "new_message").length;
    const touched = prepare.mock.calls.length + batch.mock.calls.length;
    vi.restoreAllMocks();
    expect(written.filter(({ rows }) => rows > 0)).toEqual(
      Array.from({ length: 3 }, () => ({ query: expect.stringContaining("INSERT INTO log"), rows: 1 })),
    );
    expect(setAlarm).toHaveBeenCalledTimes(0);
    expect(touched).toBe(0);
    expect(serialised).toBe(3);
    for (const socket of sockets) {
      await socket.collect("new_message", 5);
      expect(socket.messages.filter((text) => text.includes('"new_message"'))).toHaveLength(5);
    }
    expect(people).toHaveLength(6);
  });

  it("a clientMessageId costs one row more, and a repeat of it none", async () => {
    const { first, stub } = await room("a", "b");
    await first.ask("send_message", { content: "x" });
    await first.ask("no-such-command");
    const { written } = await countWrites(stub);
    const logged = () => rowsOf(written.filter(({ query }) => query.includes("INTO log")));
    await first.ask("send_message", { content: "x", clientMessageId: "c" });
    expect(logged()).toBe(2);
    await first.ask("send_message", { content: "x", clientMessageId: "c" });
    expect(logged()).toBe(2);
  });

  it("over REST a message is one query and one call of the room, however many members there are", async () => {
    const { roomId, people } = await room("a", "b", "c", "d", "e");
    await post(at(people, 0), roomId, "one");
    const { headers } = await post(at(people, 0), roomId, "two");
    expect(costOf({ headers })).toMatchObject({ d1_queries: 1, d1_rows_written: 0, object_calls: 1 });
  });

  it("read marks, typing and presence write no row at all", async () => {
    const { sockets, first, stub } = await room("a", "b", "c");
    await first.ask("send_message", { content: "x" });
    await first.ask("send_message", { content: "y" });
    await first.ask("no-such-command");
    const { written } = await countWrites(stub);
    for (const socket of sockets) await socket.ask("read", { seq: 1 });
    for (const socket of sockets) await socket.ask("typing", { isTyping: true });
    sockets[2]?.close();
    await first.next("user_left");
    expect(written.filter(({ rows, query }) => rows > 0 && !query.includes("UPDATE state"))).toEqual([]);
  });

  it("a thousand messages are indexed for search in a few rows", async () => {
    const { roomId, people, stub } = await room("a");
    await post(at(people, 0), roomId, "the first");
    await runInDurableObject(stub, (_, state) => {
      for (let at = 2; at <= 1001; at += 1) {
        state.storage.sql.exec(
          "INSERT INTO log (seq, at, kind, nr, user_id, type, content) VALUES (?, 0, 'message', ?, ?, 'text', ?)",
          at,
          at,
          people[0]?.id,
          `message number ${at} about nothing in particular`,
        );
      }
    });
    await evictDurableObject(stub);
    const { written } = await countWrites(stub);
    await runInDurableObject(stub, (instance) => instance.statistics());
    expect(rowsOf(written)).toBeGreaterThan(0);
    expect(rowsOf(written)).toBeLessThan(50);
  });
});

describe("an idle room", () => {
  it("with client heartbeats keeps no timer, no alarm but the tokens' end, and is not woken by a beat", async () => {
    const { roomId, people } = await mintGroup("a", "b");
    const [ann, bob] = people;
    const stub = env.CHAT_ROOM.getByName(roomId);
    const timers = vi.spyOn(globalThis, "setInterval");
    const socket = await openRoom(ann, roomId, "&heartbeat=client");
    await openRoom(bob, roomId, "&heartbeat=client");
    const alarm = await runInDurableObject(stub, (_, state) => state.storage.getAlarm());
    const week = 7 * 86_400_000;
    expect(Math.abs((alarm ?? 0) - Date.now() - week)).toBeLessThan(120_000);
    expect(timers).not.toHaveBeenCalled();
    timers.mockRestore();
    await evictDurableObject(stub);
    const { setAlarm } = await countWrites(stub);
    const woken = await runInDurableObject(stub, (instance) => vi.spyOn(instance, "webSocketMessage"));
    socket.send("ping");
    expect(await socket.message("pong")).toBe("pong");
    expect(woken).not.toHaveBeenCalled();
    expect(setAlarm).not.toHaveBeenCalled();
  });

  it("goes quiet after a message: the alarm tells what is left to tell, indexes, and then wants nothing more", async () => {
    const { roomId, people } = await mintGroup("a");
    const stub = env.CHAT_ROOM.getByName(roomId);
    const [ann] = people;
    await post(ann, roomId, "one");
    const socket = await openRoom(ann, roomId, "&heartbeat=client");
    for (let at = 2; at <= 32; at += 1) await socket.ask("send_message", { content: `number ${at}` });
    socket.close();
    await socket.nextClose();
    const first = await runInDurableObject(stub, (_, state) => state.storage.getAlarm());
    expect((first ?? 0) - Date.now()).toBeLessThanOrEqual(10_000);
    // As if the five minutes had passed.
    await runInDurableObject(stub, (_, state) => void state.storage.sql.exec("UPDATE log SET at = at - 600000"));
    await runDurableObjectAlarm(stub);
    const left = await runInDurableObject(stub, (_, state) => ({
      alarm: state.storage.getAlarm(),
      state: state.storage.sql.exec("SELECT synced_seq, indexed_seq FROM state").one(),
    }));
    expect(left.state).toEqual({ synced_seq: 32, indexed_seq: 32 });
    expect(await left.alarm).toBeNull();
  });
});
