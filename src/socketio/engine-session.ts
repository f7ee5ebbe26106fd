import type { CloseReason } from "./engine-layer.ts";
import type { Handshake } from "./handshake.ts";
import { type EnginePacket, pollingForm, SEPARATOR } from "./packets.ts";

/** What an `EngineSession` asks of the engine that holds it. */
export interface SessionHost {
  /** The session has something to save or to flush at the end of this event. */
  changed(session: EngineSession): void;
  close(session: EngineSession, reason: CloseReason): void;
}

export interface HeartbeatRecord {
  /** When the client was last known to be there: at its handshake, or at its last pong. */
  heardAt: number;
  /** When a ping was sent that has no pong yet. */
  pingSentAt: number | null;
}

// A row holds 2 MB, and a string costs up to two bytes a character.
const MAX_OUTBOX_CHARS = 1_000_000;

/** One Engine.IO session: a client, whatever it is connected by. */
export class EngineSession {
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
  heardAt: number;
  pingSentAt: number | null = null;
  /** Whether the WebSocket ever brought a frame. */
  hasSpoken = false;
  private outbox: string[] = [];
  private outboxChars = 0;

  constructor(
    readonly sid: string,
    readonly handshake: Handshake,
    private readonly host: SessionHost,
  ) {
    this.heardAt = handshake.openedAt;
  }

  get isPolling(): boolean {
    return this.transport === null;
  }

  /** Whether a packet would go out at once. */
  get isWritable(): boolean {
    return this.transport !== null || this.poll !== null;
  }

  send(packet: EnginePacket): void {
    if (this.state !== "open") return;
    if (this.transport) {
      sendTo(this.transport, packet);
      return;
    }
    const text = pollingForm(packet);
    this.conclude(text);
    if (this.outboxChars > MAX_OUTBOX_CHARS && this.outbox.length > 1) this.close("transport error");
    else this.host.changed(this);
  }

  /** Queues a last packet for whoever polls, whatever the queue holds. */
  conclude(packet: string): void {
    this.outbox.push(packet);
    this.outboxChars += packet.length;
  }

  /** Ends the session. Packets sent before still reach a client that polls. */
  close(reason: CloseReason): void {
    this.host.close(this, reason);
  }

  /** To be called when what the layer's `record()` gives has changed. */
  changed(): void {
    this.host.changed(this);
  }

  get hasOutbox(): boolean {
    return this.outbox.length > 0;
  }

  get heartbeat(): HeartbeatRecord {
    return { heardAt: this.heardAt, pingSentAt: this.pingSentAt };
  }

  /** The packets that wait for the next GET. */
  get pending(): readonly string[] {
    return this.outbox;
  }

  restore(heartbeat: HeartbeatRecord, outbox: string[] = []): void {
    this.heardAt = heartbeat.heardAt;
    this.pingSentAt = heartbeat.pingSentAt;
    this.outbox = outbox;
    this.outboxChars = outbox.reduce((sum, packet) => sum + packet.length, 0);
  }

  takeOutbox(): string {
    const payload = this.outbox.join(SEPARATOR);
    this.dropOutbox();
    return payload;
  }

  /** The queue as WebSocket frames, for the transport that took over. */
  flushTo(socket: WebSocket): void {
    for (const packet of this.outbox) sendTo(socket, packet.startsWith("b") ? fromBase64(packet.slice(1)) : packet);
    this.dropOutbox();
  }

  private dropOutbox(): void {
    this.outbox = [];
    this.outboxChars = 0;
  }
}

/** A socket that is already gone has its close event on the way, which ends the session. */
export function sendTo(socket: WebSocket, packet: EnginePacket): void {
  try {
    socket.send(packet);
  } catch {
    // See above.
  }
}

function fromBase64(text: string): ArrayBuffer {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0)).buffer;
}
