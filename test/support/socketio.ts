/** A Socket.IO 5 client over Engine.IO 4's WebSocket transport, packet by packet: waits for events by name, never by time. */
import { ORIGIN, worker } from "./api.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into events freely; expectations are their types.
type Any = any;
export type Event = { name: string; args: Any[] };

const PATIENCE_MS = 8000;

export class SocketIoClient {
  /** Every event so far, oldest first; without the recovery offset. */
  readonly events: Event[] = [];
  /** Every packet as it came. */
  readonly packets: string[] = [];
  /** What the CONNECT answer said; null if it was refused. */
  welcome: { sid: string; pid: string } | null = null;
  refusal: { message: string; data?: Any } | null = null;
  /** The last offset, for recovery. */
  offset: string | undefined;
  /** As `socket.io-client` would say. */
  ended: "io server disconnect" | "transport close" | null = null;
  /** False: heartbeats are not answered. */
  answersPings = true;
  readonly #socket: WebSocket;
  readonly #acks = new Map<number, Any>();
  #asked = 0;
  #taken = 0;
  #waiting: (() => void)[] = [];

  constructor(socket: WebSocket, auth: object) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      this.#receive(String(data), auth);
      this.#wake();
    });
    socket.addEventListener("close", () => {
      this.ended ??= "transport close";
      this.#wake();
    });
    socket.accept();
  }

  #receive(packet: string, auth: object): void {
    this.packets.push(packet);
    const body = () => JSON.parse(packet.slice(packet.search(/[[{]/)));
    if (packet.startsWith("0")) this.#socket.send(`40${JSON.stringify(auth)}`);
    else if (packet === "2") this.answersPings && this.#socket.send("3");
    else if (packet.startsWith("40")) this.welcome = body();
    else if (packet.startsWith("41")) this.ended = "io server disconnect";
    else if (packet.startsWith("42")) this.#take(body());
    else if (packet.startsWith("43")) this.#acks.set(Number(/^43(\d+)/.exec(packet)?.[1]), body()[0]);
    else if (packet.startsWith("44")) this.refusal = body();
  }

  /** With recovery on, the server adds an offset to every event as its last argument. */
  #take([name, ...args]: [string, ...Any[]]): void {
    this.offset = args.pop();
    this.events.push({ name, args });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  async #until<T>(what: string, find: () => T | undefined | null): Promise<T> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = find();
      if (found !== undefined && found !== null) return found;
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`Waited in vain for ${what}; the last were ${this.packets.slice(-5).join(" | ")}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  connected(): Promise<{ sid: string; pid: string }> {
    return this.#until("the welcome", () => this.welcome);
  }

  refused(): Promise<{ message: string; data?: Any }> {
    return this.#until("connect_error", () => this.refusal);
  }

  /** The first argument of the next event of this name that was not taken yet; those before it are passed over. */
  next(name: string): Promise<Any> {
    return this.#until(`an event ${name}`, () => {
      const at = this.events.findIndex((event, index) => index >= this.#taken && event.name === name);
      if (at < 0) return undefined;
      this.#taken = at + 1;
      return this.events[at]?.args[0] ?? "nothing";
    });
  }

  /** Resolves when `count` events of this name have come, taken or not. */
  collect(name: string, count: number): Promise<Any[]> {
    return this.#until(`${count} events ${name}`, () => {
      const found = this.named(name);
      return found.length >= count ? found : undefined;
    });
  }

  named(name: string): Any[] {
    return this.events.filter((event) => event.name === name).map(({ args }) => args[0]);
  }

  /** Sends a packet as it is. */
  packet(packet: string): void {
    this.#socket.send(packet);
  }

  emit(name: string, ...args: unknown[]): void {
    this.#socket.send(`42${JSON.stringify([name, ...args])}`);
  }

  /** With a callback: what it was called with. */
  ask(name: string, ...args: unknown[]): Promise<Any> {
    const id = this.#asked++;
    this.#socket.send(`42${id}${JSON.stringify([name, ...args])}`);
    return this.#until(`the answer to ${name}`, () => this.#acks.get(id));
  }

  end(): Promise<string> {
    return this.#until("the end", () => this.ended);
  }

  /** As `socket.disconnect()`. */
  disconnect(): void {
    this.#socket.send("41");
  }

  /** As a network that goes away. */
  lose(): void {
    this.#socket.close(1000);
  }
}

/** Opens a session and asks to be let in; `auth` is the client's option of that name. */
export async function startSocketIo(auth: object, query = ""): Promise<SocketIoClient> {
  const url = `${ORIGIN}/socket.io/?EIO=4&transport=websocket${query}`;
  const response = await worker.fetch(url, { headers: { Upgrade: "websocket" } });
  if (!response.webSocket) throw new Error(`The handshake answered ${response.status}: ${await response.text()}`);
  return new SocketIoClient(response.webSocket, auth);
}

/** A connected client. */
export async function connectSocketIo({ token }: { token: string }, more: object = {}): Promise<SocketIoClient> {
  const client = await startSocketIo({ token, ...more });
  await client.connected();
  return client;
}
