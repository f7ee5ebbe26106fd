/** A Socket.IO client's membership of a room: put out until its gateway has heard it, and never taken for a newer one. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { EncodedFrame } from "../src/realtime/encoded-frame.ts";
import { toFanOutGroups } from "../src/realtime/fan-out.ts";
import { FrameBatch } from "../src/realtime/transport.ts";
import { post as admin, mintAdmin } from "./support/admin.ts";
import { passTime } from "./support/clock.ts";
import { interceptDeliveries, interceptPutOuts } from "./support/gateway-calls.ts";
import { Gate } from "./support/held.ts";
import { as, mintGroup, openRoom } from "./support/rooms.ts";
import { connectSocketIo } from "./support/socketio.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Ann natively and Bob over Socket.IO, in a room of Ann's. */
async function annAndBob() {
  const { roomId, people } = await mintGroup("ann", "bob");
  const [ann, bob] = people;
  const native = await openRoom(ann, roomId);
  const client = await connectSocketIo(bob);
  const join = () => client.ask("join_room", { roomId });
  expect(await join()).toMatchObject({ success: true });
  const room = env.CHAT_ROOM.getByName(roomId);
  const hub = env.USER_HUB.getByName(String(bob.id));
  const remove = () => as(ann, "DELETE", `/rooms/${roomId}/members/${bob.id}`);
  const invite = () => as(ann, "POST", `/rooms/${roomId}/members`, { userId: bob.id });
  const say = (content: string) => native.ask("send_message", { content });
  return { roomId, ann, bob, native, client, join, room, hub, remove, invite, say };
}

const pending = (object: DurableObjectStub) =>
  runInDurableObject(object, (_, { storage }) => storage.sql.exec("SELECT id FROM put_outs").toArray());

describe("whoever is put out while their gateway cannot be reached", () => {
  it("is told by the alarm, with growing waits and after an eviction: banned from everything", async () => {
    const { bob, client, hub } = await annAndBob();
    let isReachable = false;
    const told = interceptPutOuts(async (tell) => {
      if (!isReachable) throw new Error("the gateway is not there");
      tell();
    });
    const failures = async () => told.mock.calls.filter(([[order]]) => order?.object === `USER_HUB:${bob.id}`).length;
    expect((await admin(await mintAdmin(), `/users/${bob.id}/ban`, { reason: "spam" })).status).toBe(200);
    await vi.waitFor(async () => expect(await failures()).toBe(1));
    for (const waitSeconds of [5, 10]) {
      passTime(waitSeconds - 1);
      await runDurableObjectAlarm(hub);
      const before = await failures();
      passTime(1);
      await runDurableObjectAlarm(hub);
      await vi.waitFor(async () => expect(await failures()).toBe(before + 1));
    }
    expect(client.ended).toBeNull();
    await evictDurableObject(hub);
    isReachable = true;
    passTime(20);
    await runDurableObjectAlarm(hub);
    expect(await client.end()).toBe("io server disconnect");
    await vi.waitFor(async () => expect(await pending(hub)).toEqual([]));
  });

  it("is told why they are out of one room, and stays connected", async () => {
    const { client, room, remove, roomId } = await annAndBob();
    let isReachable = false;
    const told = interceptPutOuts(async (tell) => {
      if (!isReachable) throw new Error("the gateway is not there");
      tell();
    });
    expect((await remove()).status).toBeLessThan(300);
    await vi.waitFor(() => expect(told).toHaveBeenCalledTimes(1));
    isReachable = true;
    passTime(5);
    await runDurableObjectAlarm(room);
    expect(await client.next("error")).toMatchObject({ code: "FORBIDDEN", room: roomId });
    expect(client.ended).toBeNull();
    expect(await client.ask("send_message", { roomId, content: "?" })).toMatchObject({ success: false });
  });
});

describe("a membership that is over", () => {
  it("is put out late without hitting the one that came after it", async () => {
    const { client, join, remove, invite, say } = await annAndBob();
    const gate = new Gate();
    const told = interceptPutOuts(async (tell) => {
      await gate.pass();
      tell();
    });
    expect((await remove()).status).toBeLessThan(300);
    await gate.reached();
    expect((await invite()).status).toBeLessThan(300);
    expect(await join()).toMatchObject({ success: true });
    gate.open();
    await vi.waitFor(() => expect(told).toHaveResolved());
    await say("welcome back");
    expect(await client.next("new_message")).toMatchObject({ content: "welcome back" });
    expect(client.named("error")).toEqual([]);
  });

  it("takes its late deliveries along, and their answer drops nobody who has joined again", async () => {
    const { roomId, client, join, say } = await annAndBob();
    const gate = new Gate();
    interceptDeliveries("before", async (deliver, socketIds) => {
      await gate.pass();
      return [...(await deliver()), ...socketIds];
    });
    await say("before");
    await gate.reached();
    expect(await client.ask("leave_room", { roomId })).toMatchObject({ success: true });
    expect(await join()).toMatchObject({ success: true });
    gate.open();
    await say("after");
    expect(await client.next("new_message")).toMatchObject({ content: "after" });
    expect(client.named("new_message")).toHaveLength(1);
  });
});

describe("a delivery to a gateway that cannot take it", () => {
  const broken = (how: object) => Object.assign(new Error("the gateway is not there"), how);

  it("is made again while it begins anew, by the alarm, in order: no session ends", async () => {
    const { client, room, say } = await annAndBob();
    let calls = 0;
    interceptDeliveries("two", async (deliver) => {
      calls += 1;
      if (calls <= 7) throw broken(calls % 2 === 0 ? { retryable: true } : { durableObjectReset: true });
      return deliver();
    });
    await say("one");
    await say("two");
    await vi.waitFor(() => expect(calls).toBeGreaterThanOrEqual(3));
    await say("three");
    await vi.waitFor(async () => {
      passTime(1);
      await runDurableObjectAlarm(room);
      expect(client.named("new_message")).toHaveLength(3);
    });
    expect(client.named("new_message").map(({ content }) => content)).toEqual(["one", "two", "three"]);
    expect(calls).toBe(8);
    expect(client.ended).toBeNull();
  });

  it("ends the sessions when it goes on for too long, and their clients know", async () => {
    const { client, room, say } = await annAndBob();
    let calls = 0;
    interceptDeliveries("two", async () => {
      calls += 1;
      throw broken({ retryable: true });
    });
    await say("two");
    await vi.waitFor(async () => {
      passTime(4);
      await runDurableObjectAlarm(room);
      expect(client.ended).toBe("transport close");
    });
    // Three at once, and in each of six rounds.
    expect(calls).toBe(21);
  });

  it("is not made again by a gateway that sheds load", async () => {
    const { client, say } = await annAndBob();
    let calls = 0;
    interceptDeliveries("two", async () => {
      calls += 1;
      throw broken({ retryable: true, overloaded: true, durableObjectReset: true });
    });
    await say("two");
    expect(await client.end()).toBe("transport close");
    expect(calls).toBe(1);
  });
});

it("what waits to be delivered keeps the epoch under which it was logged", () => {
  const member = { socketId: "s", join: 3 };
  const first = new FrameBatch([EncodedFrame.of({ type: "a" }, 7)]);
  const second = new FrameBatch([
    EncodedFrame.stored('{"type":"b","data":1,"seq":1}', 1),
    EncodedFrame.of({ type: "c" }),
  ]);
  const sent = [
    { member, batch: first, epoch: "old" },
    { member, batch: second, epoch: "new" },
  ];
  const as = { object: "ROOM:r", joins: [3] };
  expect(toFanOutGroups(sent.slice(0, 1), "ROOM:r")).toEqual([
    { socketIds: ["s"], as, events: ['["a"]'], at: { object: "ROOM:r", seq: 7, epoch: "old", seqs: [7] } },
  ]);
  expect(toFanOutGroups(sent, "ROOM:r")).toEqual([
    {
      socketIds: ["s"],
      as,
      events: ['["a"]', '["b",1]', '["c"]'],
      at: { object: "ROOM:r", seq: 1, epoch: "new", seqs: [0, 1, 0] },
    },
  ]);
});
