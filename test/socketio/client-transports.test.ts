import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import { afterEach, describe, expect, inject, it } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    labUrl: string;
  }
}

const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.disconnect();
});

type Options = Partial<ManagerOptions & SocketOptions>;

function start(options: Options & { user?: string; namespace?: string }): Socket {
  const { user = "ada", namespace = "/", ...rest } = options;
  const socket = io(inject("labUrl") + namespace, { auth: { token: `user:${user}` }, forceNew: true, ...rest });
  open.push(socket);
  return socket;
}

const PATIENCE_MS = 8000;

function once(socket: Pick<Socket, "once">, event: string): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`timed out waiting for ${event}`)), PATIENCE_MS);
    socket.once(event, (...args: unknown[]) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
}

async function connect(options: Options & { user?: string; namespace?: string }): Promise<Socket> {
  const socket = start(options);
  await once(socket, "connect");
  return socket;
}

const ask = (socket: Socket, event: string, ...args: unknown[]): Promise<unknown> =>
  socket.timeout(PATIENCE_MS).emitWithAck(event, ...args);

describe.each([
  ["long-polling", { transports: ["polling"] }, "polling"],
  ["WebSocket", { transports: ["websocket"] }, "websocket"],
  ["an upgrade from one to the other", {}, "websocket"],
  ["long-polling to an object of its own", { transports: ["polling"], path: "/single/" }, "polling"],
  ["an upgrade in an object of its own", { path: "/single/" }, "websocket"],
])("the stock client over %s", (_how, options: Options, transport) => {
  it("connects, and ends on the transport it should", async () => {
    const socket = await connect(options);
    expect(socket.id).toMatch(/^[\w-]{20}$/);
    await expect.poll(() => socket.io.engine.transport.name, { timeout: PATIENCE_MS }).toBe(transport);
    expect(await ask(socket, "echo", "there")).toBe("there");
  });

  it("gets connect_error for a bad token, and in with a good one", async () => {
    const socket = start({ ...options, auth: { token: "forged" } });
    const [error] = await once(socket, "connect_error");
    expect(error).toMatchObject({ message: "UNAUTHORIZED", data: { code: "UNAUTHORIZED" } });
    socket.auth = { token: "user:ada" };
    socket.connect();
    await once(socket, "connect");
  });

  it("gets binary back as it was", async () => {
    const socket = await connect(options);
    const answer = once(socket, "echo");
    socket.emit("echo", Uint8Array.of(0, 1, 254, 255), { deep: Uint8Array.of(9) });
    const [first, second] = await answer;
    expect(bytesOf(first)).toEqual([0, 1, 254, 255]);
    expect(second).toEqual({ deep: expect.anything() });
  });

  it("keeps the order of a burst while it connects and upgrades", async () => {
    const socket = start(options);
    const numbers = Array.from({ length: 200 }, (_, n) => n);
    const answers = Promise.all(numbers.map((n) => ask(socket, "echo", n)));
    const order: number[] = [];
    socket.on("echo", (n: number) => order.push(n));
    for (const n of numbers) socket.emit("echo", n);
    expect(await answers).toEqual(numbers);
    await expect.poll(() => order.length, { timeout: PATIENCE_MS }).toBe(200);
    expect(order).toEqual(numbers);
  });

  it("is in several namespaces over one connection", async () => {
    const main = await connect({ ...options, user: "admin" });
    const admin = main.io.socket("/admin", { auth: { token: "user:admin" } });
    open.push(admin);
    await once(admin, "connect");
    expect(admin.id).not.toBe(main.id);
    expect(await Promise.all([ask(main, "count"), ask(admin, "count"), ask(admin, "count")])).toEqual([1, 1, 2]);
    admin.disconnect();
    expect(await ask(main, "count")).toBe(2);
  });

  it("lives through heartbeats", async () => {
    const socket = await connect(options);
    let pings = 0;
    socket.io.on("ping", () => {
      pings += 1;
    });
    await expect.poll(() => pings, { timeout: PATIENCE_MS }).toBeGreaterThanOrEqual(3);
    expect(await ask(socket, "count")).toBe(1);
  });

  it("recovers a lost connection, and gets what it missed", async () => {
    const socket = await connect({ ...options, reconnectionDelay: 300, reconnectionDelayMax: 300 });
    const speaker = await connect({ transports: ["websocket"], user: "bob" });
    const room = crypto.randomUUID();
    const heard: string[] = [];
    socket.on("said", (text: string) => heard.push(text));
    await ask(socket, "join", room);
    await ask(speaker, "say", room, "one");
    await expect.poll(() => heard).toEqual(["one"]);
    const { id } = socket;
    const lost = once(socket, "disconnect");
    socket.io.engine.close();
    await lost;
    await ask(speaker, "say", room, "two");
    await ask(speaker, "say", room, "three");
    await once(socket, "connect");
    expect([socket.recovered, socket.id]).toEqual([true, id]);
    await ask(speaker, "say", room, "four");
    await expect.poll(() => heard).toEqual(["one", "two", "three", "four"]);
  });

  it("is told that it was sent away, and stays away", async () => {
    const socket = await connect(options);
    const gone = once(socket, "disconnect");
    socket.emit("kick");
    expect((await gone)[0]).toBe("io server disconnect");
    expect(socket.active).toBe(false);
  });
});

it("20 clients on all transports hear each other in a room, everyone once", async () => {
  const transports = [["polling"], ["websocket"], ["polling", "websocket"]];
  const room = crypto.randomUUID();
  const sockets = await Promise.all(
    Array.from({ length: 20 }, (_, n) => connect({ user: `u${n}`, transports: transports[n % 3] })),
  );
  const heard = sockets.map((socket) => {
    const texts: string[] = [];
    socket.on("said", (text: string) => texts.push(text));
    return texts;
  });
  await Promise.all(sockets.map((socket) => ask(socket, "join", room)));
  await Promise.all(sockets.map((socket, n) => ask(socket, "say", room, `from ${n}`)));
  await expect.poll(() => heard.map(({ length }) => length), { timeout: PATIENCE_MS }).toEqual(heard.map(() => 20));
  for (const texts of heard) expect(new Set(texts).size).toBe(20);
});

function bytesOf(value: unknown): number[] {
  if (value instanceof ArrayBuffer) return [...new Uint8Array(value)];
  if (ArrayBuffer.isView(value)) return [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)];
  throw new Error(`not binary: ${String(value)}`);
}
