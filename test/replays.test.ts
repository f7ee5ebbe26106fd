/** What was missed comes in pages that wait for the reader: all of it to who reads, and a bounded part to who does not. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { mintUser, type TestUser } from "./support/api.ts";
import { passTime } from "./support/clock.ts";
import { mintGroup } from "./support/rooms.ts";
import { openSocket, type TestSocket } from "./support/socket.ts";

const MB = 1024 * 1024;
const hubOf = (user: TestUser) => env.USER_HUB.getByName(String(user.id));

/** Fills a user's log with so many frames of so many bytes. */
async function keep(user: TestUser, count: number, bytes: number) {
  // Makes its tables.
  await hubOf(user).exportOf(0);
  await runInDurableObject(hubOf(user), (_hub, { storage }) => {
    for (let n = 1; n <= count; n += 1)
      storage.sql.exec(
        "INSERT INTO log (seq, at, frame) VALUES (?, ?, ?)",
        n,
        Date.now(),
        JSON.stringify({ type: "test:event", data: { n, text: "x".repeat(bytes) }, seq: n }),
      );
  });
  await evictDurableObject(hubOf(user));
}

const happen = (user: TestUser, n: number) =>
  hubOf(user).deliver([{ id: 1000 + n, payload: { frames: [{ type: "test:event", data: { n } }] } }]);

const open = (user: TestUser, query = "") => openSocket(`/ws?token=${user.token}${query}`);
const upTo = (last: number, from = 1) => Array.from({ length: last - from + 1 }, (_, n) => from + n);
const numbersOf = ({ frames }: TestSocket): number[] =>
  frames.flatMap(({ type, data }) => (type === "test:event" ? [data.n] : []));
const bytesOf = ({ messages }: TestSocket) => messages.reduce((sum, { length }) => sum + length, 0);

/** Answers the pings that have come, and those that come from now on. */
function answerPings(socket: TestSocket) {
  const answer = ({ type, timestamp }: { type: string; timestamp?: string }) => {
    if (type === "ping") socket.send({ type: "pong", timestamp });
  };
  for (const frame of socket.frames) answer(frame);
  socket.onFrame = answer;
}

/** Lets the time of one unanswered page pass. */
async function wait(user: TestUser, seconds: number) {
  passTime(seconds);
  await runDurableObjectAlarm(hubOf(user));
}

describe.each([
  ["frame by frame", ""],
  ["in arrays", "&batch=1"],
])("%s", (_how, batch) => {
  it("who reads gets all of it once and in order, and a megabyte ahead of its answers, also through a sleep", async () => {
    const user = await mintUser();
    await keep(user, 150, 20_000);
    const socket = await open(user, `&since=0${batch}`);
    expect(await socket.next("connected")).toMatchObject({ seq: 150 });
    await socket.collect("ping", 2);
    expect(bytesOf(socket)).toBeLessThan(1.1 * MB);
    await happen(user, 151);
    await hubOf(user).push({ type: "test:moment", data: {} });
    await socket.next("test:moment");
    expect(numbersOf(socket)).toEqual(upTo(numbersOf(socket).length));
    expect(bytesOf(socket)).toBeLessThan(1.1 * MB);
    await evictDurableObject(hubOf(user));
    answerPings(socket);
    await socket.collect("test:event", 151);
    await happen(user, 152);
    await socket.collect("test:event", 152);
    await socket.expectNothing("resync", "test:moment");
    expect(numbersOf(socket)).toEqual(upTo(152));
  });
});

it("who answers no ping is sent a page every two seconds, and is closed with 4009 after 16 MB", async () => {
  const user = await mintUser();
  await keep(user, 360, 50_000);
  const socket = await open(user, "&since=0");
  await socket.collect("ping", 2);
  for (let waits = 0; waits < 33; waits += 1) await wait(user, 2);
  expect((await socket.nextClose()).code).toBe(4009);
  expect(bytesOf(socket)).toBeGreaterThan(14 * MB);
  expect(bytesOf(socket)).toBeLessThan(17.2 * MB);
  const back = await open(user, `&since=${numbersOf(socket).at(-1)}`);
  answerPings(back);
  await back.collect("test:event", 360 - numbersOf(socket).length);
  expect([...numbersOf(socket), ...numbersOf(back)]).toEqual(upTo(360));
});

it("who answers no ping reads a short one to its end, whatever else it says", async () => {
  const user = await mintUser();
  await keep(user, 150, 20_000);
  const socket = await open(user);
  expect((await socket.ask("notification:mark_seen", {})).type).toBe("ack");
  for (let waits = 0; waits < 6; waits += 1) await wait(user, 2);
  await socket.collect("test:event", 150);
  await happen(user, 151);
  await socket.collect("test:event", 151);
  expect(numbersOf(socket)).toEqual(upTo(151));
});

it("of a long offline queue, who answers no ping is sent 8 MB, told to fetch the rest, and told what is new", async () => {
  const user = await mintUser();
  await keep(user, 240, 50_000);
  const socket = await open(user);
  await socket.collect("ping", 2);
  for (let waits = 0; waits < 17; waits += 1) await wait(user, 2);
  expect((await socket.next("resync")).data).toMatchObject({ seq: 240 });
  expect(bytesOf(socket)).toBeLessThan(9.2 * MB);
  await happen(user, 241);
  expect((await socket.next("test:event")).data.n).toBe(241);
});

it("who has answered, and stops in the middle of it, is closed with 4009 after a minute", async () => {
  const user = await mintUser();
  await keep(user, 150, 20_000);
  const socket = await open(user, "&since=0&heartbeat=client");
  const { timestamp } = await socket.next("ping");
  socket.send({ type: "pong", timestamp });
  await socket.collect("ping", 3);
  await wait(user, 30);
  expect(socket.closed).toBeUndefined();
  await wait(user, 31);
  expect((await socket.nextClose()).code).toBe(4009);
  expect(bytesOf(socket)).toBeLessThan(1.7 * MB);
});

it("whose next frame is no longer kept is told to fetch anew, and goes on from the head", async () => {
  const user = await mintUser();
  await keep(user, 150, 20_000);
  const socket = await open(user, "&since=0");
  await socket.collect("ping", 2);
  await runInDurableObject(hubOf(user), (_hub, { storage }) => storage.sql.exec("DELETE FROM log WHERE seq <= 140"));
  await evictDurableObject(hubOf(user));
  answerPings(socket);
  expect((await socket.next("resync")).data).toMatchObject({ seq: 150 });
  await happen(user, 151);
  expect((await socket.next("test:event")).data.n).toBe(151);
});

it("who leaves in the middle of the offline queue is sent the rest the next time", async () => {
  const user = await mintUser();
  await keep(user, 150, 20_000);
  const socket = await open(user);
  await socket.collect("ping", 2);
  socket.close();
  await socket.nextClose();
  const had = numbersOf(socket).length;
  expect(had).toBeLessThan(60);
  const back = await open(user);
  expect(await back.next("connected")).toMatchObject({ seq: had });
  answerPings(back);
  await back.collect("test:event", 150 - had);
  expect(numbersOf(back)).toEqual(upTo(150, had + 1));
});

it("a room's log comes in pages as well", async () => {
  const { roomId, people } = await mintGroup("ann");
  const [user = await mintUser()] = people;
  const path = `/rooms/${roomId}/ws?token=${user.token}`;
  const first = await openSocket(path);
  await first.next("online_users");
  const object = env.CHAT_ROOM.getByName(roomId);
  await runInDurableObject(object, (_room, { storage }) => {
    for (let n = 1; n <= 150; n += 1)
      storage.sql.exec(
        "INSERT INTO log (seq, at, kind, nr, user_id, type, content) VALUES (?, 1, 'message', ?, ?, 'text', ?)",
        n,
        n,
        user.id,
        "😀".repeat(5000),
      );
  });
  await evictDurableObject(object);
  const socket = await openSocket(`${path}&since=0`);
  await socket.collect("ping", 2);
  expect(socket.frames.filter(({ type }) => type === "new_message").length).toBeLessThan(60);
  answerPings(socket);
  expect((await socket.ask("send_message", { content: "the newest" })).type).toBe("ack");
  await socket.collect("new_message", 151);
  expect(socket.frames.flatMap(({ type, seq }) => (type === "new_message" ? [seq] : []))).toEqual(upTo(151));
});
