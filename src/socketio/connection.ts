import { Decoder, type Packet, PacketType } from "socket.io-parser";
import type { EngineSession } from "./engine-session.ts";
import { toControlPacket } from "./events.ts";
import type { EnginePacket } from "./packets.ts";
import type { Socket } from "./socket.ts";
import { Traffic } from "./traffic.ts";
import type { Work } from "./work.ts";

/** What a `Connection` hands to the layer. */
export interface ConnectionHost {
  readonly connectTimeoutMs: number;
  join(connection: Connection, namespace: string, packet: Packet): Work;
  leave(connection: Connection, socket: Socket): Work;
  event(socket: Socket, packet: Packet): Work;
}

/** Namespaces that one connection may be in, or ask for, at a time: its record must fit in an attachment. */
const MAX_NAMESPACES = 16;

/** Joins that one connection may be refused: each has cost an authentication. */
const MAX_REFUSALS = 10;

/** One Engine.IO session that speaks Socket.IO: its packets, and its sockets by namespace. */
export class Connection {
  readonly sockets = new Map<string, Socket>();
  /** Namespaces that wait for their authentication. */
  readonly joining = new Set<string>();
  readonly traffic = new Traffic();
  isOver = false;
  private readonly decoder = new Decoder();
  private decoded: Packet | null = null;
  private refusals = 0;
  private joinTimer: ReturnType<typeof setTimeout> | null = null;
  private attachmentsTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    readonly session: EngineSession,
    private readonly host: ConnectionHost,
  ) {
    this.decoder.on("decoded", (packet) => {
      this.decoded = packet;
    });
  }

  /** A stranger has this long to join a namespace. In memory only, so that it costs no row; `isStale` is its backstop. */
  awaitFirstJoin(): void {
    this.joinTimer = setTimeout(() => this.session.close("forced server close"), this.host.connectTimeoutMs);
  }

  /** After an eviction, which takes the timer along. */
  isStale(now: number): boolean {
    const isStranger = this.sockets.size === 0 && this.joining.size === 0 && this.joinTimer === null && !this.hasJoined;
    return isStranger && now - this.session.handshake.openedAt >= this.host.connectTimeoutMs;
  }

  /** Whether the client has ever been let into a namespace. */
  hasJoined = false;

  received(data: EnginePacket): Work {
    this.traffic.countFrame(typeof data === "string" ? data.length : data.byteLength);
    const packet = this.decode(data);
    if (packet === "bad") return this.session.close("parse error");
    if (packet === null) return;
    this.traffic.countPacket();
    return this.take(packet);
  }

  add(socket: Socket): void {
    this.hasJoined = true;
    this.joinTimer = clear(this.joinTimer);
    this.sockets.set(socket.namespace, socket);
    this.session.changed();
  }

  remove(socket: Socket): void {
    this.sockets.delete(socket.namespace);
    this.session.changed();
  }

  refuse(namespace: string, error: { message: string; data?: unknown }): void {
    this.refusals += 1;
    this.session.send(toControlPacket(PacketType.CONNECT_ERROR, namespace, error));
    if (this.refusals >= MAX_REFUSALS) this.session.close("forced server close");
  }

  end(): void {
    this.isOver = true;
    this.joinTimer = clear(this.joinTimer);
    this.attachmentsTimer = clear(this.attachmentsTimer);
    this.decoder.destroy();
  }

  private take(packet: Packet): Work {
    const socket = this.sockets.get(packet.nsp);
    if (packet.type === PacketType.CONNECT && !socket) return this.connect(packet);
    if (!socket) return this.session.close("parse error");
    switch (packet.type) {
      case PacketType.EVENT:
      case PacketType.BINARY_EVENT:
        return this.host.event(socket, packet);
      case PacketType.ACK:
      case PacketType.BINARY_ACK:
        return socket.acknowledged(packet);
      case PacketType.DISCONNECT:
        return this.host.leave(this, socket);
      default:
        // A second CONNECT, or a CONNECT_ERROR, which is the server's to send.
        return this.session.close("parse error");
    }
  }

  private connect(packet: Packet): Work {
    // The stock client asks twice if its user calls `connect()` on a socket that is connecting. One answer is enough.
    if (this.joining.has(packet.nsp)) return;
    if (this.sockets.size + this.joining.size >= MAX_NAMESPACES) {
      return this.refuse(packet.nsp, { message: "Too many namespaces" });
    }
    return this.host.join(this, packet.nsp, packet);
  }

  /** The packet that this frame completes; null if more attachments are to come. */
  private decode(data: EnginePacket): Packet | null | "bad" {
    // The parser would take the empty string for a CONNECT, type 0.
    if (data === "") return "bad";
    this.decoded = null;
    try {
      this.decoder.add(data);
    } catch {
      return "bad";
    }
    const packet: Packet | null = this.decoded;
    if (packet) this.attachmentsTimer = clear(this.attachmentsTimer);
    // Half a packet is only in memory: the timer keeps the object awake on purpose, and bounds the wait.
    else this.attachmentsTimer ??= setTimeout(() => this.session.close("parse error"), this.host.connectTimeoutMs);
    return packet;
  }
}

function clear(timer: ReturnType<typeof setTimeout> | null): null {
  if (timer !== null) clearTimeout(timer);
  return null;
}
