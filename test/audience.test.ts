/** A stream with more viewers than one object holds: here three in the room, and three in each audience object. */
import { evictDurableObject, listDurableObjectIds, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { StreamAudience } from "../src/features/streams/audience/audience.ts";
import { post as admin, mintAdmin } from "./support/admin.ts";
import { call, mintUser } from "./support/api.ts";
import { passTime } from "./support/clock.ts";
import { at } from "./support/items.ts";
import { mintStream, type TestStream } from "./support/media.ts";
import { openSocket, type TestSocket } from "./support/socket.ts";
import { joinStream, roomOf } from "./support/streams.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const HELD = 3;
const audienceOf = ({ id }: TestStream, number: number) => env.STREAM_AUDIENCE.getByName(`${id}:weur:${number}`);

/** A stream and its viewers, one after the other: the first is its owner. */
async function crowd(size: number) {
  const people = await Promise.all(Array.from({ length: size }, (_, number) => mintUser(`viewer${number}`)));
  const stream = await mintStream(at(people, 0));
  const sockets: TestSocket[] = [];
  for (const user of people) sockets.push(await joinStream(stream, user));
  return { stream, people, sockets };
}

const erase = (admin: { token: string }, user: { id: number }) =>
  call(`/admin/users/${user.id}`, { method: "DELETE", token: admin.token, body: { reason: "asked for" } });
const seqs = ({ frames }: TestSocket) => frames.filter(({ type }) => type === "chat_message").map(({ seq }) => seq);

async function viewersHeld(): Promise<number[]> {
  const ids = await listDurableObjectIds(env.STREAM_AUDIENCE);
  return Promise.all(
    ids.map((id) => runInDurableObject(env.STREAM_AUDIENCE.get(id), (_, state) => state.getWebSockets().length)),
  );
}

describe("a stream with more viewers than one object holds", () => {
  it("sends each all of it once and in order, wherever they are held and write, for one call per audience object", async () => {
    const { stream, sockets } = await crowd(8);
    expect((await viewersHeld()).sort()).toEqual([2, HELD]);
    const relayed = vi.spyOn(StreamAudience.prototype, "relay");
    const says = (socket: TestSocket, message: string) => socket.ask("chat_message", { message });
    const acks = [];
    for (const [number, socket] of sockets.entries()) acks.push(await says(socket, `${number}`));
    expect(acks.map(({ data }) => data.seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    for (const socket of sockets) {
      await vi.waitFor(() => expect(seqs(socket)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]));
      // Nobody is answered before they have seen what came of it.
      const own = socket.frames.findIndex(({ type }) => type === "ack");
      expect(socket.frames.slice(0, own).some(({ data }) => data?.id === socket.frames[own]?.data.id)).toBe(true);
    }
    const carrying = relayed.mock.calls.filter(([{ orders }]) => JSON.stringify(orders).includes("chat_message"));
    expect(carrying).toHaveLength(8 * 2);
    expect(await call(`/streams/${stream.id}`)).toMatchObject({ status: 200 });
  });

  it("fills one audience object after the other, however many come at once", async () => {
    const people = await Promise.all(Array.from({ length: 12 }, (_, number) => mintUser(`rush${number}`)));
    const stream = await mintStream(at(people, 0));
    const before = await viewersHeld();
    await Promise.all(people.map((user) => joinStream(stream, user)));
    const taken =
      (await viewersHeld()).reduce((sum, count) => sum + count, 0) - before.reduce((sum, count) => sum + count, 0);
    expect(taken).toBe(12 - HELD);
    for (const number of [0, 1, 2]) {
      await runInDurableObject(audienceOf(stream, number), (_, state) => {
        expect(state.getWebSockets()).toHaveLength(HELD);
      });
    }
  });

  it("counts them all, once each", async () => {
    const { stream, people, sockets } = await crowd(5);
    await joinStream(stream, at(people, 4));
    const count = async (socket: TestSocket, wanted: number) => {
      for (;;) if ((await socket.next("stream:viewer_count")).data.count === wanted) return;
    };
    const ring = async () => {
      passTime(1);
      await runDurableObjectAlarm(audienceOf(stream, 0));
      await runDurableObjectAlarm(roomOf(stream));
    };
    await ring();
    for (const socket of sockets) await count(socket, 5);
    at(sockets, 3).close();
    await vi.waitFor(async () => {
      await ring();
      expect(at(sockets, 0).frames.findLast(({ type }) => type === "stream:viewer_count")?.data.count).toBe(4);
    });
  });

  it("leads a person's windows to where their first one is, also after the room has slept, so that they are one viewer", async () => {
    const { stream, people } = await crowd(8);
    // In the room itself, which is full; in the first audience object, which is full, too; and in the second one.
    const [inRoom, inFirst, inSecond] = [at(people, 0), at(people, 4), at(people, 7)];
    for (const user of [inRoom, inFirst, inSecond]) await joinStream(stream, user);
    await evictDurableObject(roomOf(stream));
    await runInDurableObject(roomOf(stream), () => {});
    await runDurableObjectAlarm(roomOf(stream));
    for (const user of [inFirst, inSecond]) await joinStream(stream, user);
    const heldIn = (number: number) =>
      runInDurableObject(audienceOf(stream, number), (_, state) => state.getWebSockets().length);
    expect([await heldIn(0), await heldIn(1)]).toEqual([HELD + 2, 2 + 2]);
    await vi.waitFor(async () => {
      passTime(1);
      for (const number of [0, 1]) await runDurableObjectAlarm(audienceOf(stream, number));
      await runDurableObjectAlarm(roomOf(stream));
      expect((await call(`/streams/${stream.id}`)).body.viewerCount).toBe(8);
    });
  });

  it("gives those who come back what they missed, from the room where the audience object has slept", async () => {
    const { stream, people, sockets } = await crowd(5);
    const [owner, , , ann, bob] = sockets;
    if (!owner || !ann || !bob) throw new Error("Five without five");
    const epoch = ann.frames[0]?.epoch;
    await owner.ask("chat_message", { message: "one" });
    await ann.next("chat_message");
    ann.close();
    for (const message of ["two", "three"]) await owner.ask("chat_message", { message });
    await evictDurableObject(audienceOf(stream, 0));
    const back = await joinStream(stream, at(people, 3), `&since=1&epoch=${epoch}`);
    expect((await back.collect("chat_message", 2)).map(({ data }) => data.message)).toEqual(["two", "three"]);
    await evictDurableObject(roomOf(stream));
    await bob.ask("chat_message", { message: "four" });
    for (const socket of [back, owner]) await vi.waitFor(() => expect(seqs(socket).at(-1)).toBe(4));
    expect(seqs(bob)).toEqual([1, 2, 3, 4]);
    const lost = await joinStream(stream, at(people, 3), "&since=1&epoch=another");
    expect(await lost.next("resync")).toEqual({ type: "resync", data: { seq: 4, epoch } });
  });

  it("loses nothing when an audience object cannot be told: it asks for what is missing", async () => {
    const { stream, sockets } = await crowd(4);
    const [owner, , , ann] = sockets;
    if (!owner || !ann) throw new Error("Four without four");
    const { relay } = StreamAudience.prototype;
    let isReachable = false;
    const relayed = vi.spyOn(StreamAudience.prototype, "relay").mockImplementation(function (
      this: StreamAudience,
      said,
    ) {
      if (!isReachable) throw new Error("not there");
      return relay.call(this, said);
    });
    for (const message of ["one", "two"]) await owner.ask("chat_message", { message });
    await vi.waitFor(() => expect(relayed).toHaveBeenCalled());
    expect(seqs(ann)).toEqual([]);
    isReachable = true;
    // The object dies, and what it had to say with it.
    await evictDurableObject(roomOf(stream));
    await runDurableObjectAlarm(roomOf(stream));
    await vi.waitFor(() => expect(seqs(ann)).toEqual([1, 2]));
    await owner.ask("chat_message", { message: "three" });
    await vi.waitFor(() => expect(seqs(ann)).toEqual([1, 2, 3]));
  });

  it("says again what no log tells, when an audience object could not be told", async () => {
    const { stream, people, sockets } = await crowd(4);
    const [owner, , , ann] = sockets;
    if (!owner || !ann) throw new Error("Four without four");
    const { relay } = StreamAudience.prototype;
    let isReachable = false;
    const relayed = vi.spyOn(StreamAudience.prototype, "relay").mockImplementation(function (
      this: StreamAudience,
      said,
    ) {
      if (!isReachable) throw new Error("not there");
      return relay.call(this, said);
    });
    await owner.ask("chat_mute", { userId: at(people, 3).id, seconds: 60 });
    await vi.waitFor(() => expect(relayed).toHaveBeenCalled());
    // It cannot end either, as long as somebody would not hear of it.
    const gone = [{ id: 1_000_002, payload: { type: "stream:deleted" } }];
    expect(await roomOf(stream).deliver(gone)).toMatchObject([{ id: 1_000_002 }]);
    isReachable = true;
    expect(await roomOf(stream).deliver(gone)).toEqual([]);
    expect(await ann.next("chat_muted")).toMatchObject({ data: { userId: at(people, 3).id } });
    expect(await ann.nextClose()).toMatchObject({ code: 4004 });
  });

  it("replays nothing there as an erased user said it, though the audience object was empty when they were erased", async () => {
    const { stream, people, sockets } = await crowd(4);
    const [owner, bob, , ann] = sockets;
    if (!owner || !bob || !ann) throw new Error("Four without four");
    const epoch = ann.frames[0]?.epoch;
    await bob.ask("chat_message", { message: "by bob" });
    expect(await ann.next("chat_message")).toMatchObject({ data: { username: at(people, 1).username } });
    ann.close();
    await vi.waitFor(() =>
      runInDurableObject(audienceOf(stream, 0), (_, state) => expect(state.getWebSockets()).toEqual([])),
    );
    expect((await erase(await mintAdmin(), at(people, 1))).status).toBe(200);
    const viewer = await joinStream(stream, at(people, 2));
    const back = await joinStream(stream, at(people, 3), `&since=0&epoch=${epoch}`);
    expect(await back.next("chat_message")).toMatchObject({ data: { userId: null, message: "by bob" } });
    viewer.close();
  });

  it("closes the sockets of a banned viewer there, and of everybody when the stream is gone", async () => {
    const { stream, people, sockets } = await crowd(5);
    const banned = await admin(await mintAdmin(), `/users/${at(people, 3).id}/ban`, { reason: "spam" });
    expect(banned.status).toBe(200);
    expect(await at(sockets, 3).nextClose()).toMatchObject({ code: 4003 });
    const gone = [{ id: 1_000_001, payload: { type: "stream:deleted" } }];
    expect(await roomOf(stream).deliver(gone)).toEqual([]);
    for (const number of [1, 4]) expect(await at(sockets, number).nextClose()).toMatchObject({ code: 4004 });
    const back = await openSocket(`/streams/${stream.id}/ws?token=${at(people, 4).token}`);
    expect(await back.nextClose()).toMatchObject({ code: 4004 });
  });

  it("holds a mute and slow mode there, and tells those whom it holds", async () => {
    const { stream, people, sockets } = await crowd(4);
    const ann = at(sockets, 3);
    const owner = at(sockets, 0);
    await owner.ask("chat_slow_mode", { seconds: 30 });
    expect(await ann.next("chat_slow_mode")).toMatchObject({ data: { seconds: 30 } });
    await ann.ask("chat_message", { message: "one" });
    expect(await ann.ask("chat_message", { message: "two" })).toMatchObject({ error: { code: "RATE_LIMIT" } });
    await owner.ask("chat_mute", { userId: at(people, 3).id, seconds: 60 });
    expect(await ann.next("chat_muted")).toMatchObject({ data: { userId: at(people, 3).id } });
    expect(await ann.ask("chat_message", { message: "three" })).toMatchObject({ error: { code: "FORBIDDEN" } });
    // Who comes anew is greeted with what holds.
    const late = await joinStream(stream, at(people, 3));
    expect(await late.next("chat_slow_mode")).toMatchObject({ data: { seconds: 30 } });
    expect(await late.next("chat_muted")).toMatchObject({ data: { userId: at(people, 3).id } });
  });
});
