/**
 * The base of every object that holds connections: its lifecycle and its RPC surface. The parts it is made of alone know the
 * platform's socket rules: hibernation, attachments, the single alarm, close events that may never come, and that sending
 * frame by frame drowns a busy room.
 *
 * A kind of room brings a log and commands, says what happens when members come and go, and is given five things:
 * `connections`, `broadcast`, `send`, `disconnect` and `timers`. It never touches a WebSocket. `senders` are for its parts.
 */
import type { Counted } from "../auth/call-meter.ts";
import type { Delivery } from "../db/outbox.ts";
import type { FailedDelivery } from "../db/outbox-parked.ts";
import type { MaybePromise } from "../platform/promise.ts";
import type { GatewaySocket } from "./arrivals.ts";
import type { BudgetKind } from "./budget.ts";
import { failed, type Outcome } from "./commands.ts";
import type { Connection } from "./connection.ts";
import type { ConnectRequest, CrossingRequest, Person } from "./connection-state.ts";
import { fromCrossing, readConnectRequest, sendRedirect } from "./connection-state.ts";
import type { PresentConnections } from "./connections.ts";
import type { EncodedFrame } from "./encoded-frame.ts";
import { type LoggedEvents, missedIn, type Position } from "./fan-out.ts";
import { KindOfRoom } from "./kind-of-room.ts";
import type { Stamp } from "./origin.ts";
import type { Senders } from "./room-hooks.ts";
import { RoomParts } from "./room-parts.ts";
import type { Revocation } from "./room-ref.ts";
import { Timers } from "./timers.ts";
import { refuseSocket } from "./transport.ts";

export abstract class Room extends KindOfRoom {
  protected readonly connections: PresentConnections;
  protected readonly timers: Timers;
  protected readonly senders: Senders = {
    broadcast: (frame, except) => this.broadcast(frame, except),
    broadcastLogged: (frame) => this.broadcastLogged(frame),
    send: (connection, frame) => this.send(connection, frame),
  };
  readonly #parts: RoomParts;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.timers = new Timers(state.storage);
    this.#parts = new RoomParts(this.hooks(this.timers), ({ payload, id }) => this.delivered(payload, id));
    this.connections = this.#parts.lifecycle.connections;
    void state.blockConcurrencyWhile(() => this.timers.restore());
  }

  // ── What it is given ──────────────────────────────────────────────────────────────────────────────────────────────

  /** What has just been logged, to everybody here, encoded once. */
  protected broadcastLogged(frame: EncodedFrame): void {
    this.#parts.sendQueue.loggedToAll(frame);
  }

  /** What is of the moment, to everybody here, encoded once. */
  protected broadcast(frame: EncodedFrame, except?: Connection): void {
    this.#parts.sendQueue.toAll(frame, except);
  }

  /** To one connection, after all that was sent before. */
  protected send(connection: Connection, frame: EncodedFrame): void {
    this.#parts.sendQueue.to(connection, frame);
  }

  /** Sends what is pending, then closes. A connection whose own command does this is answered first. */
  protected disconnect(connection: Connection, code: number, reason: string): void {
    this.#parts.dispatcher.afterAnswer(connection, () => this.#parts.lifecycle.close(connection, code, reason));
  }

  /** The same, for a connection whose own command asks for it, and has waited for something: once that is answered. */
  protected disconnectAtLast(connection: Connection, code: number, reason: string): void {
    this.#parts.dispatcher.afterLateAnswer(connection, () => this.#parts.lifecycle.close(connection, code, reason));
  }

  /** Call it with whatever was read in the database, before it is used. @throws AppError UNAVAILABLE the call is outdated */
  protected meet(stamp: Stamp): MaybePromise {
    const { origin } = this.#parts;
    return origin.knows(stamp) ? undefined : origin.meet(stamp);
  }

  // ── Sockets ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A socket that the Worker has checked. */
  override async fetch(upgrade: Request): Promise<Response> {
    const request = readConnectRequest(upgrade);
    const { 0: client, 1: socket } = new WebSocketPair();
    try {
      this.#parts.requireCurrent(request.version);
      await this.#letIn(request);
      const redirect = this.redirect(request);
      if (redirect !== null) return sendRedirect(redirect);
      this.#parts.lifecycle.arrivals.requireSpace(request.userId);
      this.ctx.acceptWebSocket(socket);
      this.#parts.lifecycle.arrivals.enter(request, socket);
    } catch (thrown) {
      refuseSocket(socket, thrown);
    }
    return new Response(null, { status: 101, webSocket: client });
  }

  /** @throws AppError to turn a client away: its database is no more, or this kind of room does not take it */
  async #letIn(request: ConnectRequest): Promise<void> {
    await this.meet({ generation: request.generation, born: this.bornAt(request) });
    await this.admit(request);
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    const connection = this.#parts.lifecycle.connections.find(socket);
    if (connection) this.#parts.dispatcher.receive(connection, message);
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    this.#parts.lifecycle.ended(socket, code);
  }

  override webSocketError(socket: WebSocket): void {
    this.#parts.lifecycle.ended(socket, 1006);
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    this.#parts.lifecycle.vanished.prune(now);
    await this.timers.ring(now);
    this.#parts.sendQueue.flush();
  }

  // ── RPC ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** RPC: a frame for a caller without a socket (REST): the same function, budget and group. Read it with `outcomeOf`. */
  execute(person: Person, type: string, data: unknown, requestId?: string): Promise<Outcome> {
    return this.#parts.dispatcher.execute(person, type, data, requestId);
  }

  /** Counts what goes another way, for a caller at `address`. @returns seconds to wait when that was one too many, else 0 */
  protected charge(userId: number, budget: BudgetKind, count: number, address: string): Counted {
    return this.#parts.dispatcher.charge(userId, budget, count, address);
  }

  /** RPC: takes what the outbox has for this object; repeats are dropped. @returns those that must come again */
  async deliver(deliveries: Delivery[]): Promise<FailedDelivery[]> {
    this.#parts.sendQueue.flush();
    await this.meet({ generation: deliveries[0]?.generation });
    const failed = await this.#parts.deliveries.take(deliveries);
    this.#parts.sendQueue.flush();
    return failed;
  }

  /**
   * RPC: a client whose connection a gateway holds joins; again under the same id, it has moved to another gateway, has a
   * new token, or is back. The answer has the number of the membership and the position in the log, and comes when all up to
   * there is with the gateway where the client was: what that one does not have then was lost on the way.
   */
  async remoteJoin(crossing: CrossingRequest, at: GatewaySocket): Promise<Outcome> {
    const request = fromCrossing(crossing);
    try {
      await this.#letIn(request);
      return { ok: true, data: await this.#parts.lifecycle.arrivals.enterRemote(request, at) };
    } catch (thrown) {
      return failed(thrown);
    }
  }

  /**
   * RPC: what a gateway's client has missed of the log after a position, up to `most` frames. Null: not all of it is kept any
   * more, or they are not in this room.
   */
  async remoteReplay(socketId: string, { most, ...at }: Position & { most: number }): Promise<LoggedEvents | null> {
    const connection = this.#parts.lifecycle.connections.get(socketId);
    if (!connection || this.log.head - at.seq > most) return null;
    await this.beforeReplay();
    return missedIn(this.log, at);
  }

  /** RPC: a frame of a gateway's client. One that is not in this room gets NOT_FOUND. */
  executeRemote(socketId: string, type: string, data: unknown): Promise<Outcome> {
    return this.#parts.dispatcher.executeRemote(socketId, type, data);
  }

  /** RPC: a gateway's client lost its connection. It may be back soon: until then it is gone for others only. */
  remoteSuspend(socketId: string): void {
    this.#parts.lifecycle.suspend(socketId);
  }

  /** RPC: a gateway's client is gone from this room. */
  remoteLeave(socketId: string): void {
    this.#parts.lifecycle.leave(socketId);
  }

  /** RPC: closes a user's connections here. */
  revoke(revocation: Revocation): void {
    this.#parts.lifecycle.revoke(revocation);
  }

  /** RPC: what is known of a user changed (name, picture, role). */
  updatePerson(person: Partial<Person> & { userId: number }): void {
    this.#parts.lifecycle.connections.updatePerson(person);
  }
}
