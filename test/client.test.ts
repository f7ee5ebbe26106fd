import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  answerOf,
  type Published,
  RoomcastError,
  type RoomcastSocket,
  roomcast,
} from "../packages/client/src/index.ts";
import { afterClose } from "../packages/client/src/policy.ts";
import { call, mintUser, ORIGIN, type TestUser, worker } from "./support/api.ts";
import { drop, opened as isOpen, open, until } from "./support/client.ts";
import { mintGroup } from "./support/rooms.ts";
import { sample } from "./support/samples.ts";
import { mintKey, serve } from "./support/server-api.ts";
import { WorkerSocket } from "./support/worker-socket.ts";

const hubOf = (user: TestUser) => env.USER_HUB.getByName(String(user.id));
const throughTheWorker: typeof fetch = (input, init) => worker.fetch(new Request(input, init));
const rest = (user: TestUser) => roomcast(ORIGIN, { token: user.token, fetch: throughTheWorker });

const send = (from: TestUser, receiverId: number, content: string) =>
  call("/messages", { method: "POST", token: from.token, body: { receiverId, content } });

/** The contents of the messages that came, in order. */
function listen(socket: RoomcastSocket): string[] {
  const contents: string[] = [];
  socket.on("message:new", ({ content }) => contents.push(content));
  return contents;
}

describe("REST", () => {
  it("is typed by the routes, and answers the body", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const client = rest(ann);
    const message = await answerOf(client.messages.$post({ json: { receiverId: bob.id, content: "hello" } }));
    const id: number = message.id;
    expect(message).toMatchObject({ id, senderId: ann.id, receiverId: bob.id, content: "hello" });
    const { messages } = await answerOf(client.messages.with[":userId"].$get({ param: { userId: bob.id } }));
    expect(messages.map(({ content }) => content)).toEqual(["hello"]);
    // @ts-expect-error no such field
    expect(message.noSuchField).toBeUndefined();
  });

  it("throws the service's code and details", async () => {
    const client = rest(await mintUser());
    const failed = await answerOf(client.messages.$post({ json: { receiverId: 1, content: "" } })).catch(
      (error) => error,
    );
    expect(failed).toBeInstanceOf(RoomcastError);
    expect(failed).toMatchObject({ code: "INVALID_REQUEST", status: 400, details: [{ path: "content" }] });
    const nobody = roomcast(ORIGIN, { fetch: throughTheWorker });
    await expect(answerOf(nobody.auth.me.$get())).rejects.toMatchObject({ code: "UNAUTHORIZED", status: 401 });
  });

  it("asks for the token anew on each call", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const tokens = [ann.token, bob.token];
    const client = roomcast(ORIGIN, { token: () => tokens.shift() ?? "", fetch: throughTheWorker });
    expect((await answerOf(client.auth.me.$get())).id).toBe(ann.id);
    expect((await answerOf(client.auth.me.$get())).id).toBe(bob.id);
  });
});

describe("REST and its token", () => {
  it("a call whose token was refused is done again with a new one, once", async () => {
    const ann = await mintUser("ann");
    const asked: boolean[] = [];
    const ask = (renewed: string) =>
      roomcast(ORIGIN, {
        token: ({ rejected }) => {
          asked.push(rejected);
          return rejected ? renewed : "expired";
        },
        fetch: throughTheWorker,
      });
    expect((await answerOf(ask(ann.token).auth.me.$get())).id).toBe(ann.id);
    for (const renewed of ["expired", "expired too"]) {
      await expect(answerOf(ask(renewed).auth.me.$get())).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    }
    expect(asked).toEqual([false, true, false, true, false, true]);
  });

  it("takes a form with its files, as the contract says", async () => {
    const { files } = rest(await mintUser("ann"));
    const file = new File([sample("pdf")], "note.pdf");
    const { data } = await answerOf(files.upload.$post({ form: { folder: "notes", file } }));
    expect(data).toMatchObject({ folder: "notes", name: "note.pdf", size: sample("pdf").length });
    // @ts-expect-error the file is required
    await expect(answerOf(files.upload.$post({ form: { folder: "notes" } }))).rejects.toMatchObject({ status: 400 });
  });
});

describe("a socket", () => {
  it("hands over events by their type, until one stops listening", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const socket = open({ token: bob.token });
    const contents: string[] = [];
    const stop = socket.on("message:new", ({ content }) => contents.push(content));
    const all = listen(socket);
    await isOpen(socket);
    await send(ann, bob.id, "one");
    await until(() => contents.length === 1);
    stop();
    await send(ann, bob.id, "two");
    await until(() => all.length === 2);
    expect([contents, all]).toEqual([["one"], ["one", "two"]]);
    expect(socket.position).toEqual({ seq: 2, epoch: expect.any(String) });
    // @ts-expect-error no such frame in the contract
    socket.on("no:such", () => undefined);
  });

  it("sends commands and answers what their ack carries, or throws what was refused", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const { body } = await send(ann, bob.id, "see?");
    const socket = open({ token: bob.token });
    const { messageIds } = await socket.send("message:mark_seen", { conversationWith: ann.id });
    expect(messageIds).toEqual([body.id]);
    const refused = socket.send("message:typing", { conversationWith: -1 });
    await expect(refused).rejects.toMatchObject({ name: "RoomcastError", code: "INVALID_MESSAGE" });
    // @ts-expect-error the contract wants conversationWith
    await expect(socket.send("message:typing", {})).rejects.toMatchObject({ code: "INVALID_MESSAGE" });
  });

  it("opens with a ticket, a new one for each connection", async () => {
    const user = await mintUser();
    const client = rest(user);
    let asked = 0;
    const ticket = async () => {
      asked += 1;
      return (await answerOf(client.auth["ws-ticket"].$post())).ticket;
    };
    const before = WorkerSocket.opened.length;
    const socket = open({ ticket });
    await isOpen(socket);
    WorkerSocket.opened.at(-1)?.breakOff();
    await until(() => socket.status !== "open");
    await isOpen(socket);
    expect(asked).toBe(2);
    expect(WorkerSocket.opened.slice(before).every(({ url }) => !url.includes("token="))).toBe(true);
  });
});

describe("resuming", () => {
  it("brings what was missed, in order, each once", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const socket = open({ token: bob.token });
    const contents = listen(socket);
    await isOpen(socket);
    await send(ann, bob.id, "one");
    await until(() => contents.length === 1);
    drop(bob.token);
    await until(() => socket.status === "waiting");
    await send(ann, bob.id, "two");
    await send(ann, bob.id, "three");
    await evictDurableObject(hubOf(bob));
    await isOpen(socket);
    await send(ann, bob.id, "four");
    await until(() => contents.length >= 4);
    await socket.send("message:mark_seen", { conversationWith: ann.id });
    expect(contents).toEqual(["one", "two", "three", "four"]);
  });

  it("drops what it has had, should the server repeat it", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const socket = open({ token: bob.token });
    const contents = listen(socket);
    await isOpen(socket);
    await send(ann, bob.id, "one");
    await until(() => contents.length === 1);
    WorkerSocket.of(bob.token).at(-1)?.repeatLast("message:new");
    await send(ann, bob.id, "two");
    await until(() => contents.length >= 2);
    expect(contents).toEqual(["one", "two"]);
  });

  it("goes on where an earlier socket of the app stopped", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const first = open({ token: bob.token });
    await isOpen(first);
    const since = first.position;
    first.close();
    await send(ann, bob.id, "while away");
    const second = open({ token: bob.token, since });
    const contents = listen(second);
    await until(() => contents.length === 1);
    expect(contents).toEqual(["while away"]);
  });

  it("tells the app to fetch anew when the log was reset, and goes on from its head", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    await send(ann, bob.id, "before");
    const resyncs: unknown[] = [];
    const socket = open({
      token: bob.token,
      since: { seq: 77, epoch: "of another log" },
      onResync: (position) => resyncs.push(position),
    });
    const contents = listen(socket);
    await until(() => resyncs.length === 1);
    expect(resyncs).toEqual([socket.position]);
    expect(socket.position?.seq).toBe(1);
    await send(ann, bob.id, "after");
    await until(() => contents.length === 1);
    expect(contents).toEqual(["after"]);
  });
});

describe("what a product's backend publishes", () => {
  it("is heard by its own type: in a room, from the beginning of what is kept, and on a topic with its place there", async () => {
    const key = await mintKey("publish");
    const { roomId, people } = await mintGroup("ann");
    const token = people[0]?.token ?? "";
    const publish = (to: object, data: unknown) =>
      serve(key, "POST", "/publish", { to, type: "help:answer", data, keep: true });
    await publish({ roomId }, { text: "before" });
    const heard: Published[] = [];
    const room = open({ socket: "/rooms/{roomId}/ws", params: { roomId }, token, since: 0 });
    room.onPublished("help:answer", (publication) => heard.push(publication));
    await until(() => heard.length === 1);
    drop(token);
    await publish({ roomId }, null);
    await until(() => heard.length === 2);
    const nowhere = { topic: undefined, topicSeq: undefined, topicEpoch: undefined };
    expect(heard).toEqual([
      { type: "help:answer", data: { text: "before" }, seq: 1, ...nowhere },
      { type: "help:answer", data: null, seq: 2, ...nowhere },
    ]);
    const events = open({ token });
    const stop = events.onPublished("help:answer", (publication) => heard.push(publication));
    const { topicSeq } = await events.send("subscribe", { topic: "news" });
    await publish({ topic: "news" }, "one");
    await until(() => heard.length === 3);
    expect(heard[2]).toMatchObject({ data: "one", seq: undefined, topic: "news", topicSeq: topicSeq + 1 });
    stop();
    await publish({ topic: "news" }, "two");
    await events.send("unsubscribe", { topic: "news" });
    expect(heard).toHaveLength(3);
  });
});

describe("commands and a connection that drops", () => {
  it("what was not sent yet goes out on the next connection", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const socket = open({ token: ann.token });
    await isOpen(socket);
    drop(ann.token);
    await until(() => socket.status === "waiting");
    await expect(socket.send("message:mark_seen", { conversationWith: bob.id })).resolves.toEqual({ messageIds: [] });
  });

  it("what was sent and not answered is CONNECTION_LOST, and is not sent again", async () => {
    const user = await mintUser();
    const socket = open({ token: user.token });
    await isOpen(socket);
    const [wire] = WorkerSocket.of(user.token);
    wire?.swallow();
    const answer = socket.send("notification:mark_seen", {});
    drop(user.token);
    await expect(answer).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    await isOpen(socket);
    expect(WorkerSocket.of(user.token).at(-1)?.sent).toEqual([]);
  });

  it("what is not answered in time is TIMEOUT", async () => {
    const user = await mintUser();
    const socket = open({ token: user.token });
    await isOpen(socket);
    WorkerSocket.of(user.token)[0]?.swallow();
    const answer = socket.send("notification:mark_seen", {}, { timeoutMs: 20 });
    await expect(answer).rejects.toMatchObject({ code: "TIMEOUT" });
  });

  it("after a close for good all is CLOSED, at once", async () => {
    const user = await mintUser();
    const socket = open({ token: user.token });
    const waiting = socket.send("notification:mark_seen", {});
    socket.close();
    await expect(waiting).rejects.toMatchObject({ code: "CLOSED" });
    await expect(socket.send("notification:mark_seen", {})).rejects.toMatchObject({ code: "CLOSED" });
    expect(socket.status).toBe("closed");
  });
});

describe("close codes", () => {
  it("4001 asks for a new token and says that the last was refused", async () => {
    const user = await mintUser();
    const asked: boolean[] = [];
    const socket = open({
      token: ({ rejected }: { rejected: boolean }) => {
        asked.push(rejected);
        return asked.length === 1 ? "junk" : user.token;
      },
    });
    await isOpen(socket);
    expect(asked).toEqual([false, true]);
  });

  it("4001 with a token that cannot change is the end", async () => {
    const closes: unknown[] = [];
    const socket = open({ token: "junk", onStatus: (status, why) => closes.push([status, why?.code]) });
    await until(() => socket.status === "closed");
    expect(closes).toEqual([["closed", 4001]]);
  });

  it("4003 is the end: a banned user's client stops, and what waits is told the code", async () => {
    const user = await mintUser();
    await env.DB.prepare("UPDATE users SET banned_at=1 WHERE id=?").bind(user.id).run();
    let asked = 0;
    const socket = open({
      token: () => {
        asked += 1;
        return user.token;
      },
    });
    await expect(socket.send("notification:mark_seen", {})).rejects.toMatchObject({ code: "CLOSED", closeCode: 4003 });
    expect([socket.status, asked]).toEqual(["closed", 1]);
  });

  it("a ticket that the service refuses is the end, as 4001 is", async () => {
    const user = await mintUser();
    await call("/auth/logout", { method: "POST", token: user.token });
    const closes: unknown[] = [];
    let asked = 0;
    const socket = open({
      ticket: async () => {
        asked += 1;
        return (await answerOf(rest(user).auth["ws-ticket"].$post())).ticket;
      },
      onStatus: (status, why) => closes.push([status, why?.code]),
    });
    await expect(socket.send("notification:mark_seen", {})).rejects.toMatchObject({ code: "CLOSED", closeCode: 4001 });
    expect([closes, asked]).toEqual([[["closed", 4001]], 1]);
  });

  it("a token that cannot be had is told, and does not end the socket", async () => {
    const errors: unknown[] = [];
    const socket = open({
      token: () => Promise.reject(new Error("offline")),
      onError: (error) => errors.push(error),
    });
    await until(() => errors.length === 1);
    expect([socket.status, String(errors[0])]).toEqual(["connecting", "Error: offline"]);
  });

  const back = (delayMs: number, rejected = false) => ({ comeBack: true, delayMs, rejected });
  it.each([
    ["4003: never", [4003, "FORBIDDEN", 0], { comeBack: false }],
    ["4004: never", [4004, "NOT_FOUND", 0], { comeBack: false }],
    ["4001: at once, with a new token", [4001, "UNAUTHORIZED", 0], back(0, true)],
    ["4001 again and again: slower", [4001, "UNAUTHORIZED", 3], back(1500, true)],
    ["4008: at once", [4008, "", 0], back(0)],
    ["4009: at once", [4009, "", 0], back(0)],
    ["4029: after Retry-After", [4029, "RATE_LIMIT; Retry-After: 42", 0], back(42_000)],
    ["4029 that names no time: after 30 s", [4029, "RATE_LIMIT", 0], back(30_000)],
    ["1012: after a random wait", [1012, "", 0], back(2500)],
    ["1012 that names a spread: at random within it", [1012, "RESTART; Spread: 40", 0], back(20_000)],
    ["1006: soon", [1006, "", 0], back(375)],
    ["1006 for the twentieth time: no longer than 30 s", [1006, "", 20], back(22_500)],
  ] as const)("%s", (_name, [code, reason, failures], expected) => {
    expect(afterClose(code, reason, failures, 0.5)).toEqual(expected);
  });
});

describe("heartbeat", () => {
  afterEach(() => void vi.useRealTimers());

  it("beats by itself in words that wake nobody, and comes back at once when no answer comes", async () => {
    const user = await mintUser();
    const closes: unknown[] = [];
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout", "Date"] });
    const socket = open({ token: user.token, onStatus: (status, why) => why && closes.push([status, why.code]) });
    const opened = async () => {
      while (socket.status !== "open") await vi.advanceTimersByTimeAsync(1);
    };
    await opened();
    const [wire] = WorkerSocket.of(user.token);
    const pongs = () => wire?.received.filter((text) => text === "pong").length;
    for (let beats = 1; beats <= 3; beats += 1) {
      await vi.advanceTimersByTimeAsync(25_000);
      while (pongs() !== beats) await vi.advanceTimersByTimeAsync(1);
    }
    expect(wire?.sent).toEqual(["ping", "ping", "ping"]);
    expect(closes).toEqual([]);
    wire?.swallow();
    await vi.advanceTimersByTimeAsync(35_000);
    expect(closes).toEqual([["waiting", 4008]]);
    await opened();
    expect(WorkerSocket.of(user.token)).toHaveLength(2);
  });

  it("by the server: silence means that the connection is dead", async () => {
    const user = await mintUser();
    const closes: unknown[] = [];
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout", "Date"] });
    const socket = open({ token: user.token, heartbeat: "server", onStatus: (_, why) => why && closes.push(why.code) });
    while (socket.status !== "open") await vi.advanceTimersByTimeAsync(1);
    await vi.advanceTimersByTimeAsync(60_000);
    WorkerSocket.of(user.token)[0]?.deliver('{"type":"ping","timestamp":"2026-01-01T00:00:00.000Z"}');
    await vi.advanceTimersByTimeAsync(69_000);
    expect(closes).toEqual([]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(closes).toEqual([4008]);
  });

  it("by the server is answered", async () => {
    const user = await mintUser();
    const socket = open({ token: user.token, heartbeat: "server" });
    await isOpen(socket);
    const [wire] = WorkerSocket.of(user.token);
    wire?.deliver(JSON.stringify({ type: "ping", timestamp: "2026-01-01T00:00:00.000Z" }));
    expect(wire?.sent).toEqual([JSON.stringify({ type: "pong", timestamp: "2026-01-01T00:00:00.000Z" })]);
  });
});

it("an address that is none, or wants a value, is told at once", () => {
  expect(() => open({ token: "t", url: "nowhere" })).toThrow(TypeError);
});

it("a socket that may not be made is tried ever more slowly, not in a circle", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  let tries = 0;
  class Forbidden {
    constructor() {
      tries += 1;
      throw new Error("SecurityError");
    }
  }
  const errors: unknown[] = [];
  const socket = open({ token: "t", WebSocket: Forbidden, onError: (error) => errors.push(error) });
  await vi.advanceTimersByTimeAsync(20_000);
  socket.close();
  vi.useRealTimers();
  expect(tries).toBeGreaterThan(2);
  expect(tries).toBeLessThan(9);
  expect(errors[0]).toMatchObject({ code: "CONNECTION_LOST" });
});

it("a message that is no frame, and a listener that throws, harm nothing", async () => {
  const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
  const errors: unknown[] = [];
  const socket = open({ token: bob.token, onError: (error) => errors.push(error) });
  socket.on("message:new", () => {
    throw new Error("the app's own");
  });
  const contents = listen(socket);
  await isOpen(socket);
  for (const junk of ["not json", "null", "[1,[]]", '{"type":7}', '{"type":"no:such","seq":"x"}']) {
    WorkerSocket.of(bob.token)[0]?.deliver(junk);
  }
  await send(ann, bob.id, "still here");
  await until(() => contents.length === 1);
  expect(errors.map(String)).toEqual(["Error: the app's own"]);
});
