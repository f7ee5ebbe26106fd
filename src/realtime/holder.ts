/**
 * The floor of every object that holds connections: who is here, what goes out to them and when, how long they stay. What
 * they ask for is receiver.ts's; how they come in, room.ts's.
 */
import { DurableObject } from "cloudflare:workers";
import { config } from "../config.ts";
import { startContext } from "../context.ts";
import { CLOSE } from "../errors.ts";
import { logEvent } from "../platform/log.ts";
import { Budgets } from "./budget.ts";
import { type Connection, restoreConnection } from "./connection.ts";
import { Outgoing } from "./outgoing.ts";
import { RemoteMembers } from "./remote.ts";
import { Timers } from "./timers.ts";

export abstract class ConnectionHolder extends DurableObject<Env> {
  protected readonly connections = new Map<string, Connection>();
  protected readonly timers: Timers;
  protected readonly budgets: Budgets;
  /** How this kind of object is called in logs and metrics. */
  protected abstract readonly kind: string;

  protected readonly bySocket = new WeakMap<WebSocket, Connection>();
  protected readonly remote: RemoteMembers;
  readonly #byUser = new Map<number, Set<Connection>>();
  /** Members that may come back: they are sent what happens, and are not counted as being here. */
  readonly #suspended = new Set<Connection>();
  readonly #outgoing = new Outgoing();
  #inbox: (() => void)[] = [];
  /** Connections whose states changed while a group was run. */
  readonly #unsaved = new Set<Connection>();
  #isFlushing = false;
  #nextTurn: ReturnType<typeof setTimeout> | undefined;
  #busyUntil = 0;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    const settings = config(env);
    this.budgets = new Budgets({
      messages: settings.RATE_LIMIT_MESSAGES,
      typing: settings.RATE_LIMIT_TYPING,
      signaling: settings.RATE_LIMIT_SIGNALING,
    });
    // Answered by the runtime: a client's own heartbeat wakes and costs nothing.
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    this.timers = new Timers(state.storage);
    this.timers.add({ due: () => this.#nextBeat(), ring: (now) => this.#beat(now) });
    this.timers.add({ due: () => this.#nextExpiry(), ring: (now) => this.#expire(now) });
    this.remote = new RemoteMembers(state, env, {
      lost: (socketId) => this.remoteLeave(socketId),
      endsConnection: (code) => this.endsConnection(code),
    });
    this.#restore();
    void state.blockConcurrencyWhile(() => this.timers.restore());
  }

  /** Everybody who was here before hibernation. */
  #restore(): void {
    for (const socket of this.ctx.getWebSockets()) {
      const connection = restoreConnection(this.ctx, socket);
      if (!connection) continue;
      this.add(connection);
      this.bySocket.set(socket, connection);
      this.budgets.restore(connection.userId, connection.state.spent);
      connection.state.spent = this.budgets.of(connection.userId);
    }
    for (const connection of this.remote.restore()) this.add(connection);
  }

  /** A connection is gone; `isLast`: this user has no other. */
  protected closed(_connection: Connection, _isLast: boolean): void {}

  /** Whether a client of a gateway that is closed here loses its whole connection, and not only this room. */
  protected endsConnection(code: number): boolean {
    return code === CLOSE.unauthorized || code === CLOSE.rateLimit || code === CLOSE.restart;
  }

  // ── In groups ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Runs a job with those that arrive at about the same time, then sends what they all had to say. A quiet object runs
   * it at once. All that jobs of one group write is one transaction, since nothing is awaited in between.
   */
  protected enqueue(job: () => void): void {
    this.#inbox.push(job);
    this.#flushSoon();
  }

  /** A busy object takes what comes meanwhile along: that needs no more than a turn of the event loop. */
  #flushSoon(): void {
    if (this.#isFlushing || this.#nextTurn !== undefined) return;
    if (Date.now() >= this.#busyUntil) this.flush();
    else this.#flushIn(0);
  }

  #flushIn(waitMs: number): void {
    this.#nextTurn = setTimeout(() => this.flush(), waitMs);
  }

  /** Runs what was gathered, and sends. In a crowded room not everybody gets it in this turn; the others' follow. */
  protected flush(): void {
    if (this.#isFlushing) return;
    if (this.#nextTurn !== undefined) clearTimeout(this.#nextTurn);
    this.#nextTurn = undefined;
    this.#isFlushing = true;
    try {
      this.#runInbox();
      if (!this.#outgoing.isEmpty) this.#takeTurn();
    } finally {
      this.#isFlushing = false;
    }
  }

  #runInbox(): void {
    while (this.#inbox.length > 0) {
      const jobs = this.#inbox;
      this.#inbox = [];
      for (const job of jobs) job();
    }
    // Once for all that a connection sent in this group: an attachment costs as much as a frame.
    for (const connection of this.#unsaved) connection.save();
    this.#unsaved.clear();
  }

  #takeTurn(): void {
    const now = Date.now();
    // The clock stands still while code runs, so how long sending takes is estimated: some 15 µs each, and twice that
    // to find out whether more comes.
    this.#busyUntil = now + 2 + 0.03 * this.connections.size * Math.max(1, this.#outgoing.sharedCount);
    const waitMs = this.#outgoing.takeTurn(now);
    if (waitMs !== null) this.#flushIn(waitMs);
  }

  /** Keeps a connection's state, once for all that happens to it in this group. */
  protected saveLater(connection: Connection): void {
    this.#unsaved.add(connection);
  }

  /** To everybody here, encoded once. */
  protected broadcast(text: string, except?: Connection): void {
    this.#outgoing.toAll(text, except);
    this.#flushSoon();
  }

  protected send(connection: Connection, text: string): void {
    this.#outgoing.to(connection, text);
    this.#flushSoon();
  }

  // ── Who is here ───────────────────────────────────────────────────────────────────────────────────────────────────

  protected connectionsOf(userId: number): Connection[] {
    return [...(this.#byUser.get(userId) ?? [])];
  }

  /** The users who are here, one connection each. */
  protected people(): Connection[] {
    return [...this.#byUser.values()].flatMap(([connection]) => connection ?? []);
  }

  protected add(connection: Connection): void {
    this.connections.set(connection.id, connection);
    this.#outgoing.add(connection);
    if (connection.state.isSuspended) {
      this.#suspended.add(connection);
      return;
    }
    const own = this.#byUser.get(connection.userId);
    if (own) own.add(connection);
    else this.#byUser.set(connection.userId, new Set([connection]));
  }

  /** Takes the place of another connection of the same id, which is here, or was away. */
  protected replace(known: Connection, connection: Connection): void {
    this.#outgoing.remove(known);
    this.#suspended.delete(known);
    this.#byUser.get(known.userId)?.delete(known);
    this.add(connection);
  }

  /** Lost, and perhaps back soon: gone for the others until then. */
  protected suspend(connection: Connection): void {
    connection.state.isSuspended = true;
    connection.save();
    this.#suspended.add(connection);
    this.#unlist(connection);
  }

  /** A connection is here no more, for others; told once. */
  #unlist(connection: Connection): void {
    const own = this.#byUser.get(connection.userId);
    if (!own?.delete(connection)) return;
    if (own.size === 0) this.#byUser.delete(connection.userId);
    this.closed(connection, own.size === 0);
  }

  /** A user's connections, with those that are away. */
  protected allOf(userId: number): Connection[] {
    return [
      ...this.connectionsOf(userId),
      ...[...this.#suspended].filter((connection) => connection.userId === userId),
    ];
  }

  /** Sends what is pending, then closes. */
  protected drop(connection: Connection, code: number, reason: string): void {
    if (!this.connections.has(connection.id)) return connection.close(code, reason);
    this.#outgoing.finish(connection);
    connection.close(code, reason);
    this.forget(connection, code);
  }

  /** Clients that vanished without a close. Called on every wake that has to do with presence. */
  protected prune(now: number): void {
    for (const connection of this.connections.values()) {
      if (connection.isStale(now)) this.drop(connection, CLOSE.heartbeatMissed, "HEARTBEAT_MISSED");
    }
    this.ctx.waitUntil(this.remote.verify(now));
    this.budgets.sweep(now);
  }

  protected forget(connection: Connection, code: number): void {
    connection.isOpen = false;
    if (!this.connections.delete(connection.id)) return;
    this.#outgoing.remove(connection);
    logEvent("socket.close", {
      kind: this.kind,
      object: this.ctx.id.name,
      userId: connection.userId,
      socket: connection.id,
      code,
    });
    this.#suspended.delete(connection);
    this.#unlist(connection);
  }

  /** RPC: a gateway's client is gone from this room. */
  remoteLeave(socketId: string): void {
    const connection = this.connections.get(socketId);
    if (!connection) return;
    this.remote.remove(socketId);
    this.forget(connection, 1000);
    this.flush();
  }

  // ── How long they stay ────────────────────────────────────────────────────────────────────────────────────────────

  override async alarm(): Promise<void> {
    const now = Date.now();
    this.prune(now);
    await this.timers.ring(now);
    this.flush();
  }

  #nextBeat(): number | null {
    const beats = [...this.connections.values()].flatMap(({ state }) => state.beatAt ?? []);
    return beats.length > 0 ? Math.min(...beats) : null;
  }

  #beat(now: number): void {
    for (const connection of this.connections.values()) {
      connection.beat(now);
      if (!connection.isOpen) this.forget(connection, CLOSE.heartbeatMissed);
    }
  }

  #nextExpiry(): number | null {
    const ends = [...this.connections.values()].map(({ state }) => state.expiresAt);
    return ends.length > 0 ? Math.min(...ends) : null;
  }

  #expire(now: number): void {
    for (const connection of this.connections.values()) {
      if (connection.state.expiresAt <= now) this.drop(connection, CLOSE.unauthorized, "UNAUTHORIZED");
    }
  }

  /** For service calls made from inside an object. */
  protected context() {
    return startContext({ env: this.env, later: (work) => this.ctx.waitUntil(work) });
  }
}
