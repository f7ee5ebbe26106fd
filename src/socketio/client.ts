import { Decoder, type Packet, PacketType } from "socket.io-parser";
import type { MaybePromise } from "../platform/promise.ts";
import type { CloseReason, EngineSession, Receiver } from "./engine/layer.ts";
import { type EncodedPacket, toControlPacket } from "./packets.ts";
import type { Progress, Socket, SocketRecord } from "./socket.ts";

/** What a `Client` needs from those around it. */
export interface ClientHost {
  /** How long a client may take to join its first namespace, and to send the rest of a binary packet, ms. */
  readonly connectTimeoutMs: number;
  join(client: Client, namespace: string, packet: Packet): MaybePromise;
  leave(client: Client, socket: Socket): MaybePromise;
  closed(client: Client, reason: CloseReason): MaybePromise;
}

/** Namespaces that one client may be in, or ask for, at a time: its record must fit in an attachment. */
const MAX_NAMESPACES = 16;

/** Joins that one client may be refused: each has cost an authentication. */
const MAX_REFUSALS = 10;

/** One Engine.IO session that speaks Socket.IO: its packets, and its sockets by namespace. */
export class Client implements Receiver {
  readonly session: EngineSession;
  readonly sockets = new Map<string, Socket>();
  /** Namespaces that wait for their authentication. */
  readonly joining = new Set<string>();
  isOver = false;
  /** Whether the client has ever been let into a namespace. */
  hasJoined = false;
  readonly #host: ClientHost;
  readonly #decoder = new Decoder();
  #decoded: Packet | null = null;
  #refusals = 0;
  #joinTimer: ReturnType<typeof setTimeout> | null = null;
  #attachmentsTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(session: EngineSession, host: ClientHost) {
    this.session = session;
    this.#host = host;
    this.#decoder.on("decoded", (packet) => {
      this.#decoded = packet;
    });
  }

  /** A stranger has this long to join a namespace. In memory only, so that it costs no row; `isStale` is its backstop. */
  awaitFirstJoin(): void {
    this.#joinTimer = setTimeout(() => this.session.close("forced server close"), this.#host.connectTimeoutMs);
  }

  /** A stranger that came before an eviction, which takes the timer along. */
  isStale(now: number): boolean {
    const isStranger = this.sockets.size === 0 && this.joining.size === 0 && this.#joinTimer === null;
    return isStranger && !this.hasJoined && now - this.session.handshake.openedAt >= this.#host.connectTimeoutMs;
  }

  received(data: EncodedPacket): MaybePromise {
    const packet = this.#decode(data);
    if (packet === "bad") return this.session.close("parse error");
    if (packet !== null) return this.#take(packet);
  }

  /** The packet that this frame completes; null if more attachments are to come. */
  #decode(data: EncodedPacket): Packet | null | "bad" {
    // The parser would take the empty string for a CONNECT, type 0.
    if (data === "") return "bad";
    this.#decoded = null;
    try {
      this.#decoder.add(data);
    } catch {
      return "bad";
    }
    const packet: Packet | null = this.#decoded;
    if (packet) this.#attachmentsTimer = clear(this.#attachmentsTimer);
    // Half a packet is only in memory: the timer keeps the object awake on purpose, and bounds the wait.
    else this.#attachmentsTimer ??= setTimeout(() => this.session.close("parse error"), this.#host.connectTimeoutMs);
    return packet;
  }

  #take(packet: Packet): MaybePromise {
    const socket = this.sockets.get(packet.nsp);
    if (packet.type === PacketType.CONNECT && !socket) return this.#connect(packet);
    if (!socket) return this.session.close("parse error");
    switch (packet.type) {
      case PacketType.EVENT:
      case PacketType.BINARY_EVENT:
        return socket.received(packet);
      case PacketType.ACK:
      case PacketType.BINARY_ACK:
        return socket.acknowledged();
      case PacketType.DISCONNECT:
        return this.#host.leave(this, socket);
      default:
        // A second CONNECT, or a CONNECT_ERROR, which is the server's to send.
        return this.session.close("parse error");
    }
  }

  #connect(packet: Packet): MaybePromise {
    // The stock client asks twice if its user calls `connect()` on a socket that is connecting. One answer is enough.
    if (this.joining.has(packet.nsp)) return;
    if (this.sockets.size + this.joining.size >= MAX_NAMESPACES) {
      return this.refuse(packet.nsp, { message: "Too many namespaces" });
    }
    return this.#host.join(this, packet.nsp, packet);
  }

  refuse(namespace: string, error: { message: string; data?: unknown }): void {
    this.#refusals += 1;
    this.session.send(toControlPacket(PacketType.CONNECT_ERROR, namespace, error));
    if (this.#refusals >= MAX_REFUSALS) this.session.close("forced server close");
  }

  add(socket: Socket): void {
    this.hasJoined = true;
    this.#joinTimer = clear(this.#joinTimer);
    this.sockets.set(socket.namespace, socket);
    this.session.keep();
    this.session.changed();
  }

  /** A socket that was here before the object slept. */
  restore(socket: Socket): void {
    socket.client = this;
    socket.traffic = this.session.traffic;
    this.sockets.set(socket.namespace, socket);
  }

  remove(socket: Socket): void {
    this.sockets.delete(socket.namespace);
    this.session.changed();
  }

  /** @throws RangeError if it does not fit with all else that is known of the client */
  stateChanged(): void {
    this.session.changed();
    this.session.assertFits();
  }

  closed(reason: CloseReason): MaybePromise {
    this.isOver = true;
    this.#joinTimer = clear(this.#joinTimer);
    this.#attachmentsTimer = clear(this.#attachmentsTimer);
    this.#decoder.destroy();
    return this.#host.closed(this, reason);
  }

  get lasting(): { hasJoined: boolean; sockets: SocketRecord[] } {
    return { hasJoined: this.hasJoined, sockets: Array.from(this.sockets.values(), ({ record }) => record) };
  }

  get live(): Progress[] {
    return Array.from(this.sockets.values(), ({ progress }) => progress);
  }
}

function clear(timer: ReturnType<typeof setTimeout> | null): null {
  if (timer !== null) clearTimeout(timer);
  return null;
}
