/** A socket that stays: it reconnects, resumes where it was, and hands every event to the app once. */
import ReconnectingWebSocket from "partysocket/ws";
import { closedBy, PendingCommands } from "./commands.ts";
import type { AckOf, CommandsOf, FramesOf, SocketPath } from "./contract.ts";
import { RoomcastError } from "./error.ts";
import { type Published, readError, readFrames, readPosition, readPublished, type ServerFrame } from "./frame.ts";
import { Heartbeat } from "./heartbeat.ts";
import { addressOf, type SocketOptions, type SocketStatus } from "./options.ts";
import { watchPage } from "./page.ts";
import { afterClose } from "./policy.ts";
import { Cursor, type Position } from "./position.ts";
import { readToken, type TokenSource } from "./token.ts";

export { RoomcastError };

/** A connection that lasted this long worked. */
const LASTING_MS = 5000;
const CONNECT_TIMEOUT_MS = 10_000;
const SEND_TIMEOUT_MS = 15_000;
const TOKEN_RETRY_MS = 5000;
/** A try that has taken this long when the network comes back began without it. */
const TRY_IS_OLD_MS = 600;

/** A service that gives no token or ticket would close the socket with this. */
const REFUSED: Partial<Record<string, number>> = { UNAUTHORIZED: 4001, FORBIDDEN: 4003 };
const refusalOf = (error: unknown) => {
  if (!(error instanceof RoomcastError)) return {};
  const { code, retryAfterSeconds } = error;
  return { code, closeCode: REFUSED[code], retryAfterSeconds };
};

type Listener = (frame: ServerFrame) => void;

export class RoomcastSocket<P extends SocketPath = "/ws"> {
  readonly #options: SocketOptions<P>;
  readonly #address: string;
  readonly #socket: ReconnectingWebSocket;
  readonly #cursor: Cursor;
  readonly #commands = new PendingCommands();
  readonly #heartbeat: Heartbeat;
  readonly #listeners = new Map<string, Set<Listener>>();
  #status: SocketStatus = "connecting";
  /** Of the close that was for good. */
  #closeCode: number | undefined;
  #openedAt: number | undefined;
  #failures = 0;
  /** What the last close demands; none, if the last try was refused before there was a socket to close. */
  #wait: { delayMs: number; rejected: boolean } | undefined = { delayMs: 0, rejected: false };
  #stopWaiting: (() => void) | undefined;
  /** The service said how long to stay away. */
  #isSentAway = false;
  #triedAt = 0;
  readonly #stopWatching: () => void;

  /** @throws TypeError when the address is none, or a name in the path has no value */
  constructor(options: SocketOptions<P>) {
    this.#options = options;
    this.#address = addressOf(options);
    this.#cursor = new Cursor(options.since);
    this.#heartbeat = new Heartbeat(options.heartbeat ?? "client", {
      beat: () => this.#socket.send("ping"),
      lost: () => {
        this.#socket.reconnect(4008, "HEARTBEAT_MISSED");
        this.wake();
      },
    });
    this.#socket = new ReconnectingWebSocket(() => this.#nextUrl(), null, {
      WebSocket: options.WebSocket,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      // How long to wait depends on the close code, so `#nextUrl` waits.
      minReconnectionDelay: 0,
      shouldReconnectOnClose: ({ code, reason }) => this.#comesBack(code, reason),
    });
    this.#socket.addEventListener("message", ({ data }) => this.#receive(data));
    this.#stopWatching = watchPage({ suspend: () => this.suspend(), wake: () => this.wake() });
  }

  get status(): SocketStatus {
    return this.#status;
  }

  /** Where the client stands in the log; keep it and give it as `since` to go on after a restart of the app. */
  get position(): Position | undefined {
    return this.#cursor.position;
  }

  /** @returns a function that stops listening */
  on<K extends keyof FramesOf<P> & string>(
    type: K,
    listener: (data: FramesOf<P>[K], seq: number | undefined) => void,
  ): () => void {
    // The server made the data by the same contract.
    return this.#listen(type, ({ data, seq }) => listener(data as FramesOf<P>[K], seq));
  }

  /**
   * Listens to what the product's own backend publishes under a type of its own. Its `data` is as it was given there.
   * @returns a function that stops listening
   */
  onPublished(type: `${string}:${string}`, listener: (publication: Published) => void): () => void {
    return this.#listen(type, (frame) => listener(readPublished(frame)));
  }

  #listen(type: string, listen: Listener): () => void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listen));
    return () => void listeners.delete(listen);
  }

  /**
   * Sends a command and waits for its ack; while there is no connection, it waits for that first.
   * @throws RoomcastError with the service's code, TIMEOUT, CONNECTION_LOST (perhaps it was done) or CLOSED
   */
  send<K extends keyof CommandsOf<P> & string>(
    type: K,
    data: CommandsOf<P>[K],
    { timeoutMs = this.#options.timeoutMs ?? SEND_TIMEOUT_MS }: { timeoutMs?: number } = {},
  ): Promise<AckOf<P, K>> {
    if (this.#closeCode !== undefined) return Promise.reject(closedBy(this.#closeCode));
    const answer = this.#commands.add(type, data, timeoutMs);
    if (this.#status === "open") this.#sendAll();
    return answer as Promise<AckOf<P, K>>;
  }

  /** Closes for good. What was not answered yet is rejected with CLOSED. */
  close(code = 1000, reason = ""): void {
    if (this.#status === "closed") return;
    this.#end(code, reason);
    this.#socket.close(code, reason);
  }

  /**
   * The network or the app is awake again: looks at once whether the connection still lives, and comes back at once if not. In
   * a page it happens by itself (online, visible, back from the bfcache); elsewhere, call it.
   */
  wake(): void {
    if (this.#status === "open") return this.#heartbeat.check();
    if (this.#status === "closed" || this.#isSentAway) return;
    this.#failures = 0;
    if (this.#wait) this.#wait = { ...this.#wait, delayMs: 0 };
    this.#stopWaiting?.();
    // It may be open by now, and its first frame lost.
    const isTrying = this.#status === "connecting" && this.#socket.readyState < this.#socket.CLOSING;
    if (isTrying && Date.now() - this.#triedAt > TRY_IS_OLD_MS) this.#socket.reconnect();
  }

  /** The network is gone, or the app is about to sleep: the connection ends now. It is tried again as after any break. */
  suspend(): void {
    if (this.#status === "open") this.#socket.reconnect(1000, "SUSPENDED");
  }

  #sendAll(): void {
    this.#commands.sendAll((text) => this.#socket.send(text));
  }

  // ── Connecting ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Asked for before every try: waits as long as the last close demands, then asks for a token. */
  async #nextUrl(): Promise<string> {
    const { delayMs, rejected } = this.#wait ?? this.#afterRefusal();
    this.#wait = undefined;
    if (delayMs > 0) await this.#sleep(delayMs);
    this.#isSentAway = false;
    if (this.#status !== "closed") this.#become("connecting");
    const query = new URLSearchParams({ batch: "1", heartbeat: this.#options.heartbeat ?? "client" });
    this.#cursor.addTo(query);
    const { token, ticket } = this.#options;
    if (token !== undefined) query.set("token", await this.#read(token, rejected));
    if (ticket !== undefined) query.set("ticket", await this.#read(ticket, rejected));
    this.#triedAt = Date.now();
    return `${this.#address}?${query}`;
  }

  /** A page's policy, or an insecure address on a secure page, keeps the socket from being made at all. */
  #afterRefusal(): { delayMs: number; rejected: boolean } {
    this.#failures += 1;
    this.#options.onError?.(new RoomcastError("CONNECTION_LOST", "The socket could not be opened."));
    const next = afterClose(1006, "", this.#failures);
    return next.comeBack ? next : { delayMs: 0, rejected: false };
  }

  /** Tries until there is a token: it may be asked for over the same network that is down. The service may refuse one for good. */
  async #read(source: TokenSource, rejected: boolean): Promise<string> {
    while (this.#status !== "closed") {
      try {
        const token = await this.#ask(source, rejected);
        if (token !== undefined) return token;
      } catch (error) {
        const { code, closeCode, retryAfterSeconds = 0 } = refusalOf(error);
        if (closeCode !== undefined) this.close(closeCode, code);
        this.#options.onError?.(error);
        await this.#sleep(Math.max(TOKEN_RETRY_MS, retryAfterSeconds * 1000));
      }
    }
    return "";
  }

  /** None, if the app wakes before there is one: what was asked for without a network may never be answered. */
  #ask(source: TokenSource, rejected: boolean): Promise<string | undefined> {
    const askedAt = Date.now();
    return new Promise((resolve, reject) => {
      this.#stopWaiting = () => {
        if (Date.now() - askedAt > TRY_IS_OLD_MS) resolve(undefined);
      };
      Promise.resolve(readToken(source, rejected)).then(resolve, reject);
    });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#stopWaiting = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #comesBack(code: number, reason: string): boolean {
    this.#heartbeat.stop();
    if (this.#status === "closed") return false;
    const hasLasted = this.#openedAt !== undefined && Date.now() - this.#openedAt >= LASTING_MS;
    this.#openedAt = undefined;
    this.#failures = hasLasted ? 0 : this.#failures + 1;
    this.#commands.dropSent();
    const next = afterClose(code, reason, this.#failures);
    // A fixed token that was refused is refused for ever, and a ticket is good for one time.
    const isSpent = code === 4001 && typeof (this.#options.token ?? this.#options.ticket) === "string";
    if (!next.comeBack || isSpent) {
      this.#end(code, reason);
      return false;
    }
    this.#wait = next;
    this.#isSentAway = code === 4029;
    this.#become("waiting", { code, reason });
    return true;
  }

  #end(code: number, reason: string): void {
    this.#stopWatching();
    this.#heartbeat.stop();
    this.#closeCode = code;
    this.#become("closed", { code, reason });
    this.#commands.dropAll(code);
    this.#stopWaiting?.();
  }

  #become(status: SocketStatus, why?: { code: number; reason: string }): void {
    if (this.#status === status) return;
    this.#status = status;
    this.#options.onStatus?.(status, why);
  }

  // ── Receiving ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #receive(message: unknown): void {
    this.#heartbeat.heard();
    if (typeof message !== "string" || message === "pong") return;
    for (const frame of readFrames(message)) this.#take(frame);
  }

  #take(frame: ServerFrame): void {
    const { type, id } = frame;
    if (type === "connected") return this.#connected(frame);
    if (type === "resync") return this.#resync(frame);
    if (type === "ping") return void this.#socket.send(JSON.stringify({ type: "pong", timestamp: frame.timestamp }));
    if (type === "ack") return this.#commands.acknowledged(String(id), frame.data);
    if (type === "error") return this.#failed(frame);
    if (this.#cursor.take(frame.seq)) this.#tell(frame);
  }

  #connected(frame: ServerFrame): void {
    const position = readPosition(frame);
    if (position) this.#cursor.connected(position);
    this.#openedAt = Date.now();
    this.#heartbeat.start();
    this.#become("open");
    this.#sendAll();
  }

  #resync(frame: ServerFrame): void {
    const position = readPosition(frame.data);
    if (!position) return;
    this.#cursor.resync(position);
    this.#options.onResync?.(position);
  }

  #failed(frame: ServerFrame): void {
    const error = readError(frame.error);
    if (frame.id !== undefined && this.#commands.refused(String(frame.id), error)) return;
    this.#options.onError?.(new RoomcastError(error.code, error.message));
  }

  /** A listener that throws takes nothing from the others. */
  #tell(frame: ServerFrame): void {
    for (const listener of [...(this.#listeners.get(frame.type) ?? [])]) {
      try {
        listener(frame);
      } catch (error) {
        if (this.#options.onError) this.#options.onError(error);
        else queueMicrotask(() => Promise.reject(error));
      }
    }
  }
}
