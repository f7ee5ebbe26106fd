/** One client of an object, over whatever carries it. */
import { ConnectionState } from "./connection-state.ts";
import { encodePing } from "./protocol.ts";
import { Reader } from "./reader.ts";
import { FrameBatch, SocketTransport, type Transport, type TransportKind } from "./transport.ts";

/** A client that said nothing for this long is gone from presence (SPEC 2). */
const STALE_AFTER_MS = 75_000;
/** The same, of one that never answered a ping, and so may be listening all the same (SPEC 14). */
const SILENT_AFTER_MS = 600_000;
export const BEAT_EVERY_MS = 30_000;
/** After the second unanswered ping: 30 + 30 + 10 stays under the 75 s. */
const LAST_CHANCE_MS = 10_000;
/** A gateway misses a client this long after it last heard of it: Engine.IO's interval between pings and the time for a pong. */
const GATEWAY_MISSES_AFTER_MS = 45_000;

export class Connection {
  readonly state: ConnectionState;
  readonly #transport: Transport;
  readonly reader: Reader;
  isOpen = true;
  /** The client ended the connection itself, and so had what was sent before. */
  hasLeft = false;

  constructor(state: ConnectionState, transport: Transport) {
    this.state = state;
    this.#transport = transport;
    this.reader = new Reader(state.reader);
    state.reader = this.reader.state;
  }

  get id(): string {
    return this.state.id;
  }

  /** The join context, until the room puts in its place what it has to know of this connection after hibernation. */
  get context(): unknown {
    return this.state.facts;
  }

  set context(context: unknown) {
    this.state.facts = context;
  }

  get transportKind(): TransportKind {
    return this.#transport.kind;
  }

  get userId(): number {
    return this.state.userId;
  }

  /**
   * Sends encoded frames, in order. A socket that is gone is not an error: its close is on the way.
   * @returns whether so much was sent that it is time to see whether the client reads; it was asked with a ping
   */
  send(batch: FrameBatch): boolean {
    if (!this.isOpen || batch.frames.length === 0) return false;
    this.#transport.send(batch);
    // A gateway watches over its clients itself.
    if (this.transportKind === "gateway" || !this.reader.send(batch.bytes)) return false;
    this.ping(Date.now());
    this.save();
    return true;
  }

  ping(now: number): void {
    const timestamp = new Date(now).toISOString();
    this.reader.ping(timestamp, now);
    this.#transport.send(new FrameBatch([encodePing(timestamp)]));
  }

  /** From now on the client is held to answering. @returns whether a ping asked for this pong */
  pong(timestamp: string | undefined | null): boolean {
    this.state.answersPings = true;
    return timestamp !== null && this.reader.pong(timestamp);
  }

  /** Any frame from the client shows that it is there. */
  touch(now: number): void {
    const { state } = this;
    state.lastSeenAt = now;
    if (state.missed === 2 && state.beatAt !== null) state.beatAt += BEAT_EVERY_MS - LAST_CHANCE_MS;
    state.missed = 0;
  }

  /** A moment at which it beats, ms; null if the client does. An answer never shifts it: all keep beating together. */
  get rhythm(): number | null {
    const { beatAt, missed } = this.state;
    return beatAt !== null && missed === 2 ? beatAt - LAST_CHANCE_MS : beatAt;
  }

  /**
   * The heartbeat is due: pings, and once more. Of a client that never answered, silence tells nothing.
   * @returns false when both were left unanswered
   */
  beat(now: number): boolean {
    const { state } = this;
    if (state.missed >= 2) return false;
    state.missed = this.neverAnswers ? 1 : state.missed + 1;
    state.beatAt = now + (state.missed === 2 ? LAST_CHANCE_MS : BEAT_EVERY_MS);
    this.ping(now);
    this.save();
    return true;
  }

  /** When the client last showed that it is there, by a frame or by its own heartbeat, ms. */
  get lastShownAt(): number {
    return Math.max(this.state.lastSeenAt, this.#transport.lastBeatAt());
  }

  /** It is pinged by the server, and has answered no ping: it does not know how, or was never there. */
  get neverAnswers(): boolean {
    return this.state.beatAt !== null && this.state.answersPings !== true;
  }

  /** When the client was last heard of, ms; of a client that a gateway holds, the earliest that it can have been. */
  get lastHeardAt(): number {
    if (this.transportKind !== "gateway") return this.lastShownAt;
    if (this.state.isSuspended) return this.state.lastSeenAt;
    return Math.max(this.state.lastSeenAt, Date.now() - GATEWAY_MISSES_AFTER_MS);
  }

  /** For how long it is here after it showed itself, ms. */
  get staleAfterMs(): number {
    return this.neverAnswers ? SILENT_AFTER_MS : STALE_AFTER_MS;
  }

  /** A ping that it would have answered was not, or it showed nothing for long. */
  hasVanished(now: number): boolean {
    return (this.state.missed > 0 && !this.neverAnswers) || this.isStale(now);
  }

  isStale(now: number): boolean {
    return now - this.lastShownAt > this.staleAfterMs;
  }

  save(): void {
    if (this.isOpen) this.#transport.save(this.state);
  }

  /** Closes; the reason is cut at the protocol's 123 bytes (RFC 6455, 5.5). */
  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#transport.close(code, cutToBytes(reason, 123));
  }
}

function cutToBytes(text: string, most: number): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.byteLength <= most) return text;
  return new TextDecoder().decode(bytes.slice(0, most)).replace(/\uFFFD+$/, "");
}

/** Brings a socket back after hibernation; null if its attachment is not one of ours, or was taken away when we closed it. */
export function restoreConnection(object: DurableObjectState, socket: WebSocket): Connection | null {
  const state = ConnectionState.safeParse(socket.deserializeAttachment());
  if (!state.success) return null;
  return new Connection(state.data, new SocketTransport(object, socket, state.data.batch));
}
