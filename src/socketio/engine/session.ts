import { type EncodedPacket, frameForm, PING, pollingForm, SEPARATOR } from "../packets.ts";
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
}

// A row holds 2 MB, and a string costs up to two bytes a character.
const MAX_OUTBOX_CHARS = 1_000_000;

/** One Engine.IO session: a client, whatever it is connected by. */
export class Session implements EngineSession {
  readonly sid: string;
  readonly handshake: Handshake;
  readonly traffic = new Traffic();
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
  /** When a ping was sent that has no pong yet, ms. */
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
    this.hasSpoken = record?.hasSpoken ?? false;
    this.state = record?.state ?? "open";
    this.isKept = record !== undefined;
    for (const packet of record?.outbox ?? []) this.conclude(packet);
    this.receiver = this.state === "open" ? host.layer.receive(this, record?.layer) : null;
  }

  get isPolling(): boolean {
    return this.transport === null;
  }

  get isWritable(): boolean {
    return this.transport !== null || this.poll !== null;
  }

  // ── What goes out ─────────────────────────────────────────────────────────────────────────────────────────────────

  send(packet: EncodedPacket): void {
    if (this.state !== "open") return;
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

  /** Pings, or ends a session that did not answer the last one. To be called once per ping interval. */
  beat(now: number): void {
    if (this.#pingSentAt !== null) {
      if (now - this.#pingSentAt >= this.#host.settings.pingTimeoutMs) this.close("ping timeout");
      return;
    }
    this.send(PING);
    this.#pingSentAt = now;
    this.touched();
  }

  /** A pong that nobody asked for says nothing. */
  heardPong(now: number): void {
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
    const live = { heardAt: this.#heardAt, pingSentAt: this.#pingSentAt, hasSpoken, layer: receiver?.live };
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
