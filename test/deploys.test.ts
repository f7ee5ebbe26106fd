/** A new version of the code: clients come back spread over a time, and have everything (docs/deploys.md). */
import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { app } from "../src/app.ts";
import { restartReason } from "../src/realtime/deploys.ts";
import { settings } from "../src/socketio/rooms/gateway.ts";
import { ORIGIN } from "./support/api.ts";
import { interceptDeliveries } from "./support/gateway-calls.ts";
import { Gate } from "./support/held.ts";
import { mintGroup, openRoom } from "./support/rooms.ts";
import { TestSocket } from "./support/socket.ts";
import { connectSocketIo, SocketIoClient } from "./support/socketio.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Of each test's own: an object that began anew for a version does not do so again. */
let next = { id: "", tag: "", timestamp: "" };

beforeEach(() => {
  next = { id: crypto.randomUUID(), tag: "", timestamp: new Date(Date.now() + 60_000).toISOString() };
});

/** A request that reaches a Worker of the next version, while all objects run this one. */
async function upgradeInNext(path: string): Promise<Response> {
  const request = new Request(`${ORIGIN}${path}`, { headers: { Upgrade: "websocket" } });
  return app.fetch(request, { ...env, CF_VERSION_METADATA: next }, createExecutionContext());
}

async function openInNext(path: string): Promise<TestSocket> {
  const { webSocket } = await upgradeInNext(path);
  if (!webSocket) throw new Error("There is no socket");
  return new TestSocket(webSocket);
}

/** As a client that comes again until it is let in. */
async function comeBackInNext(path: string): Promise<TestSocket> {
  for (let tries = 0; tries < 50; tries += 1) {
    const socket = await openInNext(path);
    const isIn = await socket.next("connected").then(
      () => true,
      () => false,
    );
    if (isIn) return socket;
  }
  throw new Error("It is let in nowhere");
}

async function startSocketIoInNext(auth: object): Promise<SocketIoClient> {
  for (let tries = 0; tries < 50; tries += 1) {
    const response = await upgradeInNext("/socket.io/?EIO=4&transport=websocket");
    if (response.webSocket) return new SocketIoClient(response.webSocket, auth);
    await response.body?.cancel();
    await scheduler.wait(5);
  }
  throw new Error("It is let in nowhere");
}

async function group() {
  const { roomId, people } = await mintGroup("ann", "bob");
  const [ann, bob] = people;
  return { roomId, ann, bob, path: `/ws/${roomId}/${bob.id}?token=${bob.token}` };
}

it("closes a room's sockets with 1012 and a spread, once, and nothing is missed", async () => {
  const { roomId, ann, path } = await group();
  const old = await openRoom(ann, roomId);
  const epoch = old.frames.find(({ type }) => type === "connected")?.epoch;
  await old.ask("send_message", { content: "one" });
  const first = await openInNext(path);
  expect(await first.nextClose()).toMatchObject({ code: 1012 });
  expect(await old.nextClose()).toEqual({ code: 1012, reason: "RESTART; Spread: 5" });
  const again = await comeBackInNext(`${path}&since=0&epoch=${epoch}`);
  expect((await again.next("new_message")).data).toMatchObject({ content: "one" });
  const third = await openInNext(path);
  await third.next("connected");
  expect(again.closed).toBeUndefined();
});

it("spreads a crowd over more time", () => {
  expect([10, 2500, 32_000].map(restartReason)).toEqual([
    "RESTART; Spread: 5",
    "RESTART; Spread: 10",
    "RESTART; Spread: 120",
  ]);
});

/** All in one gateway, which are otherwise chosen at random. */
function beginBeside(pid: string): void {
  const { density } = settings;
  const own = Number(/-(\d+)\./.exec(pid)?.[1]);
  vi.spyOn(Math, "random").mockReturnValue(density.kind === "shards" ? (own + 0.5) / density.perRegion : 0);
}

it("keeps Socket.IO sessions, and what their clients missed", async () => {
  const { roomId, ann, bob } = await group();
  const native = await openRoom(ann, roomId);
  const client = await connectSocketIo(bob);
  await client.ask("join_room", { roomId });
  await native.ask("send_message", { content: "one" });
  await client.next("new_message");
  const { sid, pid } = await client.connected();
  beginBeside(pid);
  expect((await upgradeInNext("/socket.io/?EIO=4&transport=websocket")).status).toBe(503);
  expect(await client.end()).toBe("transport close");
  await native.ask("send_message", { content: "two" });
  const back = await startSocketIoInNext({ token: bob.token, pid, offset: client.offset });
  expect(await back.connected()).toEqual({ sid, pid });
  expect(await back.next("new_message")).toMatchObject({ content: "two" });
});

it("ends no session though a message is on its way to a gateway that begins anew", async () => {
  const { roomId, ann, bob } = await group();
  const native = await openRoom(ann, roomId);
  const client = await connectSocketIo(bob);
  await client.ask("join_room", { roomId });
  const { sid, pid } = await client.connected();
  beginBeside(pid);
  const gate = new Gate();
  interceptDeliveries("two", async (deliver) => {
    // The first one goes down with the gateway.
    if (gate.arrivals === 0) await gate.pass();
    return deliver();
  });
  await native.ask("send_message", { content: "two" });
  await gate.reached();
  expect((await upgradeInNext("/socket.io/?EIO=4&transport=websocket")).status).toBe(503);
  expect(await client.end()).toBe("transport close");
  await native.ask("send_message", { content: "three" });
  const back = await startSocketIoInNext({ token: bob.token, pid, offset: client.offset });
  expect(await back.connected()).toEqual({ sid, pid });
  await back.collect("new_message", 2);
  expect(back.named("new_message").map(({ content }) => content)).toEqual(["two", "three"]);
});
