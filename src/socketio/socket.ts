import { type Packet, PacketType } from "socket.io-parser";
import { z } from "zod";
import type { MaybePromise } from "../platform/promise.ts";
import type {
  Application,
  ClientSocket,
  DisconnectReason,
  Membership,
  Position,
  ReceivedEvent,
} from "./application.ts";
import type { Handshake } from "./engine/handshake.ts";
import type { EngineSession } from "./engine/layer.ts";
import { Traffic } from "./engine/traffic.ts";
import { Memberships } from "./memberships.ts";
import {
  argumentsOf,
  type EncodedPacket,
  encodeAckArguments,
  encodeEvent,
  SharedEvent,
  toControlPacket,
  toPackets,
} from "./packets.ts";
import { type KeptEvent, Replay } from "./replay.ts";
import { TaskQueue } from "./task-queue.ts";

/** Who a socket is, as it survives hibernation and recovery. */
export const SocketRecord = z.object({
  id: z.string(),
  namespace: z.string(),
  principal: z.string(),
  state: z.unknown(),
  /** The name under which the client may resume; null without recovery. */
  pid: z.string().nullable(),
});
export type SocketRecord = z.infer<typeof SocketRecord>;

/** How far a socket has come: the last offset that was issued, and its position in the logs that it hears. */
export const Progress = z.object({
  offset: z.string().nullable(),
  positions: z.record(z.string(), z.object({ seq: z.number(), epoch: z.string(), join: z.number().default(0) })),
});
export type Progress = z.infer<typeof Progress>;

/** What carries a socket: its client's connection. */
export interface ClientTransport {
  readonly session: EngineSession;
  /** @throws RangeError if what is known of the client cannot be kept any more */
  stateChanged(): void;
  remove(socket: Socket): void;
}

/** What a `Socket` needs from those around it. */
export interface SocketHost {
  readonly gateway: string;
  readonly application: Application;
  nextOffset(): string;
  /** The application ended the socket. */
  left(socket: Socket, reason: DisconnectReason, closeConnection: boolean): void;
  /** A log went on without the socket: it has to come back for what it missed. */
  tear(socket: Socket): void;
  /** A socket without a connection has a new state, or was sent an event. */
  changedWhileLost(socket: Socket, kept?: KeptEvent): void;
  report(error: unknown, during: string): void;
}

/** Events of one socket that may wait for the ones before them; a client that sends on regardless is cut off. */
const MAX_WAITING_EVENTS = 1000;

export class Socket implements ClientSocket {
  readonly id: string;
  readonly namespace: string;
  readonly principal: string;
  readonly pid: string | null;
  /** Null while the client has no connection, and may still come back. */
  client: ClientTransport | null = null;
  handshake: Handshake;
  traffic = new Traffic();
  /** Keeps what the client may have missed; null without recovery. */
  replay: Replay | null;
  readonly memberships: Memberships;
  /** Where the logs stood when a socket that comes back joined them anew; null unless it is coming back. */
  joinedAt: Map<string, Position> | null = null;
  readonly #queue = new TaskQueue();
  readonly #host: SocketHost;
  #state: unknown;

  constructor(host: SocketHost, handshake: Handshake, record: SocketRecord, progress?: Progress) {
    this.#host = host;
    this.handshake = handshake;
    this.id = record.id;
    this.namespace = record.namespace;
    this.principal = record.principal;
    this.#state = host.application.stateSchema.parse(record.state);
    this.pid = record.pid;
    this.replay = record.pid === null ? null : new Replay(progress?.offset ?? null);
    this.memberships = new Memberships(progress?.positions ?? {}, () => this.client?.session.touched());
  }

  get gateway(): string {
    return this.#host.gateway;
  }

  get record(): SocketRecord {
    const { id, namespace, principal, pid } = this;
    return { id, namespace, principal, pid, state: this.#state };
  }

  get progress(): Progress {
    return { offset: this.replay?.head ?? null, positions: this.memberships.all };
  }

  get state(): unknown {
    return this.#state;
  }

  set state(next: unknown) {
    const before = this.#state;
    this.#state = next;
    try {
      if (this.client) this.client.stateChanged();
      else this.#host.changedWhileLost(this);
    } catch (error) {
      this.#state = before;
      this.client?.session.changed();
      throw error;
    }
  }

  // ── What the client does ──────────────────────────────────────────────────────────────────────────────────────────

  /** Does something for this socket when all that came before is done. @returns a promise unless it is done at once */
  run(during: string, task: () => MaybePromise): MaybePromise {
    return this.#queue.run(task)?.catch((error) => this.#host.report(error, during));
  }

  /** Resolves when all that came until now is done. */
  settled(): Promise<void> {
    return this.#queue.settled();
  }

  received(packet: Packet): MaybePromise {
    if (this.#queue.length >= MAX_WAITING_EVENTS) return this.client?.session.close("transport error");
    const event = this.#eventOf(packet);
    return this.run("an event", () => this.#host.application.received(this, event));
  }

  #eventOf(packet: Packet): ReceivedEvent {
    const [name, ...args] = argumentsOf(packet);
    const { id } = packet;
    return id === undefined ? { name: String(name), args } : { name: String(name), args, ack: this.#ackFor(id) };
  }

  #ackFor(id: number): (...args: unknown[]) => void {
    let isAnswered = false;
    return (...args) => {
      if (isAnswered) return;
      isAnswered = true;
      this.#write(toPackets(encodeAckArguments(args), { kind: "ack", namespace: this.namespace, id }));
    };
  }

  /** The client acknowledges something, which nothing here asks it to. */
  acknowledged(): MaybePromise {
    return this.run("an acknowledgement", () => this.#host.application.unexpected?.(this));
  }

  // ── What it is sent ───────────────────────────────────────────────────────────────────────────────────────────────

  emit(name: string, ...args: unknown[]): void {
    const event = encodeEvent(name, ...args);
    const offset = this.replay && this.#host.nextOffset();
    this.deliver(new SharedEvent(event, offset));
    if (!this.client && offset !== null) this.#host.changedWhileLost(this, { offset, event });
  }

  /** For one who shares the event between receivers, and keeps it for those who are lost. */
  deliver(shared: SharedEvent): void {
    const { event, offset } = shared;
    if (offset !== null) this.replay?.add(offset, event);
    if (!this.client) return;
    this.#write(shared.packetsIn(this.namespace));
    if (offset !== null) this.client.session.touched();
  }

  #write(packets: EncodedPacket[]): void {
    for (const packet of packets) this.client?.session.send(packet);
  }

  // ── Coming and going ──────────────────────────────────────────────────────────────────────────────────────────────

  subscribed(object: string, at: Membership, isAsked = false): void {
    const before = this.memberships.get(object);
    const begins = !before || (isAsked && at.join > before.join);
    this.memberships.set(object, begins ? at : { ...before, join: at.join });
    // Of one that is coming back, whoever brings it back sees to what it missed.
    if (this.joinedAt) this.joinedAt.set(object, at);
    else if (!begins && (before.epoch !== at.epoch || before.seq < at.seq)) this.#host.tear(this);
  }

  unsubscribed(object: string): void {
    this.memberships.leave(object);
  }

  /** The client has its connection, a first one or another: greets it, and sends what came after `offset`. */
  attach(client: ClientTransport, offset: string | null = null): void {
    this.client = client;
    this.joinedAt = null;
    this.handshake = client.session.handshake;
    this.traffic = client.session.traffic;
    const greeting = this.pid === null ? { sid: this.id } : { sid: this.id, pid: this.pid };
    this.#write([toControlPacket(PacketType.CONNECT, this.namespace, greeting)]);
    const missed = this.replay?.since(offset) ?? [];
    // What was missed is kept once more: the new connection may break before it has arrived.
    if (this.replay) this.replay = new Replay(offset, missed);
    for (const one of missed) this.#write(new SharedEvent(one.event, one.offset).packetsIn(this.namespace));
  }

  /** The connection is gone. */
  detach(): void {
    this.client = null;
  }

  sayGoodbye(): void {
    this.#write([toControlPacket(PacketType.DISCONNECT, this.namespace)]);
  }

  disconnect(close = false): void {
    this.#host.left(this, "server namespace disconnect", close);
  }
}
