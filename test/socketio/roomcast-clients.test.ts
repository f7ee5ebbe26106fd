/** Unmodified socket.io-client, on every transport, in Roomcast's rooms (SPEC 9). */
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import { afterEach, describe, expect, inject, it } from "vitest";

const PATIENCE_MS = 8000;

const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.disconnect();
});

type Options = Partial<ManagerOptions & SocketOptions>;
type User = { id: number; token: string };
type Chat = { seq: number; message: string };

async function api<T>(path: string, body: object, token?: string): Promise<T> {
  const response = await fetch(`${inject("roomcastUrl")}/api/v1${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  const answer: T = await response.json();
  return answer;
}

async function mintUser(): Promise<User> {
  const username = `u${crypto.randomUUID().replaceAll("-", "").slice(0, 20)}`;
  const body = { username, email: `${username}@example.com`, password: "correct horse" };
  const { user, token } = await api<{ user: { id: number }; token: string }>("/auth/register", body);
  return { id: user.id, token };
}

/** A room that any signed-in user may join, without a moderator to make one: a stream's. */
async function mintStream(owner: User): Promise<number> {
  return (await api<{ id: number }>("/streams", { title: "Live" }, owner.token)).id;
}

function start({ token }: { token: string }, options: Options): Socket {
  const settings = { auth: { token }, forceNew: true, reconnectionDelay: 300, reconnectionDelayMax: 300, ...options };
  const socket = io(inject("roomcastUrl"), settings);
  open.push(socket);
  return socket;
}

function once(socket: Pick<Socket, "once">, event: string): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`timed out waiting for ${event}`)), PATIENCE_MS);
    socket.once(event, (...args: unknown[]) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
}

async function connect(user: User, options: Options): Promise<Socket> {
  const socket = start(user, options);
  await once(socket, "connect");
  return socket;
}

const ask = (socket: Socket, event: string, data: object): Promise<unknown> =>
  socket.timeout(PATIENCE_MS).emitWithAck(event, data);

function heardBy(socket: Socket): Chat[] {
  const heard: Chat[] = [];
  socket.on("chat_message", (message: Chat) => heard.push(message));
  return heard;
}

describe.each([
  ["long-polling", { transports: ["polling"] }, "polling"],
  ["WebSocket", { transports: ["websocket"] }, "websocket"],
  ["an upgrade from one to the other", {}, "websocket"],
])("over %s", (_how, options: Options, transport) => {
  it("is refused with a bad token, and let in with a good one", async () => {
    const user = await mintUser();
    const socket = start({ token: "forged" }, options);
    expect((await once(socket, "connect_error"))[0]).toMatchObject({ message: "UNAUTHORIZED" });
    socket.auth = { token: user.token };
    socket.connect();
    await once(socket, "connect");
    await expect.poll(() => socket.io.engine.transport.name, { timeout: PATIENCE_MS }).toBe(transport);
  });

  it("gets its own events, its callbacks' answers, and a failure for binary where text belongs", async () => {
    const [ann, bob] = [await mintUser(), await mintUser()];
    const socket = await connect(bob, options);
    const message = once(socket, "message:new");
    await api("/messages", { receiverId: bob.id, content: "hello" }, ann.token);
    expect((await message)[0]).toMatchObject({ content: "hello", senderId: ann.id });
    const streamId = await mintStream(ann);
    expect(await ask(socket, "join_stream", { streamId })).toEqual({ success: true });
    const bytes = { streamId, message: Uint8Array.of(1, 2, 3) };
    expect(await ask(socket, "chat_message", bytes)).toMatchObject({ error: { code: "INVALID_MESSAGE" } });
    expect(await ask(socket, "chat_message", { streamId, message: "text" })).toMatchObject({ success: true });
  });

  it("comes back to its rooms, with what it missed", async () => {
    const [ann, bob] = [await mintUser(), await mintUser()];
    const streamId = await mintStream(ann);
    const [socket, speaker] = [await connect(ann, options), await connect(bob, { transports: ["websocket"] })];
    const heard = heardBy(socket);
    await ask(socket, "join_stream", { streamId });
    await ask(speaker, "chat_message", { streamId, message: "one" });
    await expect.poll(() => heard.length, { timeout: PATIENCE_MS }).toBe(1);
    const { id } = socket;
    const lost = once(socket, "disconnect");
    const back = once(socket, "connect");
    socket.io.engine.close();
    await lost;
    await ask(speaker, "chat_message", { streamId, message: "two" });
    await back;
    expect([socket.recovered, socket.id]).toEqual([true, id]);
    await ask(speaker, "chat_message", { streamId, message: "three" });
    await expect
      .poll(() => heard.map(({ message }) => message), { timeout: PATIENCE_MS })
      .toEqual(["one", "two", "three"]);
  });
});

it("20 clients on all transports hear each other in one order, everyone once", async () => {
  const owner = await mintUser();
  const streamId = await mintStream(owner);
  const transports = [["polling"], ["websocket"], ["polling", "websocket"]];
  const sockets = await Promise.all(
    Array.from({ length: 20 }, async (_, n) => connect(await mintUser(), { transports: transports[n % 3] ?? [] })),
  );
  const heard = sockets.map(heardBy);
  await Promise.all(sockets.map((socket) => ask(socket, "join_stream", { streamId })));
  await Promise.all(sockets.map((socket, n) => ask(socket, "chat_message", { streamId, message: `from ${n}` })));
  const order = Array.from({ length: 20 }, (_, n) => n + 1);
  await expect
    .poll(() => heard.map((chat) => chat.map(({ seq }) => seq)), { timeout: PATIENCE_MS })
    .toEqual(sockets.map(() => order));
});
