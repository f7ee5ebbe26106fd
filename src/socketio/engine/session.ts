import { Reader } from "../../realtime/reader.ts";
import { bytesOf, type EncodedPacket, frameForm, PING, pollingForm, SEPARATOR } from "../packets.ts";
import type { EngineSettings } from "../settings.ts";
import type { Handshake } from "./handshake.ts";
import type { CloseReason, EngineLayer, EngineSession, Receiver } from "./layer.ts";
import { assertFits, type SessionRecord, type StoredSession } from "./session-record.ts";
import { Traffic } from "./traffic.ts";

/** What a `Session` asks of the object that holds it. */
export interface SessionHost {
  readonly settings: EngineSettings;
  readonly layer: EngineLayer;
  /** The session has something to save or to flush at the end of this event. */
  changed(session: Session): void;
  /** The session is to survive whatever happens to the object's memory. */
  kept(session: Session): void;
  /** `code`: of the WebSocket's close. */
  close(session: Session, reason: CloseReason, code?: number): void;
  /** So much was sent to the session that it was asked whether it reads. */
  checkReader(session: Session): void;
}

// A row holds 2 MB, and a string costs up to two bytes a character.
const MAX_OUTBOX_CHARS = 1_000_000;

/** One Engine.IO session: a client, whatever it is connected by. */
export class Session implements EngineSession {
  readonly sid: string;
  readonly handshake: Handshake;
  readonly traffic = new Traffic();
  /** Whether the client reads what it is sent, by whatever transport. */
  readonly reader: Reader;
  /** The WebSocket that carries the session; null while it is long-polling. */
  transport: WebSocket | null = null;
  /** The internal socket on which the Worker waits with the client's GET. */
  poll: WebSocket | null = null;
  /** A WebSocket that asks to take the session over. */
  probe: { socket: WebSocket; since: number; probed: boolean } | null = null;
  /**
   * `closing`: the server ended a polling session which has not fetched its last packets yet. They wait for one more
   * GET; everything else is refused. `leaving`: the client ended it, and may have a GET on its way.
   */
  state: "open" | "closing" | "leaving" | "closed" = "open";
  /** Whether the WebSocket ever brought a frame. */
  hasSpoken = false;
  /** Whether the session is worth a row and an alarm: a stranger's is not, and ends by a timer. */
  isKept: boolean;
  /** Null for a session that is only there to be fetched a last time. */
  readonly receiver: Receiver | null;
  readonly #host: SessionHost;
  /** When the client was last known to be there, ms: at its handshake, or at its last pong. */
  #heardAt: number;
  /** When the first ping was sent since the last pong, ms; null: none was. */
  #pingSentAt: number | null = null;
  #outbox: string[] = [];
  #outboxChars = 0;
  /** As last saved, until it changes: most of a record is the same for as long as the client stays. */
  #lasting: string | null = null;

  /** @param record what is kept of a session that was here before the object slept */
  constructor(host: SessionHost, { sid, handshake }: Pick<SessionRecord, "sid" | "handshake">, record?: SessionRecord) {
    this.sid = sid;
    this.handshake = handshake;
    this.#host = host;
    this.#heardAt = record?.heardAt ?? handshake.openedAt;
    this.#pingSentAt = record?.pingSentAt ?? null;
    this.reader = new Reader(record?.reader);
    this.hasSpoken = record?.hasSpoken ?? false;
    this.state = record?.state ?? "open";
    this.isKept = record !== undefined;
    for (const packet of record?.outbox ?? []) this.conclude(packet);
    this.receiver = this.state === "open" ? host.layer.receive(this, record?.layer) : null;
  }

  get isPolling(): boolean {
    return this.transport === null;
  }

  // ── What goes out ─────────────────────────────────────────────────────────────────────────────────────────────────

  send(packet: EncodedPacket): void {
    if (this.state !== "open") return;
    this.#put(packet);
    if (!this.reader.send(bytesOf(packet)) || this.state !== "open") return;
    this.#ping(Date.now());
    this.#host.checkReader(this);
  }

  #put(packet: EncodedPacket): void {
    if (this.transport) {
      sendTo(this.transport, packet);
      return;
    }
    this.conclude(pollingForm(packet));
    if (this.#outboxChars > MAX_OUTBOX_CHARS && this.#outbox.length > 1) this.close("transport error");
    else this.#host.changed(this);
  }

  /** Queues a last packet for whoever polls, whatever the queue holds. */
  conclude(packet: string): void {
    this.#outbox.push(packet);
    this.#outboxChars += packet.length;
  }

  /** The packets that wait for the next GET. */
  get outbox(): readonly string[] {
    return this.#outbox;
  }

  takeOutbox(): string {
    const payload = this.#outbox.join(SEPARATOR);
    this.#dropOutbox();
    return payload;
  }

  /** The queue as WebSocket frames, for the transport that took over. */
  flushTo(socket: WebSocket): void {
    for (const packet of this.#outbox) sendTo(socket, frameForm(packet));
    this.#dropOutbox();
  }

  #dropOutbox(): void {
    this.#outbox = [];
    this.#outboxChars = 0;
  }

  close(reason: CloseReason, code?: number): void {
    this.#host.close(this, reason, code);
  }

  // ── Heartbeat ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Pings, or ends a session that did not answer in time. To be called once per ping interval. */
  beat(now: number): void {
    const isOver = this.#pingSentAt !== null && now - this.#pingSentAt >= this.#host.settings.pingTimeoutMs;
    if (isOver) this.close("ping timeout");
    else this.#ping(now);
  }

  #ping(now: number): void {
    // Engine.IO's pings have no names, and are answered in their order.
    this.reader.ping("", now);
    this.#pingSentAt ??= now;
    // It is one more packet in a full outbox, which is no reason to end the session.
    if (this.transport) sendTo(this.transport, PING);
    else this.conclude(PING);
    this.touched();
  }

  /**
   * A pong that nobody asked for says nothing; after one, no pong of the session tells that what was sent was read: a flood
   * of them would hide that nothing was.
   */
  heardPong(now: number): void {
    this.reader.pong(undefined);
    if (this.#pingSentAt === null) return;
    this.#pingSentAt = null;
    this.#heardAt = now;
    this.touched();
  }

  /** Whether the session's time is over, alarm or not. Requests ask this, because the alarm comes only once per interval. */
  isOverdue(now: number): boolean {
    const { pingIntervalMs, pingTimeoutMs } = this.#host.settings;
    if (this.#pingSentAt !== null && now - this.#pingSentAt >= pingTimeoutMs) return true;
    return now - this.#heardAt >= pingIntervalMs + pingTimeoutMs;
  }

  // ── What survives hibernation ─────────────────────────────────────────────────────────────────────────────────────

  keep(): void {
    if (this.isKept) return;
    this.isKept = true;
    this.#host.kept(this);
  }

  changed(): void {
    this.#lasting = null;
    this.#host.changed(this);
  }

  touched(): void {
    this.#host.changed(this);
  }

  assertFits(): void {
    assertFits(this.stored);
  }

  get stored(): StoredSession {
    const { sid, handshake, receiver, hasSpoken } = this;
    this.#lasting ??= JSON.stringify({ sid, handshake, layer: receiver?.lasting });
    const heartbeat = { heardAt: this.#heardAt, pingSentAt: this.#pingSentAt, reader: this.reader.state };
    const live = { ...heartbeat, hasSpoken, layer: receiver?.live };
    return { lasting: this.#lasting, live };
  }
}

/** A socket that is already gone has its close event on the way, which ends the session. */
export function sendTo(socket: WebSocket, packet: EncodedPacket): void {
  try {
    socket.send(packet);
  } catch {
    // See above.
  }
}
