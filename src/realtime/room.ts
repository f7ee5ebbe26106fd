/**
 * The base of every object that holds connections: its lifecycle and its RPC surface. The parts it is made of alone know the
 * platform's socket rules: hibernation, attachments, the single alarm, close events that may never come, and that sending
 * frame by frame drowns a busy room.
 *
 * A kind of room brings a log and commands, says what happens when members come and go, and is given five things:
 * `connections`, `broadcast`, `send`, `disconnect` and `timers`. It never touches a WebSocket. `senders` are for its parts.
 */
import type { Counted } from "../auth/call-meter.ts";
import { objectContext } from "../context.ts";
import { readBirth, readGeneration } from "../db/generation.ts";
import type { Delivery } from "../db/outbox.ts";
import type { FailedDelivery } from "../db/outbox-parked.ts";
import { AppError, CLOSE } from "../errors.ts";
import { logEvent, logFailure } from "../platform/log.ts";
import type { MaybePromise } from "../platform/promise.ts";
import type { BudgetKind } from "./budget.ts";
import { failed, type Outcome } from "./commands.ts";
import type { Connection } from "./connection.ts";
import {
  type CrossingRequest,
  fromCrossing,
  type Person,
  readConnectRequest,
  sendRedirect,
} from "./connection-state.ts";
import type { PresentConnections } from "./connections.ts";
import { Deliveries } from "./deliveries.ts";
import { Deploys } from "./deploys.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { EncodedFrame } from "./encoded-frame.ts";
import { type LoggedEvents, missedIn } from "./fan-out.ts";
import { KindOfRoom } from "./kind-of-room.ts";
import { Lifecycle } from "./lifecycle.ts";
import { Origin, type Stamp } from "./origin.ts";
import type { RoomHooks, Senders } from "./room-hooks.ts";
import type { Revocation } from "./room-ref.ts";
import { SendQueue } from "./send-queue.ts";
import { Timers } from "./timers.ts";
import { refuseSocket } from "./transport.ts";

/** Without it, clients would see 1006 in the place of 1012. */
const CLOSE_MS = 100;

export abstract class Room extends KindOfRoom {
  protected readonly connections: PresentConnections;
  protected readonly timers: Timers;
  protected readonly senders: Senders = {
    broadcast: (frame, except) => this.broadcast(frame, except),
    broadcastLogged: (frame) => this.broadcastLogged(frame),
    send: (connection, frame) => this.send(connection, frame),
  };
  readonly #lifecycle: Lifecycle;
  readonly #dispatcher: Dispatcher;
  readonly #sendQueue: SendQueue;
  readonly #deliveries: Deliveries;
  readonly #origin: Origin;
  readonly #deploys: Deploys;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.timers = new Timers(state.storage);
    this.#deploys = new Deploys(state, env, { lastWordsMs: CLOSE_MS });
    const checkReader = (connection: Connection) => this.#lifecycle.checkReader(connection);
    this.#sendQueue = new SendQueue({
      runInbox: () => this.#dispatcher.runInbox(),
      checkReader,
      replaying: () => this.#lifecycle.replaying,
    });
    const hooks: RoomHooks = {
      state,
      env,
      timers: this.timers,
      kind: () => this.kind,
      roomKind: () => this.roomKind,
      log: () => this.log,
      commands: () => this.commands,
      queueStart: () => this.queueStart(),
      revocationOf: (by) => this.revocationOf(by),
      opened: (connection, isFirst) => this.opened(connection, isFirst),
      closed: (connection, isLast) => this.#guard("room.closed", () => this.closed(connection, isLast)),
      gone: (connection) => this.#guard("room.gone", () => this.gone(connection)),
      refused: (connection, id, error) => this.refused(connection, id, error),
    };
    this.#lifecycle = new Lifecycle(hooks, this.#sendQueue);
    this.#dispatcher = new Dispatcher(hooks, this.#lifecycle, this.#sendQueue);
    this.#deliveries = new Deliveries(state.storage.sql, {
      logged: () => this.log.lastDelivery ?? 0,
      apply: ({ id, payload }) => this.delivered(payload, id),
    });
    this.connections = this.#lifecycle.connections;
    this.#origin = new Origin({
      state,
      read: async () => {
        const ctx = objectContext(state, env);
        const born = this.numberedIn && (await readBirth(ctx, this.numberedIn, Number(state.id.name)));
        return { generation: await readGeneration(ctx), born };
      },
      isNumbered: () => this.numberedIn !== null,
      startOver: (isSameRow) => this.#startOver(isSameRow),
    });
    void state.blockConcurrencyWhile(() => this.timers.restore());
  }

  // ── What it is given ──────────────────────────────────────────────────────────────────────────────────────────────

  /** What has just been logged, to everybody here, encoded once. */
  protected broadcastLogged(frame: EncodedFrame): void {
    this.#sendQueue.loggedToAll(frame);
  }

  /** What is of the moment, to everybody here, encoded once. */
  protected broadcast(frame: EncodedFrame, except?: Connection): void {
    this.#sendQueue.toAll(frame, except);
  }

  /** To one connection, after all that was sent before. */
  protected send(connection: Connection, frame: EncodedFrame): void {
    this.#sendQueue.to(connection, frame);
  }

  /** Sends what is pending, then closes. A connection whose own command does this is answered first. */
  protected disconnect(connection: Connection, code: number, reason: string): void {
    this.#dispatcher.afterAnswer(connection, () => this.#lifecycle.close(connection, code, reason));
  }

  /** The same, for a connection whose own command asks for it, and has waited for something: once that is answered. */
  protected disconnectAtLast(connection: Connection, code: number, reason: string): void {
    this.#dispatcher.afterLateAnswer(connection, () => this.#lifecycle.close(connection, code, reason));
  }

  /** What is over is over, whatever a kind of room makes of it: others may be closing in the same event. */
  #guard(event: string, work: () => void): void {
    try {
      work();
    } catch (thrown) {
      logFailure({ requestId: "" }, event, thrown, { kind: this.kind, object: this.ctx.id.name });
    }
  }

  // ── Which database this belongs to ────────────────────────────────────────────────────────────────────────────────

  /** Call it with whatever was read in the database, before it is used. @throws AppError UNAVAILABLE the call is outdated */
  protected meet(stamp: Stamp): MaybePromise {
    return this.#origin.knows(stamp) ? undefined : this.#origin.meet(stamp);
  }

  /** Whoever is here was let in by a database that is no more: they come back, and are asked again. */
  #startOver(isSameRow: boolean): void {
    logEvent("object.startOver", { level: "warn", kind: this.kind, object: this.ctx.id.name, isSameRow });
    for (const connection of [...this.connections.values()]) {
      this.#lifecycle.close(connection, CLOSE.restart, "UNAVAILABLE");
    }
    this.#deliveries.forget();
    this.startOver(isSameRow);
  }

  // ── Sockets ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A socket that the Worker has checked. */
  override async fetch(upgrade: Request): Promise<Response> {
    const request = readConnectRequest(upgrade);
    const { 0: client, 1: socket } = new WebSocketPair();
    try {
      if (!this.#deploys.admits(request.version, () => this.#lifecycle.handOver())) throw new AppError("UNAVAILABLE");
      await this.meet({ generation: request.generation, born: this.bornAt(request) });
      await this.admit(request);
      const redirect = this.redirect(request);
      if (redirect !== null) return sendRedirect(redirect);
      this.#lifecycle.arrivals.requireSpace(request.userId);
      this.ctx.acceptWebSocket(socket);
      this.#lifecycle.arrivals.enter(request, socket);
    } catch (thrown) {
      refuseSocket(socket, thrown);
    }
    return new Response(null, { status: 101, webSocket: client });
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    const connection = this.#lifecycle.connections.find(socket);
    if (connection) this.#dispatcher.receive(connection, message);
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    this.#lifecycle.ended(socket, code);
  }

  override webSocketError(socket: WebSocket): void {
    this.#lifecycle.ended(socket, 1006);
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    this.#lifecycle.vanished.prune(now);
    await this.timers.ring(now);
    this.#sendQueue.flush();
  }

  // ── RPC ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** RPC: a frame for a caller without a socket (REST): the same function, budget and group. Read it with `outcomeOf`. */
  execute(person: Person, type: string, data: unknown, requestId?: string): Promise<Outcome> {
    return this.#dispatcher.execute(person, type, data, requestId);
  }

  /** Counts what goes another way, for a caller at `address`. @returns seconds to wait when that was one too many, else 0 */
  protected charge(userId: number, budget: BudgetKind, count: number, address: string): Counted {
    return this.#dispatcher.charge(userId, budget, count, address);
  }

  /** RPC: takes what the outbox has for this object; repeats are dropped. @returns those that must come again */
  async deliver(deliveries: Delivery[]): Promise<FailedDelivery[]> {
    this.#sendQueue.flush();
    await this.meet({ generation: deliveries[0]?.generation });
    const failed = await this.#deliveries.take(deliveries);
    this.#sendQueue.flush();
    return failed;
  }

  /**
   * RPC: a client whose connection a gateway holds joins; again under the same id, it has moved to another gateway, has a
   * new token, or is back. The answer has the number of the membership and the position in the log, and comes when all up to
   * there is with the gateway where the client was: what that one does not have then was lost on the way.
   */
  async remoteJoin(crossing: CrossingRequest, at: { gateway: string; socketId: string }): Promise<Outcome> {
    const request = fromCrossing(crossing);
    try {
      await this.meet({ generation: request.generation, born: this.bornAt(request) });
      await this.admit(request);
      const { join, drained, greetedFrom } = this.#lifecycle.arrivals.enterRemote(request, at);
      const { head, epoch } = this.log;
      await drained;
      return { ok: true, data: { seq: greetedFrom ?? head, epoch, join, isGreeted: greetedFrom !== null } };
    } catch (thrown) {
      return failed(thrown);
    }
  }

  /**
   * RPC: what a gateway's client has missed of the log after a position, up to `most` frames. Null: not all of it is kept any
   * more, or they are not in this room.
   */
  async remoteReplay(
    socketId: string,
    { seq, epoch, most }: { seq: number; epoch: string; most: number },
  ): Promise<LoggedEvents | null> {
    const connection = this.#lifecycle.connections.get(socketId);
    if (!connection || this.log.head - seq > most) return null;
    await this.beforeReplay();
    return missedIn(this.log, { seq, epoch });
  }

  /** RPC: a frame of a gateway's client. One that is not in this room gets NOT_FOUND. */
  executeRemote(socketId: string, type: string, data: unknown): Promise<Outcome> {
    return this.#dispatcher.executeRemote(socketId, type, data);
  }

  /** RPC: a gateway's client lost its connection. It may be back soon: until then it is gone for others only. */
  remoteSuspend(socketId: string): void {
    this.#lifecycle.suspend(socketId);
  }

  /** RPC: a gateway's client is gone from this room. */
  remoteLeave(socketId: string): void {
    this.#lifecycle.leave(socketId);
  }

  /** RPC: closes a user's connections here. */
  revoke(revocation: Revocation): void {
    this.#lifecycle.revoke(revocation);
  }

  /** RPC: what is known of a user changed (name, picture, role). */
  updatePerson(person: Partial<Person> & { userId: number }): void {
    this.#lifecycle.connections.updatePerson(person);
  }
}
