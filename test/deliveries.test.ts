/** What the outbox delivers to an object: each once, in order, whatever becomes of its neighbours. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { ChatRoom } from "../src/chat/room.ts";
import { Timers } from "../src/realtime/timers.ts";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { personOf } from "./support/callers.ts";
import { mintStream } from "./support/media.ts";
import { mintGroup } from "./support/rooms.ts";
import { openHub, openSocket } from "./support/socket.ts";

const hubOf = (user: TestUser) => env.USER_HUB.getByName(String(user.id));
const delivery = (id: number, text: unknown) => ({
  id,
  payload: { frames: [{ type: "test:event", data: { text } }] },
});
/** A mistake of ours, which no client can make: from now on this method of the object throws. */
function mistakeIn(object: object, method: string): void {
  const mistaken = () => {
    throw new Error("a mistake");
  };
  Object.defineProperty(object, method, { value: mistaken });
}

/** JSON knows no such value: applying it throws. */
const POISON = 1n;

it("one that throws in the middle of a group is answered, and takes nothing from the rest", async () => {
  const user = await mintUser();
  const socket = await openHub(user);
  expect(await hubOf(user).deliver([delivery(1, 1), delivery(2, POISON), delivery(3, 3)])).toEqual([
    { id: 2, reason: expect.stringContaining("BigInt") },
  ]);
  expect((await socket.collect("test:event", 2)).map(({ seq, data }) => [seq, data.text])).toEqual([
    [1, 1],
    [2, 3],
  ]);
  await evictDurableObject(hubOf(user));
  expect(await hubOf(user).deliver([delivery(1, 1), delivery(2, 2), delivery(3, 3)])).toEqual([]);
  expect((await socket.collect("test:event", 3)).map(({ data }) => data.text)).toEqual([1, 3, 2]);
  expect(await hubOf(user).deliver([delivery(2, 2)])).toEqual([]);
  // What came late is not what came last, whatever the log shows.
  await evictDurableObject(hubOf(user));
  expect(await hubOf(user).deliver([delivery(1, 1), delivery(2, 2), delivery(3, 3)])).toEqual([]);
  await socket.ask("no-such-command");
  expect(socket.frames.filter(({ type }) => type === "test:event")).toHaveLength(3);
});

it("one that cannot be read is answered, and takes nothing from the rest", async () => {
  const user = await mintUser();
  const socket = await openHub(user);
  expect(await hubOf(user).deliver([{ id: 1, payload: { frames: 7 } }, delivery(2, 2)])).toEqual([
    { id: 1, reason: expect.stringContaining("expected array") },
  ]);
  expect((await socket.next("test:event")).data.text).toBe(2);
});

it("one that waits holds up those behind it, and sets nothing back", async () => {
  const ann = await mintUser();
  const stream = await mintStream(ann);
  const room = env.STREAM_ROOM.getByName(String(stream.id));
  const socket = await openSocket(`/streams/${stream.id}/ws?token=${ann.token}`);
  expect((await socket.ask("chat_message", { message: "hello" })).type).toBe("ack");
  const status = (id: number) => ({
    id,
    payload: {
      type: "stream:status",
      data: { streamId: stream.id, status: "ended", startTime: null, endTime: null },
    },
  });
  // The end of a stream waits for the database to forget who wrote in its chat.
  const end = { id: 1_000_005, payload: { type: "stream:deleted" } };
  const [first, second] = [status(1_000_006), status(1_000_007)];
  const failed = await Promise.all([room.deliver([end, first]), room.deliver([end, first, second])]);
  expect(failed).toEqual([[], []]);
  const logged = () => runInDurableObject(room, (_, { storage }) => storage.sql.exec("SELECT seq FROM log").toArray());
  expect(await logged()).toHaveLength(2);
  await evictDurableObject(room);
  await room.deliver([end, first, second]);
  expect(await logged()).toHaveLength(2);
});

it("a frame whose handling throws takes nothing from those that came with it", async () => {
  const ann = await mintUser();
  const stream = await mintStream(ann);
  const room = env.STREAM_ROOM.getByName(String(stream.id));
  const socket = await openSocket(`/streams/${stream.id}/ws?token=${ann.token}`);
  await socket.next("connected");
  const person = personOf(ann);
  const outcomes = await runInDurableObject(room, async (object, state) => {
    const [server] = state.getWebSockets();
    if (!server) throw new Error("There is no socket.");
    mistakeIn(object, "refused");
    const say = (message: string) => object.executeFor(person, { ownerId: person.userId }, "chat_message", { message });
    // The first makes the room busy: what follows is one group.
    const said = [say("one")];
    object.webSocketMessage(server, "junk");
    said.push(say("two"));
    return Promise.all(said);
  });
  expect(outcomes).toMatchObject([{ ok: true }, { ok: true }]);
  const frames = await socket.collect("chat_message", 2);
  expect(frames.map(({ data }) => data.message)).toEqual(["one", "two"]);
});

it("a timer that throws keeps no other from ringing, and is tried again", async () => {
  const rung: string[] = [];
  let isBroken = true;
  const timer = (name: string) => {
    let at: number | null = 1;
    const ring = () => {
      if (name === "first" && isBroken) throw new Error("a mistake");
      at = null;
      rung.push(name);
    };
    return { due: () => at, ring };
  };
  await runInDurableObject(env.USER_HUB.getByName("0"), async (_, { storage }) => {
    const timers = new Timers(storage);
    for (const name of ["first", "second"]) timers.add(timer(name));
    await timers.ring(Date.now());
    expect(rung).toEqual(["second"]);
    expect(timers.next).toBeGreaterThan(Date.now());
    isBroken = false;
    await timers.ring(Date.now() + 60_000);
    expect(rung).toEqual(["second", "first"]);
  });
});

it("a connection that closes badly keeps no other of its user open", async () => {
  const ann = await mintUser("ann");
  const stream = await mintStream(ann);
  const room = env.STREAM_ROOM.getByName(String(stream.id));
  const open = () => openSocket(`/streams/${stream.id}/ws?token=${ann.token}`);
  const sockets = [await open(), await open()];
  for (const socket of sockets) await socket.next("connected");
  await runInDurableObject(room, (object) => mistakeIn(object, "closed"));
  await room.revoke({ userId: ann.id, code: 4003, reason: "FORBIDDEN" });
  for (const socket of sockets) expect((await socket.nextClose()).code).toBe(4003);
});

it("a message over REST whose answer is lost is there once: it is said again under its client's id alone", async () => {
  const { roomId, people } = await mintGroup("ann");
  const token = people[0]?.token ?? "";
  const { executeFor } = ChatRoom.prototype;
  const losing = vi.spyOn(ChatRoom.prototype, "executeFor").mockImplementation(async function (
    this: ChatRoom,
    ...args
  ) {
    const outcome = await executeFor.apply(this, args);
    if (losing.mock.calls.length === 2) return outcome;
    throw Object.assign(new Error("The answer is lost"), { retryable: true });
  });
  const send = (body: object) => call(`/rooms/${roomId}/messages`, { method: "POST", token, body });
  expect(await send({ content: "without" })).toMatchObject({ status: 503, body: { error: { code: "UNAVAILABLE" } } });
  expect(losing).toHaveBeenCalledTimes(1);
  losing.mockClear();
  expect((await send({ content: "with", clientMessageId: "one" })).status).toBe(201);
  expect(losing).toHaveBeenCalledTimes(2);
  vi.restoreAllMocks();
  const { messages } = (await call(`/rooms/${roomId}/messages`, { token })).body;
  expect(messages.map(({ content }: { content: string }) => content)).toEqual(["with", "without"]);
});
