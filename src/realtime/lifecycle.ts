/** The life of a room's connections: the parts that have to hear of each, how they are brought back, renewed and ended. */
import { config } from "../config.ts";
import { CLOSE } from "../errors.ts";
import { Arrivals, logSocket } from "./arrivals.ts";
import { Budgets, limitsFrom } from "./budget.ts";
import { BudgetRows } from "./budget-rows.ts";
import { type Connection, restoreConnection } from "./connection.ts";
import { Connections } from "./connections.ts";
import { restartReason } from "./deploys.ts";
import { Heartbeat } from "./heartbeat.ts";
import { HubRegistration } from "./hub-registration.ts";
import { RemoteMembers } from "./remote-members.ts";
import { Replays } from "./replays.ts";
import type { RoomHooks } from "./room-hooks.ts";
import { isRevoked, objectKey, type Revocation } from "./room-ref.ts";
import type { SendQueue } from "./send-queue.ts";
import { SlowReaders } from "./slow-readers.ts";
import { completeClose } from "./transport.ts";
import { Vanished } from "./vanished.ts";

export class Lifecycle {
  readonly arrivals: Arrivals;
  readonly connections: Connections;
  readonly budgets: Budgets;
  readonly vanished: Vanished;
  readonly #room: RoomHooks;
  readonly #sendQueue: SendQueue;
  readonly #heartbeat: Heartbeat;
  readonly #remote: RemoteMembers;
  readonly #hubs: HubRegistration;
  readonly #slowReaders: SlowReaders;
  readonly #replays: Replays;

  constructor(room: RoomHooks, sendQueue: SendQueue) {
    const { state, env, timers } = room;
    const close = this.close.bind(this);
    this.#room = room;
    this.#sendQueue = sendQueue;
    this.connections = new Connections({
      absent: (connection, isLast) => room.closed(connection, isLast),
      verify: () => this.vanished.verify(),
    });
    this.budgets = new Budgets(limitsFrom(config(env)), {
      rows: new BudgetRows(state.storage.sql),
      socketOf: (userId) => this.connections.socketOf(userId),
    });
    this.#slowReaders = new SlowReaders(this.connections);
    this.#replays = new Replays({
      timers,
      log: () => room.log(),
      checkReader: (connection) => this.checkReader(connection),
      close: (connection, code, reason) => this.#end(connection, code, reason),
    });
    this.#heartbeat = new Heartbeat(state, timers, { close, suspend: (silent) => this.connections.suspend(silent) });
    this.#hubs = new HubRegistration(room, close);
    this.#remote = new RemoteMembers({
      state,
      env,
      timers,
      lost: (socketId) => {
        const connection = this.connections.get(socketId);
        if (connection) this.#lost(connection);
      },
      isHub: () => room.roomKind() === null,
      object: () => objectKey(room.roomKind(), state.id.name ?? ""),
      position: () => {
        const { head: seq, epoch } = room.log();
        return { seq, epoch };
      },
    });
    this.vanished = new Vanished(state, {
      heartbeat: this.#heartbeat,
      remote: this.#remote,
      budgets: this.budgets,
      flush: () => this.#sendQueue.flush(),
    });
    this.arrivals = new Arrivals({
      room,
      sendQueue,
      connections: this.connections,
      budgets: this.budgets,
      heartbeat: this.#heartbeat,
      hubs: this.#hubs,
      remote: this.#remote,
      replays: this.#replays,
      slowReaders: this.#slowReaders,
      vanished: this.vanished,
    });
    this.#restore();
  }

  /** Everybody who was here before hibernation. */
  #restore(): void {
    const { state } = this.#room;
    for (const socket of state.getWebSockets()) {
      const connection = restoreConnection(state, socket);
      if (!connection) continue;
      this.arrivals.add(connection, socket);
      this.#replays.restore(connection);
      connection.state.spent = this.budgets.restore(connection.userId, connection.state.spent);
    }
    for (const connection of this.#remote.restore()) this.arrivals.add(connection);
  }

  /** Those that are sent what is logged by their replays, and not as it happens. */
  get replaying(): Iterable<Connection> {
    return this.#replays.connections;
  }

  /** A client has shown that it read something. */
  hasRead(connection: Connection, now: number): void {
    this.#replays.continue(connection, now);
  }

  /** A client has answered for the first time: from now on its silence tells. */
  answersPings(connection: Connection): void {
    this.#heartbeat.watch(connection);
  }

  /** A connection has a new token. */
  renewed(connection: Connection): void {
    connection.save();
    this.#heartbeat.renew(connection);
    this.#hubs.opened(connection);
    this.#room.timers.arm(Date.now());
  }

  // ── Going ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A gateway's client lost its connection: gone for the others until it is back. */
  suspend(socketId: string): void {
    const connection = this.connections.get(socketId);
    if (!connection || connection.state.isSuspended) return;
    connection.state.lastSeenAt = connection.lastHeardAt;
    this.connections.suspend(connection);
    this.#sendQueue.flush();
  }

  /** A gateway's client is gone from this room. */
  leave(socketId: string): void {
    const connection = this.connections.get(socketId);
    if (!connection) return;
    connection.hasLeft = connection.state.isSuspended !== true;
    this.#lost(connection);
  }

  /** A gateway's client is gone, and did not say so. */
  #lost(connection: Connection): void {
    this.#remote.remove(connection.id);
    this.#forget(connection, 1000);
    this.#sendQueue.flush();
  }

  revoke(revocation: Revocation): void {
    this.#sendQueue.flush();
    for (const connection of this.connections.allOf(revocation.userId)) {
      if (isRevoked(revocation, connection.state)) this.close(connection, revocation.code, revocation.reason);
    }
    this.#sendQueue.flush();
  }

  /** The object begins anew: its own clients come back, and nobody hears that they are gone; gateways have all that they were sent. */
  handOver(): Promise<void> {
    this.#sendQueue.flush();
    const own = [...this.connections.values()].filter(({ transportKind }) => transportKind !== "gateway");
    for (const connection of own) {
      this.#sendQueue.finish(connection);
      connection.close(CLOSE.restart, restartReason(own.length));
    }
    return this.#remote.allDrained();
  }

  /** Sends what is pending, then closes. */
  close(connection: Connection, code: number, reason: string): void {
    this.#sendQueue.finish(connection);
    this.#end(connection, code, reason);
  }

  #end(connection: Connection, code: number, reason: string): void {
    if (connection.isOpen) this.#slowReaders.closed(connection);
    connection.close(code, reason);
    this.#forget(connection, code);
  }

  /** A socket has ended by itself. */
  ended(socket: WebSocket, code: number): void {
    completeClose(socket, code);
    const connection = this.connections.find(socket) ?? this.#recall(socket);
    if (!connection) return;
    this.#slowReaders.ended(connection);
    // 1006 stands for an end without a closing frame (RFC 6455, 7.1.5).
    connection.hasLeft = code !== 1006;
    this.#forget(connection, code);
  }

  /** The end of a socket that woke the object: the platform no longer lists it, and its user was here until now. */
  #recall(socket: WebSocket): Connection | null {
    const connection = restoreConnection(this.#room.state, socket);
    if (connection) this.arrivals.add(connection, socket);
    return connection;
  }

  #forget(connection: Connection, code: number): void {
    connection.isOpen = false;
    if (!this.connections.has(connection)) return;
    this.#sendQueue.remove(connection);
    this.#heartbeat.remove(connection);
    this.#replays.remove(connection);
    logSocket("socket.close", this.#room, connection, { code });
    this.connections.remove(connection);
    if (this.connections.allOf(connection.userId).length === 0) this.#hubs.left(connection);
    if (connection.transportKind !== "gateway") this.budgets.keepAfterClose(connection, Date.now());
    this.#room.gone(connection);
  }

  /** Closes who does not read: what is still pending is not sent any more. */
  checkReader(connection: Connection): void {
    for (const slow of this.#slowReaders.after(connection, Date.now())) this.#end(slow, CLOSE.tooSlow, "TOO_SLOW");
  }
}
