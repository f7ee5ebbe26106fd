/** What came while a user had no connection at all is sent first to a client that does not say what it has (SPEC 14). */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { mintUser, type TestUser } from "./support/api.ts";
import { passTime } from "./support/clock.ts";
import { openSocket, type TestSocket } from "./support/socket.ts";
import { connectSocketIo } from "./support/socketio.ts";

const hubOf = (user: TestUser) => env.USER_HUB.getByName(String(user.id));
let deliveries = 1000;
const happen = async (user: TestUser, ...numbers: number[]) => {
  for (const n of numbers) {
    deliveries += 1;
    await hubOf(user).deliver([{ id: deliveries, payload: { frames: [{ type: "test:event", data: { n } }] } }]);
  }
};
const open = (user: TestUser, query = "") => openSocket(`/ws?token=${user.token}${query}`);
const leave = async (socket: TestSocket) => {
  socket.close();
  await socket.nextClose();
};
/** What a socket was sent before the answer to its first question. */
const numbersOf = async (socket: TestSocket): Promise<number[]> => {
  await socket.ask("notification:mark_seen", {});
  return socket.frames.flatMap(({ type, data }) => (type === "test:event" ? [data.n] : []));
};

it("a first connection is sent it in order, each once, after its position; no later one is, nor one that gives since", async () => {
  const user = await mintUser();
  await happen(user, 1, 2);
  const first = await open(user);
  expect(await first.next("connected")).toMatchObject({ seq: 0 });
  expect(await numbersOf(first)).toEqual([1, 2]);
  const second = await open(user);
  expect(await second.next("connected")).toMatchObject({ seq: 2 });
  expect(await numbersOf(second)).toEqual([]);
  await happen(user, 3);
  await leave(first);
  await leave(second);
  await happen(user, 4, 5);
  await evictDurableObject(hubOf(user));
  const back = await open(user);
  expect(await back.next("connected")).toMatchObject({ seq: 3 });
  await happen(user, 6);
  expect(await numbersOf(back)).toEqual([4, 5, 6]);
  expect(back.frames.flatMap(({ seq, type }) => (type === "test:event" ? [seq] : []))).toEqual([4, 5, 6]);
  await leave(back);
  await happen(user, 7);
  const resumed = await open(user, "&since=5");
  expect(await numbersOf(resumed)).toEqual([6, 7]);
});

it("where the client did not close, it begins with the last that was heard of the client", async () => {
  const user = await mintUser();
  const socket = await open(user, "&heartbeat=client");
  await happen(user, 1);
  passTime(10);
  expect(await numbersOf(socket)).toEqual([1]);
  passTime(10);
  await happen(user, 2);
  passTime(76);
  expect(await hubOf(user).isOnline()).toBe(false);
  await happen(user, 3);
  expect(await numbersOf(await open(user))).toEqual([2, 3]);
});

it("what a client was sent that was never heard of comes again", async () => {
  const user = await mintUser();
  await happen(user, 1);
  const socket = await open(user, "&heartbeat=client");
  await socket.next("test:event");
  passTime(76);
  expect(await hubOf(user).isOnline()).toBe(false);
  expect(await numbersOf(await open(user))).toEqual([1]);
});

it("who vanished and is back before that is noticed is sent what was sent to nobody; beside one who is heard of, nobody is", async () => {
  const user = await mintUser();
  const vanished = await open(user, "&heartbeat=client");
  await happen(user, 1);
  passTime(10);
  expect(await numbersOf(vanished)).toEqual([1]);
  passTime(10);
  await happen(user, 2, 3);
  const back = await open(user);
  expect(await back.next("connected")).toMatchObject({ seq: 1 });
  await happen(user, 4);
  expect(await numbersOf(back)).toEqual([2, 3, 4]);
  passTime(1);
  await back.ask("notification:mark_seen", {});
  const beside = await open(user);
  expect(await beside.next("connected")).toMatchObject({ seq: 4 });
  expect(await numbersOf(beside)).toEqual([]);
});

it("beside one who is open and never heard of, however long, at most what came since that one opened is sent", async () => {
  const user = await mintUser();
  await happen(user, 1, 2);
  passTime(1);
  const silent = await open(user);
  await silent.collect("test:event", 2);
  passTime(76);
  const second = await open(user);
  expect(await second.next("connected")).toMatchObject({ seq: 2 });
  await leave(second);
  passTime(601);
  expect(await hubOf(user).isOnline()).toBe(false);
  await evictDurableObject(hubOf(user));
  await happen(user, 3);
  await silent.collect("test:event", 3);
  const third = await open(user);
  expect(await third.next("connected")).toMatchObject({ seq: 2 });
  expect(await numbersOf(third)).toEqual([3]);
  await leave(third);
  await happen(user, 4);
  await silent.collect("test:event", 4);
  await leave(silent);
  await happen(user, 5);
  expect(await numbersOf(await open(user))).toEqual([5]);
});

it("a Socket.IO client that was lost had what came before it was last heard of", async () => {
  const user = await mintUser();
  const first = await connectSocketIo(user);
  await happen(user, 1);
  await first.collect("test:event", 1);
  passTime(10);
  await first.ask("notification:mark_seen", {});
  first.lose();
  await vi.waitFor(async () => expect(await hubOf(user).isOnline()).toBe(false));
  passTime(1);
  await happen(user, 2);
  expect(await numbersOf(await open(user))).toEqual([2]);
});

it("over Socket.IO as over a native socket: after its position, each once, before what is new", async () => {
  const user = await mintUser();
  await happen(user, 1, 2);
  const first = await connectSocketIo(user);
  expect(await first.next("connected")).toMatchObject({ userId: user.id, seq: 0, epoch: expect.any(String) });
  await happen(user, 3);
  expect((await first.collect("test:event", 3)).map(({ n }) => n)).toEqual([1, 2, 3]);
  expect(first.named("connected")).toHaveLength(1);
  first.disconnect();
  await vi.waitFor(async () => expect(await hubOf(user).isOnline()).toBe(false));
  await happen(user, 4);
  const second = await connectSocketIo(user);
  expect(await second.next("connected")).toMatchObject({ seq: 3 });
  expect((await second.collect("test:event", 1)).map(({ n }) => n)).toEqual([4]);
  await second.ask("notification:mark_seen", {});
  const third = await connectSocketIo(user);
  expect(await third.next("connected")).toMatchObject({ userId: user.id });
});

it("goes as far back as frames are kept", async () => {
  const user = await mintUser();
  // Makes its tables.
  await hubOf(user).exportOf(0);
  await runInDurableObject(hubOf(user), (_hub, { storage }) => {
    for (let seq = 11; seq <= 20; seq += 1)
      storage.sql.exec(
        "INSERT INTO log (seq, at, frame, people) VALUES (?, 1, ?, '[]')",
        seq,
        JSON.stringify({ type: "test:event", data: { n: seq }, seq }),
      );
  });
  await evictDurableObject(hubOf(user));
  const socket = await open(user);
  expect(await socket.next("connected")).toMatchObject({ seq: 10 });
  expect(await numbersOf(socket)).toEqual(Array.from({ length: 10 }, (_, n) => n + 11));
  await socket.expectNothing("resync");
});

it("costs one row for each stay, and none for a frame or a beat", async () => {
  const user = await mintUser();
  const stored = () =>
    runInDurableObject(hubOf(user), (_hub, { storage }) => storage.sql.exec("SELECT seq FROM queue_start").one().seq);
  const socket = await open(user);
  await happen(user, 1, 2, 3);
  expect(await numbersOf(socket)).toEqual([1, 2, 3]);
  passTime(30);
  await runDurableObjectAlarm(hubOf(user));
  socket.send({ type: "pong", timestamp: (await socket.next("ping")).timestamp });
  expect(await numbersOf(socket)).toEqual([1, 2, 3]);
  expect(await stored()).toBe(0);
  await leave(socket);
  expect(await stored()).toBe(3);
});
