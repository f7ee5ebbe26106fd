/**
 * The base of every object that holds sockets. With its two floors (holder.ts, receiver.ts) it alone knows the platform's
 * socket rules: hibernation, attachments, the single alarm, close events that may never come, and that sending message by
 * message drowns a busy room.
 *
 * A subclass brings a log, a map of commands and what happens on joining and leaving; it never touches a WebSocket.
 */
import { AppError, CLOSE, ERRORS, toAppError } from "../errors.ts";
import { zeroCost } from "../platform/cost.ts";
import { logEvent, logFailure } from "../platform/log.ts";
import { callObject } from "../platform/objects.ts";
import { failed, type Outcome } from "./commands.ts";
import { Bundle, Connection, firstBeat, SocketLink } from "./connection.ts";
import { type ConnectionState, ConnectRequest, type Person } from "./connection-state.ts";
import type { ReplayLog } from "./log.ts";
import { CommandReceiver } from "./receiver.ts";
import type { Revocation, RoomKind, RoomRef } from "./room-ref.ts";

/** The header in which the Worker hands over who connects. The Worker builds the request anew: no client can set it. */
export const CONNECT_REQUEST_HEADER = "x-roomcast-connect-request";

const CONNECTIONS_PER_USER = 100;
/** The platform takes 32,768 sockets per object; some are left for those that are closing. */
const CONNECTIONS_PER_OBJECT = 32_000;
/** Frames of a replay that go out together. */
const REPLAY_GROUP = 100;

export abstract class Room extends CommandReceiver {
  /** What `since` replays. */
  protected abstract readonly log: ReplayLog;
  /** Where a user's hub finds this object; null for the hub itself. */
  protected abstract readonly roomKind: RoomKind | null;

  /** A connection has its position and its replay; `isFirst`: of this user. */
  protected opened(_connection: Connection, _isFirst: boolean): void {}

  /** @throws AppError to turn this member away before anything is sent */
  protected admit(_admission: ConnectRequest): void | Promise<void> {}

  // ── Coming in ─────────────────────────────────────────────────────────────────────────────────────────────────────

  override async fetch(upgrade: Request): Promise<Response> {
    const request = ConnectRequest.parse(
      JSON.parse(decodeURIComponent(upgrade.headers.get(CONNECT_REQUEST_HEADER) ?? "null")),
    );
    const { 0: client, 1: socket } = new WebSocketPair();
    try {
      await this.admit(request);
      this.#requireSpace(request);
    } catch (thrown) {
      const error = toAppError(thrown);
      socket.accept();
      socket.close(ERRORS[error.code].close, error.code);
      return new Response(null, { status: 101, webSocket: client });
    }
    this.ctx.acceptWebSocket(socket);
    const now = Date.now();
    const state = this.#takeSeat(request, now);
    const connection = new Connection(state, new SocketLink(this.ctx, socket, state.batch));
    this.bySocket.set(socket, connection);
    connection.save();
    this.#enter(connection, request, now);
    return new Response(null, { status: 101, webSocket: client });
  }

  #requireSpace(request: ConnectRequest): void {
    this.prune(Date.now());
    if (this.connections.size >= CONNECTIONS_PER_OBJECT) throw new AppError("RATE_LIMIT", "This room is full.");
    if (this.connectionsOf(request.userId).length >= CONNECTIONS_PER_USER) throw new AppError("RATE_LIMIT");
  }

  #takeSeat({ since: _since, epoch: _epoch, ...request }: ConnectRequest, now: number): ConnectionState {
    // All sockets of an object beat together, so that one alarm serves them.
    const beats = [...this.connections.values()].flatMap(({ state }) =>
      state.beatAt && state.beatAt > now ? state.beatAt : [],
    );
    return {
      ...request,
      id: crypto.randomUUID(),
      openedAt: now,
      lastSeenAt: now,
      missed: 0,
      beatAt: request.heartbeat === "server" ? Math.min(...beats, firstBeat(now)) : null,
      spent: this.budgets.of(request.userId),
    };
  }

  /** First the position, then what was missed, then what is new. */
  #enter(connection: Connection, request: ConnectRequest, now: number): void {
    this.flush();
    const isFirst = this.connectionsOf(connection.userId).length === 0;
    const { head, epoch } = this.log;
    const greeting = [JSON.stringify({ type: "connected", userId: connection.userId, seq: head, epoch })];
    if (request.since !== undefined) {
      const replay = this.log.since(request.since, request.epoch);
      if ("resync" in replay) greeting.push(JSON.stringify({ type: "resync", data: { seq: head, epoch } }));
      else greeting.push(...replay.frames);
    }
    for (let from = 0; from < greeting.length; from += REPLAY_GROUP) {
      connection.send(new Bundle(greeting.slice(from, from + REPLAY_GROUP)));
    }
    this.add(connection);
    this.#welcome(connection, isFirst, now);
    this.flush();
  }

  #welcome(connection: Connection, isFirst: boolean, now: number): void {
    logEvent("socket.open", {
      kind: this.kind,
      object: this.ctx.id.name,
      userId: connection.userId,
      socket: connection.id,
    });
    this.opened(connection, isFirst);
    const place = this.#here();
    if (place) this.ctx.waitUntil(this.#reportTo(connection, place));
    this.timers.arm(now);
  }

  /**
   * The hub must know every room that its user is in, to cut them off. If it cannot be told, the client has to come back;
   * if it was told to cut the user off since the database was asked, that holds here too.
   */
  async #reportTo(connection: Connection, place: RoomRef): Promise<void> {
    const { userId, sessionId, authenticatedAt } = connection.state;
    try {
      const hub = String(userId);
      const cut = await callObject({ cost: zeroCost() }, this.env.USER_HUB, hub, (stub) =>
        stub.trackRoom(place, { sessionId, authenticatedAt }),
      );
      if (cut) this.drop(connection, cut.code, cut.reason);
    } catch (error) {
      logFailure({ requestId: connection.id }, "socket.report", error);
      this.drop(connection, CLOSE.restart, "INTERNAL_ERROR");
    }
  }

  /**
   * RPC: a client whose connection a gateway holds joins; again under the same id, it has moved to another gateway, has a
   * new token, or is back. The answer has the position in the log.
   */
  async remoteJoin(request: ConnectRequest, at: { gateway: string; socketId: string }): Promise<Outcome> {
    try {
      await this.admit(request);
      this.flush();
      const known = this.connections.get(at.socketId);
      if (!known) this.#requireSpace(request);
      const now = Date.now();
      const state = { ...this.#takeSeat({ ...request, heartbeat: "client" }, now), id: at.socketId };
      const isFirst = this.connectionsOf(request.userId).length === 0;
      if (known) this.#renew(known, state, at.gateway, isFirst);
      else {
        const connection = this.remote.add(state, at.gateway);
        this.add(connection);
        this.#welcome(connection, isFirst, now);
      }
      this.flush();
      const { head: seq, epoch } = this.log;
      return { ok: true, data: { seq, epoch } };
    } catch (thrown) {
      return failed(thrown);
    }
  }

  #renew(known: Connection, fresh: ConnectionState, gateway: string, isFirst: boolean): void {
    const { state } = known;
    const wasAway = state.isSuspended;
    const { facts: _facts, openedAt: _openedAt, spent: _spent, ...changed } = fresh;
    const connection = this.remote.add(Object.assign(state, changed, { isSuspended: false }), gateway);
    this.replace(known, connection);
    if (wasAway) this.opened(connection, isFirst);
    this.timers.arm(Date.now());
  }

  // ── Going ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** RPC: a gateway's client lost its connection. It may be back soon: until then it is gone for others only. */
  remoteSuspend(socketId: string): void {
    const connection = this.connections.get(socketId);
    if (!connection || connection.state.isSuspended) return;
    this.suspend(connection);
    this.flush();
  }

  protected override forget(connection: Connection, code: number): void {
    const wasHere = this.connections.has(connection.id);
    super.forget(connection, code);
    const place = this.#here();
    if (!place || !wasHere || this.allOf(connection.userId).length > 0) return;
    const hub = String(connection.userId);
    const told = callObject({ cost: zeroCost() }, this.env.USER_HUB, hub, (stub) => stub.untrackRoom(place));
    this.ctx.waitUntil(told.catch((error) => logFailure({ requestId: connection.id }, "socket.leave", error)));
  }

  #here(): RoomRef | null {
    return this.roomKind && { kind: this.roomKind, name: this.ctx.id.name ?? "" };
  }

  /** RPC: closes a user's connections here. */
  revoke({ userId, code, reason, sessionId, exceptSessionId }: Revocation): void {
    this.flush();
    for (const connection of this.allOf(userId)) {
      const { state } = connection;
      if (sessionId !== undefined && state.sessionId !== sessionId) continue;
      if (exceptSessionId !== undefined && state.sessionId === exceptSessionId) continue;
      this.drop(connection, code, reason);
    }
    this.flush();
  }

  /** RPC: what is known of a user changed (name, picture, role). */
  updatePerson(person: Partial<Person> & { userId: number }): void {
    for (const connection of this.allOf(person.userId)) {
      Object.assign(connection.state, person);
      connection.save();
    }
  }
}
