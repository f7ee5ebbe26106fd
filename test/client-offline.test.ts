/** What @roomcast/client does while there is no network, and when a page wakes (SPEC 2; docs/client.md). */
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  Outbox,
  type OutboxOptions,
  type Outgoing,
  RoomcastError,
  type RoomcastSocket,
} from "../packages/client/src/index.ts";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { drop, open, opened, until } from "./support/client.ts";
import { WorkerSocket } from "./support/worker-socket.ts";

/** The browser's Storage, as far as it is needed. */
class MemoryStorage {
  readonly items = new Map<string, string>();
  get length() {
    return this.items.size;
  }
  key = (index: number) => [...this.items.keys()][index] ?? null;
  getItem = (key: string) => this.items.get(key) ?? null;
  setItem = (key: string, value: string) => void this.items.set(key, value);
  removeItem = (key: string) => void this.items.delete(key);
}

type Said = { content: string };
const outboxes: { close(): void }[] = [];
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  for (const outbox of outboxes.splice(0)) outbox.close();
});

function outboxOf<A>(options: OutboxOptions<Said, A>): Outbox<Said, A> {
  const outbox = new Outbox<Said, A>(options);
  outboxes.push(outbox);
  return outbox;
}

type RoomSocket = RoomcastSocket<"/rooms/{roomId}/ws">;
const roomSocket = (user: TestUser, roomId: string, timeoutMs?: number): RoomSocket =>
  open({ token: user.token, socket: "/rooms/{roomId}/ws", params: { roomId }, timeoutMs });

/** A room of its own, and what its log says in the end. */
async function makeRoom() {
  const user = await mintUser("ann");
  const { body } = await call("/rooms", {
    method: "POST",
    token: user.token,
    body: { name: "talk", isGroup: true, memberIds: [] },
  });
  const roomId: string = body.id;
  const contents = async () => {
    const { body } = await call(`/rooms/${roomId}/messages`, { token: user.token });
    return body.messages.map(({ content }: Said) => content).reverse();
  };
  return { user, roomId, contents };
}

const stateOf = ({ data, state }: Outgoing<Said>) => [data.content, state];
const states = ({ messages }: { messages: readonly Outgoing<Said>[] }) => messages.map(stateOf);
const sayAll = (outbox: { add(said: Said): unknown }, contents: string[]) => {
  for (const content of contents) outbox.add({ content });
};

describe("an outbox", () => {
  it("waits for the network and sends all, once, in the order they were written", async () => {
    const { user, roomId, contents } = await makeRoom();
    const socket = roomSocket(user, roomId);
    await opened(socket);
    socket.suspend();
    const sent: unknown[] = [];
    const outbox = outboxOf({
      deliver: (said) => socket.send("send_message", said),
      onSent: (message, { seq }) => sent.push([...stateOf(message), seq]),
    });
    const written = ["one", "two", "three", "four", "five"];
    sayAll(outbox, written);
    expect(states(outbox)).toEqual(written.map((content) => [content, "sending"]));
    socket.wake();
    await until(() => outbox.messages.length === 0);
    expect(sent).toEqual(written.map((content, index) => [content, "sent", index + 1]));
    expect(await contents()).toEqual(written);
  });

  it("sends what was not answered again when the connection is back, and it is there once", async () => {
    const { user, roomId, contents } = await makeRoom();
    const socket = roomSocket(user, roomId);
    await opened(socket);
    const outbox = outboxOf({ deliver: (said) => socket.send("send_message", said) });
    // The message arrives; its answer does not.
    WorkerSocket.of(user.token).at(-1)?.deafen();
    sayAll(outbox, ["once", "then"]);
    await vi.waitUntil(async () => (await contents()).length === 1);
    drop(user.token);
    await until(() => outbox.messages.length === 0);
    expect(await contents()).toEqual(["once", "then"]);
  });

  it("survives a reload, whatever state its messages were in", async () => {
    const { user, roomId, contents } = await makeRoom();
    const storage = new MemoryStorage();
    const refused = new RoomcastError("INVALID_MESSAGE", "too long");
    const before = outboxOf({
      storage,
      key: roomId,
      deliver: ({ content }) => (content === "bad" ? Promise.reject(refused) : new Promise(() => undefined)),
    });
    sayAll(before, ["bad", "one", "two"]);
    await until(() => states(before)[0]?.[1] === "failed");
    before.close();
    const socket = roomSocket(user, roomId);
    const options = {
      storage,
      deliver: (said: Said & { clientMessageId: string }) => socket.send("send_message", said),
    };
    expect(states(outboxOf({ ...options, key: "another room" }))).toEqual([]);
    const outbox = outboxOf({ ...options, key: roomId });
    expect(states(outbox)).toEqual([
      ["bad", "failed"],
      ["one", "sending"],
      ["two", "sending"],
    ]);
    await until(() => outbox.messages.length === 1);
    expect(outbox.messages[0]?.error).toEqual({ code: "INVALID_MESSAGE", message: "too long" });
    outbox.discard(outbox.messages[0]?.clientMessageId ?? "");
    expect([await contents(), storage.length]).toEqual([["one", "two"], 0]);
  });

  it("in two tabs at once, each message is stored once, and one that a tab discarded is not sent by the other", async () => {
    const { user, roomId, contents } = await makeRoom();
    const storage = new MemoryStorage();
    const held = outboxOf({ storage, key: roomId, deliver: () => new Promise(() => undefined) });
    sayAll(held, ["one", "taken back", "three"]);
    const socket = roomSocket(user, roomId);
    const deliver = (said: Said & { clientMessageId: string }) => socket.send("send_message", said);
    const tabs = [outboxOf({ storage, key: roomId, deliver }), outboxOf({ storage, key: roomId, deliver })];
    held.discard(held.messages[1]?.clientMessageId ?? "");
    await until(() => tabs.every(({ messages }) => messages.length === 0));
    expect(await contents()).toEqual(["one", "three"]);
  });

  it("a message that another tab takes back while it is on its way here does not come again", async () => {
    const storage = new MemoryStorage();
    const hold = () => new Promise<void>(() => undefined);
    const other = outboxOf({ storage, deliver: hold });
    const { clientMessageId } = other.add({ content: "taken back" });
    const tries: ((error: Error) => void)[] = [];
    const here = outboxOf<void>({ storage, deliver: () => new Promise((_, reject) => void tries.push(reject)) });
    other.discard(clientMessageId);
    tries[0]?.(new RoomcastError("CONNECTION_LOST", "The connection dropped before the answer."));
    await until(() => here.messages.length === 0);
    expect([tries.length, storage.length]).toEqual([1, 0]);
  });

  it("a refused message has failed, holds up no other, and goes again under its own id", async () => {
    const ids: string[] = [];
    let isRefused = true;
    const outbox = outboxOf({
      deliver: async ({ content, clientMessageId }) => {
        ids.push(`${content} ${clientMessageId}`);
        if (content === "no" && isRefused) throw new RoomcastError("FORBIDDEN", "You are muted.");
      },
    });
    const { clientMessageId } = outbox.add({ content: "no" });
    outbox.add({ content: "yes" });
    await until(() => outbox.messages.length === 1);
    expect(outbox.messages[0]).toMatchObject({ state: "failed", error: { message: "You are muted." } });
    isRefused = false;
    outbox.retry(clientMessageId);
    await until(() => outbox.messages.length === 0);
    expect(ids.filter((id) => id === `no ${clientMessageId}`)).toHaveLength(2);
  });

  it("tries again when the network or the service fails, ever more slowly, and at once on waking", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const failures = [new TypeError("fetch failed"), new RoomcastError("UNAVAILABLE", "later")];
    const tries: number[] = [];
    const outbox = outboxOf({
      deliver: async () => {
        tries.push(Date.now());
        throw failures[tries.length % 2];
      },
    });
    const began = Date.now();
    outbox.add({ content: "hello" });
    await vi.advanceTimersByTimeAsync(7000);
    expect(tries.map((at) => at - began)).toEqual([0, 1000, 3000, 7000]);
    expect(states(outbox)).toEqual([["hello", "sending"]]);
    outbox.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(tries).toHaveLength(5);
  });

  it("stays away as long as the service says, awake or not", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    let tries = 0;
    const outbox = outboxOf({
      deliver: async () => {
        tries += 1;
        throw new RoomcastError("RATE_LIMIT", "slowly", { retryAfterSeconds: 40 });
      },
    });
    outbox.add({ content: "hello" });
    await vi.advanceTimersByTimeAsync(39_000);
    outbox.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(tries).toBe(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(tries).toBe(2);
  });

  it("keeps what is unsent when the app closes the socket; when the service does, it has failed", async () => {
    const storage = new MemoryStorage();
    const { user, roomId } = await makeRoom();
    const socket = roomSocket(user, roomId);
    const outbox = outboxOf({ storage, key: roomId, deliver: (said) => socket.send("send_message", said) });
    outbox.add({ content: "later" });
    socket.close();
    await until(() => socket.status === "closed");
    expect([states(outbox), storage.length]).toEqual([[["later", "sending"]], 1]);
    const closed = roomSocket(await mintUser("bob"), roomId);
    const strangers = outboxOf({ deliver: (said) => closed.send("send_message", said) });
    sayAll(strangers, ["let me in", "please"]);
    await until(() => states(strangers).every(([, state]) => state === "failed"));
    expect(strangers.messages.map(({ error }) => error?.code)).toEqual(["CLOSED", "CLOSED"]);
  });

  it("what a sign-in that has ended keeps back waits for the next one", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const refusals = [
      new RoomcastError("UNAUTHORIZED", "expired"),
      new RoomcastError("CLOSED", "expired", { closeCode: 4001 }),
    ];
    const outbox = outboxOf({
      deliver: async () => {
        const refusal = refusals.shift();
        if (refusal) throw refusal;
      },
    });
    outbox.add({ content: "hello" });
    await vi.advanceTimersByTimeAsync(0);
    expect(states(outbox)).toEqual([["hello", "sending"]]);
    await vi.advanceTimersByTimeAsync(3000);
    expect([states(outbox), refusals]).toEqual([[], []]);
  });

  it("the app's own errors hold up no message", async () => {
    const told: (() => void)[] = [];
    vi.stubGlobal("queueMicrotask", (work: () => void) => void told.push(work));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const sent: string[] = [];
    const fails = () => {
      throw new Error("the app's own");
    };
    const deliver = ({ content }: Said) => (sent.push(content) === 1 ? fails() : Promise.resolve());
    const outbox = outboxOf<void>({ deliver, onSent: fails });
    outbox.subscribe(fails);
    sayAll(outbox, ["one", "two"]);
    await vi.advanceTimersByTimeAsync(1000);
    expect([states(outbox), sent]).toEqual([[], ["one", "one", "two"]]);
    expect(told.length).toBeGreaterThan(2);
  });

  it("a storage that is full, or holds what nobody wrote, harms nothing", async () => {
    const storage = new MemoryStorage();
    storage.items.set("roomcast.outbox:k:1", "not json");
    storage.items.set("roomcast.outbox:k:2", '{"data":1}');
    storage.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    const sent: string[] = [];
    const outbox = outboxOf({ storage, key: "k", deliver: async ({ content }) => void sent.push(content) });
    sayAll(outbox, ["one", "two"]);
    await until(() => outbox.messages.length === 0);
    expect(sent).toEqual(["one", "two"]);
  });

  it("a storage that is switched off harms nothing", async () => {
    const refuse = () => {
      throw new DOMException("no", "SecurityError");
    };
    const storage = { length: 1, key: refuse, getItem: refuse, setItem: refuse, removeItem: refuse };
    const sent: string[] = [];
    const outbox = outboxOf({ storage, deliver: async ({ content }) => void sent.push(content) });
    sayAll(outbox, ["one", "two"]);
    await until(() => outbox.messages.length === 0);
    expect(sent).toEqual(["one", "two"]);
  });
});

describe("waking", () => {
  it("a dead connection is found out within a second and resumed; what was missed is there", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const socket = open({ token: bob.token });
    const contents: string[] = [];
    socket.on("message:new", ({ content }) => contents.push(content));
    await opened(socket);
    // Nothing goes through any more, and nobody is told.
    WorkerSocket.of(bob.token)[0]?.swallow();
    WorkerSocket.of(bob.token)[0]?.deafen();
    await call("/messages", {
      method: "POST",
      token: ann.token,
      body: { receiverId: bob.id, content: "while asleep" },
    });
    const wokenAt = performance.now();
    socket.wake();
    await until(() => contents.length === 1);
    expect([contents, WorkerSocket.of(bob.token).length]).toEqual([["while asleep"], 2]);
    expect(performance.now() - wokenAt).toBeGreaterThan(550);
  });

  it("a connection that lives is kept", async () => {
    const user = await mintUser();
    const socket = open({ token: user.token });
    await opened(socket);
    const [wire] = WorkerSocket.of(user.token);
    socket.wake();
    await until(() => wire?.received.includes("pong") === true);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    await vi.advanceTimersByTimeAsync(2000);
    expect([socket.status, wire?.sent, WorkerSocket.of(user.token).length]).toEqual(["open", ["ping"], 1]);
  });

  it("after so long a sleep that the service has given it up, it does not even ask", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const user = await mintUser();
    const socket = open({ token: user.token });
    await opened(socket);
    vi.setSystemTime(Date.now() + 76_000);
    socket.wake();
    expect(socket.status).not.toBe("open");
    await opened(socket);
    expect(WorkerSocket.of(user.token).map(({ sent }) => sent)).toEqual([[], []]);
  });

  it("a try that began without a network is given up for a new one", async () => {
    const user = await mintUser();
    /** The first one gets no frame. */
    class FirstIsDeaf extends WorkerSocket {
      constructor(url: string) {
        super(url);
        if (WorkerSocket.of(user.token).length === 1) this.deafen();
      }
    }
    const socket = open({ token: user.token, WebSocket: FirstIsDeaf });
    await until(() => WorkerSocket.of(user.token)[0]?.readyState === WebSocket.READY_STATE_OPEN);
    socket.wake();
    expect([socket.status, WorkerSocket.of(user.token).length]).toEqual(["connecting", 1]);
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + 700);
    socket.wake();
    await opened(socket);
    expect(WorkerSocket.of(user.token)).toHaveLength(2);
  });

  it("a token that is not answered is asked for again: its question may have gone out without a network", async () => {
    const user = await mintUser();
    let asked = 0;
    const token = () => {
      asked += 1;
      return asked === 1 ? new Promise<string>(() => undefined) : user.token;
    };
    const socket = open({ token });
    await until(() => asked === 1);
    socket.wake();
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + 700);
    expect(asked).toBe(1);
    socket.wake();
    await opened(socket);
    expect([asked, WorkerSocket.of(user.token).length]).toEqual([2, 1]);
  });

  it("ends the wait for the next try, but not one that the service asked for", async () => {
    const user = await mintUser();
    const closes: unknown[] = [];
    const socket = open({ token: user.token, onStatus: (status, why) => why && closes.push([status, why.code]) });
    await opened(socket);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    drop(user.token);
    socket.wake();
    while (socket.status !== "open") await vi.advanceTimersByTimeAsync(0);
    WorkerSocket.of(user.token).at(-1)?.close(4029, "RATE_LIMIT; Retry-After: 20");
    for (let second = 0; second < 19; second += 1) {
      socket.wake();
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect([socket.status, closes]).toEqual([
      "waiting",
      [
        ["waiting", 1006],
        ["waiting", 4029],
      ],
    ]);
    await vi.advanceTimersByTimeAsync(1001);
    expect(socket.status).not.toBe("waiting");
  });

  it("a page's events do it: offline and hidden away end the connection, online and shown again bring it back", async () => {
    const [page, window] = [new EventTarget(), new EventTarget()];
    vi.stubGlobal("document", Object.assign(page, { hidden: false }));
    vi.stubGlobal("window", window);
    const user = await mintUser();
    const socket = open({ token: user.token });
    await opened(socket);
    const happens = (type: string, more = {}) => window.dispatchEvent(Object.assign(new Event(type), more));
    for (const [goes, comes] of [
      ["offline", "online"],
      ["pagehide", "pageshow"],
    ] as const) {
      happens(goes);
      expect(socket.status).toBe("waiting");
      happens(comes, { persisted: true });
      await opened(socket);
    }
    const wire = WorkerSocket.of(user.token).at(-1);
    happens("pageshow", { persisted: false });
    expect(wire?.sent).toEqual([]);
    for (const type of ["visibilitychange", "resume"]) page.dispatchEvent(new Event(type));
    expect(wire?.sent).toEqual(["ping", "ping"]);
    socket.close();
    happens("online");
    page.dispatchEvent(new Event("resume"));
    expect([wire?.sent.length, socket.status]).toEqual([2, "closed"]);
  });
});
