/** What one user may send to one object in a minute is counted once, whatever the object and its sockets go through. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { findGatewaysBy } from "../src/realtime/gateways.ts";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { remoteRequest } from "./support/callers.ts";
import { mintStream } from "./support/media.ts";
import { mintGroup, openRoom, post } from "./support/rooms.ts";
import { openHub } from "./support/socket.ts";

/** RATE_LIMIT_MESSAGES, as it is unless it is set. */
const LIMIT = 100;

const hubOf = (user: TestUser) => env.USER_HUB.getByName(String(user.id));
const roomOf = (roomId: string) => env.CHAT_ROOM.getByName(roomId);

describe("hibernation refills no budget", () => {
  it("of who sends over REST alone", async () => {
    const [ann, bob] = [await mintUser(), await mintUser()];
    const send = async (n: number) => {
      const statuses: number[] = [];
      for (let sent = 0; sent < n; sent += 1) {
        const body = { receiverId: bob.id, content: "hello" };
        statuses.push((await call("/messages", { method: "POST", token: ann.token, body })).status);
      }
      return statuses.filter((status) => status === 201).length;
    };
    let accepted = 0;
    for (const part of [33, 33, 33, 33]) {
      accepted += await send(part);
      await evictDurableObject(hubOf(ann));
    }
    expect(accepted).toBeLessThanOrEqual(LIMIT);
    // What is taken in advance over a sleep is a twentieth at most.
    expect(accepted).toBeGreaterThan(LIMIT - 4 * (LIMIT / 20));
  });

  it("and costs who sends over REST alone a row for twenty parts of it, not for each message", async () => {
    const { roomId, people } = await mintGroup("ann");
    const [ann] = people;
    for (let n = 0; n < 20; n += 1) await post(ann, roomId, `${n}`);
    const rows = await runInDurableObject(roomOf(roomId), (_, { storage }) => [
      ...storage.sql.exec("SELECT user_id, spent FROM budgets"),
    ]);
    expect(rows).toEqual([{ user_id: ann.id, spent: expect.stringMatching(/"messages":\[\d+,20\]/) }]);
  });

  it("of a member whose connection a gateway holds", async () => {
    const ann = await mintUser();
    const stream = await mintStream(ann);
    const room = env.STREAM_ROOM.getByName(String(stream.id));
    findGatewaysBy(() => ({
      deliverBatches: async () => [],
      putOut: async () => undefined,
    }));
    const request = remoteRequest(ann, { ownerId: ann.id });
    expect(await room.remoteJoin(request, { gateway: "g1", socketId: "ann-1" })).toMatchObject({ ok: true });
    const say = (n: number) => room.executeRemote("ann-1", "chat_message", { message: `${n}` });
    for (let n = 1; n <= LIMIT; n += 1) expect(await say(n)).toMatchObject({ ok: true });
    await evictDurableObject(room);
    expect(await say(LIMIT + 1)).toMatchObject({ ok: false, error: { code: "RATE_LIMIT" } });
  });

  it("of who closes the socket that they sent with, and keeps another", async () => {
    const { roomId, people } = await mintGroup("ann");
    const [ann] = people;
    const [first, second] = [await openRoom(ann, roomId), await openRoom(ann, roomId)];
    for (let n = 0; n < LIMIT; n += 1) first.send({ type: "send_message", data: { content: `${n}` } });
    await second.collect("new_message", LIMIT);
    first.close();
    await first.nextClose();
    await evictDurableObject(roomOf(roomId));
    expect((await second.ask("send_message", { content: "too much" })).error?.code).toBe("RATE_LIMIT");
  });

  it("of who leaves and comes back", async () => {
    const { roomId, people } = await mintGroup("ann");
    const [ann] = people;
    const first = await openRoom(ann, roomId);
    for (let n = 0; n < LIMIT; n += 1) first.send({ type: "send_message", data: { content: `${n}` } });
    await first.collect("new_message", LIMIT);
    first.close();
    await first.nextClose();
    await evictDurableObject(roomOf(roomId));
    const second = await openRoom(ann, roomId);
    expect((await second.ask("send_message", { content: "too much" })).error?.code).toBe("RATE_LIMIT");
  });

  it("of who was connected while others came and went", async () => {
    const { roomId, people } = await mintGroup("ann", "bob");
    const [ann, bob] = people;
    const socket = await openRoom(ann, roomId);
    await openRoom(bob, roomId);
    for (let n = 0; n < LIMIT; n += 1) socket.send({ type: "send_message", data: { content: `${n}` } });
    await socket.collect("new_message", LIMIT);
    await evictDurableObject(roomOf(roomId));
    expect((await socket.ask("send_message", { content: "too much" })).error?.code).toBe("RATE_LIMIT");
  });
});

describe("a pong", () => {
  it("that no ping asked for counts as a message, however long it is", async () => {
    const user = await mintUser();
    const socket = await openHub(user);
    const pong = JSON.stringify({ type: "pong", timestamp: "x".repeat(60_000) });
    for (let n = 0; n < LIMIT; n += 1) socket.send(n % 2 === 0 ? pong : { type: "pong" });
    expect((await socket.ask("notification:mark_seen", {})).error?.code).toBe("RATE_LIMIT");
  });
});
