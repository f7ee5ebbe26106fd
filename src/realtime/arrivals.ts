/** Connections that open, and clients that are back: what every part of a room has to hear of them. */
import { AppError } from "../errors.ts";
import { logEvent } from "../platform/log.ts";
import type { Budgets } from "./budget.ts";
import { Connection } from "./connection.ts";
import { type ConnectionState, type ConnectRequest, newState } from "./connection-state.ts";
import type { Connections } from "./connections.ts";
import { greet, greetRemote } from "./greeting.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { HubRegistration } from "./hub-registration.ts";
import type { RemoteMembers } from "./remote-members.ts";
import type { Replays } from "./replays.ts";
import type { RoomHooks } from "./room-hooks.ts";
import type { SendQueue } from "./send-queue.ts";
import type { SlowReaders } from "./slow-readers.ts";
import { SocketTransport } from "./transport.ts";
import type { Vanished } from "./vanished.ts";

type Parts = {
  room: RoomHooks;
  sendQueue: SendQueue;
  connections: Connections;
  budgets: Budgets;
  heartbeat: Heartbeat;
  hubs: HubRegistration;
  remote: RemoteMembers;
  replays: Replays;
  slowReaders: SlowReaders;
  vanished: Vanished;
};

/** Which gateway holds a client, and under which id. */
export type GatewaySocket = { gateway: string; socketId: string };

/**
 * What a gateway is told of a client that has joined: the position in the log, the number of the membership, and whether the
 * client was sent its position already, with the frames that waited for it.
 */
export type RemoteJoin = { seq: number; epoch: string; join: number; isGreeted: boolean };

export class Arrivals {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** @throws AppError RATE_LIMIT the object, or the user, has too many connections */
  requireSpace(userId: number): void {
    this.#parts.vanished.prune(Date.now());
    this.#parts.connections.requireSpace(userId);
    if (!this.#parts.slowReaders.mayOpen(userId)) throw new AppError("RATE_LIMIT", "Read what was sent first.");
  }

  /** A socket that was accepted. First the position, then what was missed, then what is new. */
  enter(request: ConnectRequest, socket: WebSocket): void {
    const state = this.#newState(request, crypto.randomUUID());
    const connection = new Connection(state, new SocketTransport(this.#parts.room.state, socket, state.batch));
    connection.save();
    this.#parts.sendQueue.flush();
    const parts = { log: this.#parts.room.log(), replays: this.#parts.replays };
    greet(connection, parts, request, this.#parts.room.queueStart());
    this.#open(connection, socket);
  }

  /**
   * A client that a gateway holds. Under an id that is known, it has moved, has a new token, or is back.
   * @returns when all that it was sent before is where it was: what that gateway does not have then was lost on the way
   */
  async enterRemote(request: ConnectRequest, at: GatewaySocket): Promise<RemoteJoin> {
    this.#parts.sendQueue.flush();
    const drained = this.#parts.remote.drained(at.socketId);
    const { join, greetedFrom } = this.#joinRemote(request, at);
    const { head, epoch } = this.#parts.room.log();
    await drained;
    return { seq: greetedFrom ?? head, epoch, join, isGreeted: greetedFrom !== null };
  }

  /** @returns the number of the membership; `greetedFrom`: its position, if frames waited for it, which it is sent after that */
  #joinRemote(request: ConnectRequest, { gateway, socketId }: GatewaySocket) {
    const known = this.#parts.connections.get(socketId);
    if (!known) this.requireSpace(request.userId);
    const state = this.#newState({ ...request, heartbeat: "client" }, socketId);
    if (known) {
      this.#renew(known, state, gateway);
      return { join: known.state.join ?? 0, greetedFrom: null };
    }
    const connection = this.#parts.remote.add(state, gateway);
    const start = request.takesQueue ? this.#parts.room.queueStart() : undefined;
    const greetedFrom = start === undefined ? null : greetRemote(connection, this.#parts.room.log(), start);
    this.#open(connection);
    return { join: state.join ?? 0, greetedFrom };
  }

  #newState(request: ConnectRequest, id: string): ConnectionState {
    const now = Date.now();
    const beatAt = request.heartbeat === "server" ? this.#parts.heartbeat.firstBeat(now) : null;
    return newState(request, { id, now, beatAt, spent: this.#parts.budgets.of(request.userId) });
  }

  #open(connection: Connection, socket?: WebSocket): void {
    const isFirst = this.#parts.connections.countOf(connection.userId) === 0;
    this.add(connection, socket);
    logSocket("socket.open", this.#parts.room, connection);
    this.#parts.room.opened(connection, isFirst);
    this.#parts.hubs.opened(connection);
    this.#settled();
  }

  /** Every part knows it from now on. */
  add(connection: Connection, socket?: WebSocket): void {
    this.#parts.connections.add(connection, socket);
    this.#parts.sendQueue.add(connection);
    this.#parts.heartbeat.add(connection);
  }

  #renew(known: Connection, fresh: ConnectionState, gateway: string): void {
    const wasSuspended = known.state.isSuspended;
    const isFirst = this.#parts.connections.countOf(known.userId) === 0;
    const { facts: _context, openedAt: _openedAt, spent: _spent, ...changed } = fresh;
    const state = Object.assign(known.state, changed, { isSuspended: false });
    const connection = this.#parts.remote.add(state, gateway);
    this.#parts.sendQueue.remove(known);
    this.#parts.connections.supersede(known);
    this.add(connection);
    if (wasSuspended) this.#parts.room.opened(connection, isFirst);
    this.#parts.hubs.opened(connection);
    this.#settled();
  }

  /** A client that had been silent for long says something: it is here again. */
  resume(connection: Connection): void {
    const isFirst = this.#parts.connections.countOf(connection.userId) === 0;
    this.#parts.connections.resume(connection);
    this.#parts.heartbeat.watch(connection);
    this.#parts.room.opened(connection, isFirst);
    this.#settled();
  }

  /** When a connection ends may have changed; what there is to say is said. */
  #settled(): void {
    this.#parts.room.timers.arm(Date.now());
    this.#parts.sendQueue.flush();
  }
}

export function logSocket(
  event: "socket.open" | "socket.close",
  room: RoomHooks,
  { id: socket, userId }: Connection,
  more: { code?: number } = {},
): void {
  logEvent(event, { kind: room.kind(), object: room.state.id.name, userId, socket, ...more });
}
