/** A room with more to send than fits into one turn: 640 messages at once to 40 sockets are 25 600 sends. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { StreamRoom } from "../src/features/streams/room.ts";
import { mintUser, type TestUser } from "./support/api.ts";
import { personOf } from "./support/callers.ts";
import { at } from "./support/items.ts";
import { mintStream, type TestStream } from "./support/media.ts";
import { type Frame, openSocket, type TestSocket } from "./support/socket.ts";
import { connectSocketIo } from "./support/socketio.ts";

const PEOPLE = 8;
const EACH = 80;
const ALL = PEOPLE * EACH;

let people: TestUser[];
beforeAll(async () => {
  people = await Promise.all(Array.from({ length: PEOPLE }, (_, at) => mintUser(`crowd${at}`)));
});

const roomOf = (stream: TestStream) => env.STREAM_ROOM.getByName(String(stream.id));

async function join(stream: TestStream, user: TestUser | undefined, query = ""): Promise<TestSocket> {
  const socket = await openSocket(`/streams/${stream.id}/ws?token=${user?.token}&heartbeat=client${query}`);
  await socket.next("connected");
  return socket;
}

/** Five sockets of each; two of them take arrays. */
async function crowd(): Promise<{ stream: TestStream; sockets: TestSocket[] }> {
  const stream = await mintStream(at(people, 0));
  const queries = people.flatMap((user) => ["", "", "", "&batch=1", "&batch=1"].map((query) => ({ user, query })));
  return { stream, sockets: await Promise.all(queries.map(({ user, query }) => join(stream, user, query))) };
}

/**
 * Everybody writes at the same moment, and once more when some have been sent the first half and others have not. Resolves
 * when all of it is stored, and most of it is yet to be sent.
 */
function burst(stream: TestStream, meanwhile: (room: StreamRoom) => void = () => {}): Promise<void> {
  const context = { ownerId: people[0]?.id ?? 0 };
  return runInDurableObject(roomOf(stream), async (room) => {
    const write = (number: number) =>
      people.map((user, at) =>
        room.executeFor(personOf(user), context, "chat_message", { message: `${at}.${number}` }),
      );
    for (const half of [from(1, EACH / 2), from(EACH / 2 + 1, EACH)]) {
      for (const outcome of await Promise.all(half.flatMap(write))) expect(outcome).toMatchObject({ ok: true });
    }
    meanwhile(room);
  });
}

const seqs = ({ frames }: TestSocket): (number | undefined)[] =>
  frames.filter(({ type }) => type === "chat_message").map(({ seq }) => seq);
const from = (first: number, last: number): number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at);

/** Each has every message from `first` on, without asking for it, and no other by the time that a question is answered. */
async function expectAll(sockets: TestSocket[], first = 1): Promise<void> {
  await Promise.all(sockets.map((socket) => socket.collect("chat_message", ALL - first + 1)));
  for (const socket of sockets) {
    await socket.ask("no-such-command");
    expect(seqs(socket)).toEqual(from(first, ALL));
  }
}

describe("a burst that takes many turns to send", () => {
  it("reaches everybody whole, once, in one order", async () => {
    const { stream, sockets } = await crowd();
    await burst(stream);
    expect(sockets.some((socket) => seqs(socket).length < ALL)).toBe(true);
    await expectAll(sockets);
  });

  it("reaches Socket.IO clients, too, each whole, once, in the room's order", async () => {
    const { stream, sockets } = await crowd();
    const clients = await Promise.all(people.map((person) => connectSocketIo(person)));
    for (const client of clients)
      expect(await client.ask("join_stream", { streamId: stream.id })).toEqual({ success: true });
    await burst(stream);
    await expectAll(sockets);
    await Promise.all(clients.map((client) => client.collect("chat_message", ALL)));
    for (const client of clients) {
      await client.ask("join_stream", { streamId: stream.id });
      expect(client.named("chat_message").map(({ seq }) => seq)).toEqual(from(1, ALL));
    }
  });

  it("is answered to each sender in the order of sending, after the message itself", async () => {
    const { sockets } = await crowd();
    const senders = sockets.filter((_, at) => at % 5 === 0);
    for (const number of from(1, EACH)) {
      for (const [at, sender] of senders.entries()) {
        sender.send({ type: "chat_message", id: `${at}.${number}`, data: { message: `${at}.${number}` } });
      }
    }
    for (const [at, sender] of senders.entries()) {
      await sender.collect("ack", EACH);
      const isOwn = ({ data }: Frame) => data?.message?.startsWith(`${at}.`);
      const news = sender.frames.filter(isOwn).map(({ type, data }) => `${type} ${data.message}`);
      const inOrder = from(1, EACH).flatMap((number) => [`chat_message ${at}.${number}`, `ack ${at}.${number}`]);
      expect(news).toEqual(inOrder);
    }
  });

  it("and those who join before, in the midst of it and after it get the rest live, what came before by replay, nothing twice", async () => {
    const { stream, sockets } = await crowd();
    const joining = people.flatMap((user) => ["", "&since=0", "&since=0&batch=1"].map((query) => ({ user, query })));
    const joined = Promise.all(joining.map(({ user, query }) => join(stream, user, query)));
    await burst(stream);
    const newcomers = await joined;
    await expectAll(sockets);
    for (const [index, { query }] of joining.entries()) {
      const socket = at(newcomers, index);
      await expectAll([socket], query === "" ? (socket.frames[0]?.seq ?? 0) + 1 : 1);
    }
  });

  it("and somebody who is cut off in the midst of it gets what was said until then, then the close", async () => {
    const { stream, sockets } = await crowd();
    const cut = await mintUser("cut");
    const leaving = await Promise.all([join(stream, cut), join(stream, cut, "&batch=1")]);
    await burst(stream, (room) => room.revoke({ userId: cut.id, code: 4003, reason: "FORBIDDEN" }));
    for (const socket of leaving) {
      expect(await socket.nextClose()).toEqual({ code: 4003, reason: "FORBIDDEN" });
      expect(seqs(socket)).toEqual(from(1, ALL));
    }
    await expectAll(sockets);
  });
});
