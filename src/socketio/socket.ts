import { type Packet, PacketType } from "socket.io-parser";
import { z } from "zod";
import type { ClientSocket, DisconnectReason, Json, ReceivedEvent } from "./application.ts";
import type { EngineSession } from "./engine-session.ts";
import {
  argumentsOf,
  type EncodedEvent,
  encodeAckArguments,
  encodeEvent,
  toControlPacket,
  toPackets,
} from "./events.ts";
import type { Handshake } from "./handshake.ts";
import type { EnginePacket } from "./packets.ts";
import { type KeptEvent, Replay } from "./replay.ts";
import { TaskQueue } from "./task-queue.ts";
import type { Traffic } from "./traffic.ts";

/** A socket as it survives hibernation. */
export const SocketRecord = z.object({
  id: z.string(),
  namespace: z.string(),
  principal: z.string(),
  state: z.json(),
  /** The name under which the client may resume; null without recovery. */
  pid: z.string().nullable(),
  /** The last offset that was issued. */
  offset: z.string().nullable(),
});
export type SocketRecord = z.infer<typeof SocketRecord>;

/** What a `Socket` needs from the layer around it. */
export interface SocketHost {
  readonly gateway: string;
  nextOffset(): string;
  /** The application ended the socket. */
  left(socket: Socket, reason: DisconnectReason, closeConnection: boolean): void;
  /** A socket without a connection was sent something, or has a new state. */
  kept(socket: Socket): void;
  assertFits(socket: Socket): void;
}

interface PendingRequest {
  resolve(args: unknown[]): void;
  reject(error: Error): void;
  timer: ReturnType<typeof setTimeout>;
}

export class Socket implements ClientSocket {
  readonly id: string;
  readonly namespace: string;
  readonly principal: string;
  readonly pid: string | null;
  /** Keeps what the client may have missed; null without recovery. */
  replay: Replay | null;
  readonly tasks = new TaskQueue();
  private data: Json;
  /** What is sent while the client's missed events are still being fetched; null: nothing is held. */
  private held: EncodedEvent[] | null = null;
  private readonly requests = new Map<number, PendingRequest>();
  private nextRequestId = 0;

  /** @param session null while the client has no connection, and may still come back. */
  constructor(
    record: SocketRecord,
    readonly handshake: Handshake,
    readonly traffic: Traffic,
    public session: EngineSession | null,
    private readonly host: SocketHost,
  ) {
    this.id = record.id;
    this.namespace = record.namespace;
    this.principal = record.principal;
    this.data = record.state;
    this.pid = record.pid;
    this.replay = record.pid === null ? null : new Replay(record.offset);
  }

  get gateway(): string {
    return this.host.gateway;
  }

  get state(): Json {
    return this.data;
  }

  set state(next: Json) {
    const before = this.data;
    // As JSON has it: a row would keep `undefined`, and could not be read again.
    this.data = z.json().parse(JSON.parse(JSON.stringify(next)));
    try {
      this.host.assertFits(this);
    } catch (error) {
      this.data = before;
      throw error;
    }
    if (this.session) this.session.changed();
    else this.host.kept(this);
  }

  get record(): SocketRecord {
    const { id, namespace, principal, state, pid } = this;
    return { id, namespace, principal, state, pid, offset: this.replay?.head ?? null };
  }

  emit(event: string, ...args: unknown[]): void {
    this.send(encodeEvent(event, ...args));
  }

  send(event: EncodedEvent, options: { volatile?: boolean } = {}): void {
    if (options.volatile) {
      if (this.held === null && this.session?.isWritable) this.write(this.packetsOf(event, null));
    } else {
      const offset = this.replay ? this.host.nextOffset() : null;
      this.deliver(event, offset, () => this.packetsOf(event, offset));
    }
  }

  /** Like `send`, for one who has the offset and shares the packets between receivers. */
  deliver(event: EncodedEvent, offset: string | null, packets: () => EnginePacket[]): void {
    if (this.held) {
      this.held.push(event);
      return;
    }
    if (offset !== null) this.replay?.add(offset, event);
    if (this.session === null) {
      this.host.kept(this);
      return;
    }
    this.write(packets());
    if (offset !== null) this.session.changed();
  }

  request(event: string, args: unknown[], timeoutMs: number): Promise<unknown[]> {
    const id = this.nextRequestId++;
    const answer = new Promise<unknown[]>((resolve, reject) => {
      const timer = setTimeout(() => this.fail(id, "the client did not answer in time"), timeoutMs);
      this.requests.set(id, { resolve, reject, timer });
    });
    if (this.session === null) this.fail(id, "the socket is not connected");
    else this.write(toPackets(encodeEvent(event, ...args), { kind: "event", namespace: this.namespace, id }));
    return answer;
  }

  disconnect(close = false): void {
    this.host.left(this, "server namespace disconnect", close);
  }

  // --- For the layer ---

  /** The client's answer to a `request`. One that nobody waits for any more is nothing to complain about. */
  acknowledged(packet: Packet): void {
    const request = this.requests.get(packet.id ?? -1);
    if (!request) return;
    this.settle(packet.id ?? -1, request);
    request.resolve(argumentsOf(packet));
  }

  eventOf(packet: Packet): ReceivedEvent {
    const [name, ...args] = argumentsOf(packet);
    const { id } = packet;
    return id === undefined ? { name: String(name), args } : { name: String(name), args, ack: this.ackFor(id) };
  }

  greet(): void {
    const data = this.pid === null ? { sid: this.id } : { sid: this.id, pid: this.pid };
    this.write([toControlPacket(PacketType.CONNECT, this.namespace, data)]);
  }

  sayGoodbye(): void {
    this.write([toControlPacket(PacketType.DISCONNECT, this.namespace)]);
  }

  /** Whether the socket is being recovered, and not yet greeted. */
  get isHeld(): boolean {
    return this.held !== null;
  }

  hold(): void {
    this.held = [];
  }

  /** Greets a recovered client, and sends what it missed before what was held. */
  release(missed: KeptEvent[], head: string | null): void {
    const held = this.held ?? [];
    this.held = null;
    // What was missed is kept once more: the new connection may break before it has arrived.
    this.replay = new Replay(head);
    this.greet();
    for (const { event, offset } of missed) this.deliver(event, offset, () => this.packetsOf(event, offset));
    for (const event of held) this.send(event);
    this.session?.changed();
  }

  failRequests(): void {
    for (const id of [...this.requests.keys()]) this.fail(id, "the socket has been disconnected");
  }

  private ackFor(id: number): (...args: unknown[]) => void {
    let isAnswered = false;
    return (...args) => {
      if (isAnswered) return;
      isAnswered = true;
      this.write(toPackets(encodeAckArguments(args), { kind: "ack", namespace: this.namespace, id }));
    };
  }

  private packetsOf(event: EncodedEvent, offset: string | null): EnginePacket[] {
    return toPackets(event, { kind: "event", namespace: this.namespace, offset });
  }

  private write(packets: EnginePacket[]): void {
    for (const packet of packets) this.session?.send(packet);
  }

  private fail(id: number, message: string): void {
    const request = this.requests.get(id);
    if (!request) return;
    this.settle(id, request);
    request.reject(new Error(message));
  }

  private settle(id: number, request: PendingRequest): void {
    clearTimeout(request.timer);
    this.requests.delete(id);
  }
}
