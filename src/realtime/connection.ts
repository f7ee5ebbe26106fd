/** One client of an object, over whatever carries it. */
import { CLOSE } from "../errors.ts";
import { ConnectionState } from "./connection-state.ts";
import { encodePing } from "./protocol.ts";

/** A socket that takes messages one by one, one that takes an array of them, or another object that passes them on. */
export type Carrier = "plain" | "array" | "gateway";

/** What carries a connection: a native WebSocket here; a Socket.IO session in its gateway. */
export interface Link {
  readonly carrier: Carrier;
  /** Sends messages in order. An array link may join them into one. */
  send(bundle: Bundle): void;
  close(code: number, reason: string): void;
  /** Keeps the state through hibernation. */
  save(state: ConnectionState): void;
  /** When the client last showed by itself that it is there, ms; 0 if unknown. */
  lastBeatAt(): number;
}

/** Encoded frames that go out together, perhaps to many: joined once, however many want an array. */
export class Bundle {
  readonly messages: readonly string[];
  #array: string | undefined;

  constructor(messages: readonly string[]) {
    this.messages = messages;
  }

  /** The frames as one message, for `batch=1`. */
  get array(): string {
    this.#array ??= `[${this.messages.join(",")}]`;
    return this.#array;
  }

  /** Length in UTF-16 units, which is near enough to bytes to notice a slow reader by. */
  get length(): number {
    return this.array.length;
  }
}

/** A client that said nothing for this long is gone from presence (SPEC 2). */
export const STALE_AFTER_MS = 75_000;
const BEAT_EVERY_MS = 30_000;
/** After the second unanswered ping: 30 + 30 + 10 stays under the 75 s. */
const LAST_CHANCE_MS = 10_000;

/**
 * workerd has no bufferedAmount, so an unanswered ping is the only sign of a slow reader. After PROBE_BYTES a ping goes
 * out early; after SLOW_BYTES more without its answer the socket is closed with 4009.
 */
const PROBE_BYTES = 2 * 1024 * 1024;
const SLOW_BYTES = 16 * 1024 * 1024;

export class Connection {
  readonly state: ConnectionState;
  readonly #link: Link;
  isOpen = true;
  #unreadBytes = 0;
  #isProbing = false;

  constructor(state: ConnectionState, link: Link) {
    this.state = state;
    this.#link = link;
  }

  get id(): string {
    return this.state.id;
  }

  get carrier(): Carrier {
    return this.#link.carrier;
  }

  get userId(): number {
    return this.state.userId;
  }

  /** Sends encoded frames, in order. A socket that is gone is not an error: its close is on the way. */
  send(bundle: Bundle): void {
    if (!this.isOpen || bundle.messages.length === 0) return;
    this.#link.send(bundle);
    if (this.state.heartbeat === "server") this.#watchReader(bundle.length);
  }

  #watchReader(length: number): void {
    this.#unreadBytes += length;
    if (this.#isProbing && this.#unreadBytes > SLOW_BYTES) this.close(CLOSE.tooSlow, "TOO_SLOW");
    else if (!this.#isProbing && this.#unreadBytes > PROBE_BYTES) {
      this.#isProbing = true;
      this.#unreadBytes = 0;
      this.#ping(Date.now());
    }
  }

  #ping(now: number): void {
    this.#link.send(new Bundle([encodePing(now)]));
  }

  /** Any frame from the client shows that it is there; a pong, that it reads. */
  touch(now: number): void {
    this.#unreadBytes = 0;
    this.#isProbing = false;
    const { state } = this;
    state.lastSeenAt = now;
    if (state.missed > 0) {
      state.missed = 0;
      state.beatAt = now + BEAT_EVERY_MS;
    }
  }

  /** The heartbeat is due: pings, pings once more, then gives up with 4008. */
  beat(now: number): void {
    const { state } = this;
    if (state.beatAt === null || state.beatAt > now) return;
    if (state.missed >= 2) {
      this.close(CLOSE.heartbeatMissed, "HEARTBEAT_MISSED");
      return;
    }
    state.missed += 1;
    state.beatAt = now + (state.missed === 2 ? LAST_CHANCE_MS : BEAT_EVERY_MS);
    this.#ping(now);
    this.save();
  }

  /** When the client last showed that it is there, by a frame or by its own heartbeat, ms. */
  get lastShownAt(): number {
    return Math.max(this.state.lastSeenAt, this.#link.lastBeatAt());
  }

  isStale(now: number): boolean {
    return now - this.lastShownAt > STALE_AFTER_MS;
  }

  save(): void {
    if (this.isOpen) this.#link.save(this.state);
  }

  /** Closes; the reason is cut at the protocol's 123 bytes (RFC 6455, 5.5). */
  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#link.close(code, cutToBytes(reason, 123));
  }
}

export const firstBeat = (now: number): number => now + BEAT_EVERY_MS;

function cutToBytes(text: string, most: number): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.byteLength <= most) return text;
  return new TextDecoder().decode(bytes.slice(0, most)).replace(/\uFFFD+$/, "");
}

/** Closes a socket that may be closed already. */
export function closeQuietly(socket: WebSocket, code: number, reason?: string): void {
  try {
    socket.close(code, reason);
  } catch {
    // Nothing left to close.
  }
}

/** A hibernatable WebSocket. */
export class SocketLink implements Link {
  readonly #socket: WebSocket;
  readonly #object: DurableObjectState;
  readonly carrier: Carrier;

  constructor(object: DurableObjectState, socket: WebSocket, batch: boolean) {
    this.#object = object;
    this.#socket = socket;
    this.carrier = batch ? "array" : "plain";
  }

  send(bundle: Bundle): void {
    try {
      if (this.carrier === "array" && bundle.messages.length > 1) this.#socket.send(bundle.array);
      else for (const message of bundle.messages) this.#socket.send(message);
    } catch {
      // Closing or gone; webSocketClose tells.
    }
  }

  close(code: number, reason: string): void {
    closeQuietly(this.#socket, code, reason);
  }

  save(state: ConnectionState): void {
    this.#socket.serializeAttachment(state);
  }

  lastBeatAt(): number {
    return this.#object.getWebSocketAutoResponseTimestamp(this.#socket)?.getTime() ?? 0;
  }
}

/** Brings a socket back after hibernation; null if its attachment is not one of ours. */
export function restoreConnection(object: DurableObjectState, socket: WebSocket): Connection | null {
  const state = ConnectionState.safeParse(socket.deserializeAttachment());
  if (!state.success || socket.readyState !== WebSocket.READY_STATE_OPEN) return null;
  return new Connection(state.data, new SocketLink(object, socket, state.data.batch));
}
