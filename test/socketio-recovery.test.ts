/** A recovered Socket.IO session has missed nothing, or its client is told by a new one (SPEC 9). */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Room } from "../src/realtime/room.ts";
import { SocketIoGateway, settings } from "../src/socketio/rooms/gateway.ts";
import { post as admin, mintAdmin } from "./support/admin.ts";
import { passTime } from "./support/clock.ts";
import { interceptDeliveries } from "./support/gateway-calls.ts";
import { Gate } from "./support/held.ts";
import { mintGroup, openRoom } from "./support/rooms.ts";
import { connectSocketIo, type SocketIoClient, startSocketIo } from "./support/socketio.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Sessions begin in this gateway of their region, from now on. */
function beginIn(gateway: number): void {
  const { density } = settings;
  vi.spyOn(Math, "random").mockReturnValue(density.kind === "shards" ? (gateway + 0.5) / density.perRegion : 0);
}

const gatewayOf = ({ welcome }: SocketIoClient) => welcome?.pid.split(".")[0];

/** Two members of a room: one natively, one over Socket.IO, who has heard the message "one". */
async function mintPair() {
  const { roomId, people } = await mintGroup("ann", "bob");
  const [ann, bob] = people;
  const native = await openRoom(ann, roomId);
  beginIn(0);
  const client = await connectSocketIo(bob);
  expect(await client.ask("join_room", { roomId })).toMatchObject({ success: true });
  const say = (content: string) => native.ask("send_message", { content });
  await say("one");
  await client.next("new_message");
  const { sid, pid } = await client.connected();
  const claim = () => ({ pid, offset: client.offset });
  const comeBack = () => connectSocketIo(bob, claim());
  return { roomId, bob, native, client, sid, say, claim, comeBack };
}

/** The same, after the connection was lost. */
async function mintLost() {
  const pair = await mintPair();
  pair.client.lose();
  await pair.native.next("user_left");
  return pair;
}

/** As if the process had died between the room's commit and its call. */
async function sayInVain({ say }: Pick<Awaited<ReturnType<typeof mintPair>>, "say">, content: string): Promise<void> {
  const gate = new Gate();
  interceptDeliveries(content, async () => {
    gate.arrivals += 1;
    return [];
  });
  await say(content);
  await gate.reached();
}

const textsOf = (client: SocketIoClient) => client.named("new_message").map(({ content }) => content);

describe("a message that was logged, and never reached the gateway", () => {
  for (const [place, gateway] of [
    ["the same gateway", 0],
    ["another gateway", 1],
  ] as const) {
    it(`is replayed from the room's log, in its place, in ${place}`, async () => {
      const pair = await mintLost();
      await sayInVain(pair, "two");
      beginIn(gateway);
      const back = await pair.comeBack();
      expect(back.welcome?.sid).toBe(pair.sid);
      await pair.say("three");
      await back.collect("new_message", 2);
      expect(textsOf(back)).toEqual(["two", "three"]);
    });
  }

  it("is noticed when the room wakes, though nobody says anything more", async () => {
    const pair = await mintPair();
    await sayInVain(pair, "two");
    const room = env.CHAT_ROOM.getByName(pair.roomId);
    await evictDurableObject(room);
    await runInDurableObject(room, (object) => object.alarm());
    expect(await pair.client.end()).toBe("transport close");
    const back = await pair.comeBack();
    expect(back.welcome?.sid).toBe(pair.sid);
    expect(await back.next("new_message")).toMatchObject({ content: "two" });
  });

  it("is not taken for missing when the room asks while it is on its way", async () => {
    const pair = await mintPair();
    const gate = new Gate();
    interceptDeliveries("two", async (deliver) => {
      await gate.pass();
      return deliver();
    });
    await pair.say("two");
    await gate.reached();
    passTime(61);
    await runInDurableObject(env.CHAT_ROOM.getByName(pair.roomId), (object) => object.alarm());
    gate.open();
    await pair.say("three");
    await pair.client.collect("new_message", 3);
    expect([textsOf(pair.client), pair.client.ended]).toEqual([["one", "two", "three"], null]);
  });

  it("ends the session, if the log has it no more: the client is a new one, and knows that something may be missing", async () => {
    const pair = await mintLost();
    await sayInVain(pair, "two");
    vi.spyOn(Room.prototype, "remoteReplay").mockResolvedValue(null);
    const back = await pair.comeBack();
    expect(back.welcome?.sid).not.toBe(pair.sid);
  });

  it("breaks a connection that is there when the log goes on, and comes before what came after it", async () => {
    const pair = await mintPair();
    await sayInVain(pair, "two");
    await pair.say("three");
    expect(await pair.client.end()).toBe("transport close");
    expect(textsOf(pair.client)).toEqual(["one"]);
    const back = await pair.comeBack();
    expect(back.welcome?.sid).toBe(pair.sid);
    await pair.say("four");
    await back.collect("new_message", 3);
    expect(textsOf(back)).toEqual(["two", "three", "four"]);
  });
});

describe("a message that is on its way while its receiver comes back", () => {
  it("arrives once, and before the next", async () => {
    const { native, sid, say, comeBack } = await mintLost();
    const gate = new Gate();
    interceptDeliveries("two", async (deliver) => {
      await gate.pass();
      return deliver();
    });
    await say("two");
    await gate.reached();
    const coming = comeBack();
    await native.next("user_joined");
    gate.open();
    const back = await coming;
    expect(back.welcome?.sid).toBe(sid);
    await say("three");
    await back.collect("new_message", 2);
    expect(textsOf(back)).toEqual(["two", "three"]);
  });

  it("is not doubled, if the room's log gave it first", async () => {
    const pair = await mintPair();
    await sayInVain(pair, "two");
    const held = new Gate();
    const replay = Room.prototype.remoteReplay;
    vi.spyOn(Room.prototype, "remoteReplay").mockImplementation(async function (this: Room, ...args) {
      await held.pass();
      return replay.apply(this, args);
    });
    await pair.say("three");
    await pair.client.end();
    const coming = pair.comeBack();
    await held.reached();
    // It is sent to a session that still waits for what came before.
    await pair.say("four");
    held.open();
    const back = await coming;
    await pair.say("five");
    await back.collect("new_message", 4);
    expect(textsOf(back)).toEqual(["two", "three", "four", "five"]);
  });
});

it("a session whose gateway does not answer another in time begins anew", async () => {
  const pair = await mintLost();
  const { answerSeconds } = settings;
  settings.answerSeconds = 1;
  vi.spyOn(SocketIoGateway.prototype, "locate").mockImplementation(() => new Promise(() => {}));
  beginIn(1);
  const back = await pair.comeBack();
  settings.answerSeconds = answerSeconds;
  expect(back.welcome?.sid).not.toBe(pair.sid);
});

it("a session that missed nothing goes on as it was", async () => {
  const { sid, say, comeBack } = await mintLost();
  const back = await comeBack();
  expect(back.welcome?.sid).toBe(sid);
  await say("two");
  expect(await back.next("new_message")).toMatchObject({ content: "two" });
  expect(back.named("new_message")).toHaveLength(1);
});

describe("a room that has lost a member, who did not leave", () => {
  it("takes them in again when they speak, and gives them what they missed", async () => {
    const pair = await mintPair();
    await env.CHAT_ROOM.getByName(pair.roomId).remoteLeave(pair.sid);
    await pair.native.next("user_left");
    await pair.say("two");
    pair.client.emit("send_message", { roomId: pair.roomId, content: "three" });
    expect((await pair.native.next("new_message")).data).toMatchObject({ content: "two" });
    expect((await pair.native.next("new_message")).data).toMatchObject({ content: "three" });
    expect(await pair.client.end()).toBe("transport close");
    const back = await pair.comeBack();
    expect(back.welcome?.sid).toBe(pair.sid);
    await back.collect("new_message", 2);
    expect(textsOf(back)).toEqual(["two", "three"]);
  });
});

describe("a ban while a session moves to another gateway", () => {
  it("reaches the one that holds it in the end: the client is let in nowhere", async () => {
    const pair = await mintLost();
    const gate = new Gate();
    const surrender = SocketIoGateway.prototype.surrender;
    vi.spyOn(SocketIoGateway.prototype, "surrender").mockImplementation(async function (
      this: SocketIoGateway,
      ...args
    ) {
      await gate.pass();
      return surrender.apply(this, args);
    });
    const by = await mintAdmin();
    beginIn(1);
    const back = await startSocketIo({ token: pair.bob.token, ...pair.claim() });
    await gate.reached();
    const ended = vi.spyOn(SocketIoGateway.prototype, "putOut");
    expect((await admin(by, `/users/${pair.bob.id}/ban`, { reason: "spam" })).status).toBe(200);
    await vi.waitFor(() => expect(ended).toHaveResolved());
    gate.open();
    expect(await back.end()).toBe("io server disconnect");
    expect(gatewayOf(back)).not.toBe(gatewayOf(pair.client));
    await pair.say("two");
    expect(textsOf(back)).toEqual([]);
  });
});
