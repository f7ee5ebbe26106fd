/**
 * The base of every object that holds sockets. It alone knows the platform's socket rules: hibernation, attachments, the
 * single alarm, close events that may never come, and that sending message by message drowns a busy room.
 *
 * A subclass brings a log, a map of commands and what happens on joining and leaving; it never touches a WebSocket.
 */
import { DurableObject } from "cloudflare:workers";
import { config, FRAME_MAX_BYTES } from "../config.ts";
import { startContext } from "../context.ts";
import { AppError, CLOSE, ERRORS, errorBody, toAppError } from "../errors.ts";
import { authenticate } from "../http/auth/authenticate.ts";
import { log, logFailure } from "../http/log.ts";
import { callObject } from "../http/objects.ts";
import { noteHammering } from "../http/rate-limit.ts";
import { Budgets } from "./budget.ts";
import { type By, type Commands, failed, type Outcome } from "./commands.ts";
import { Bundle, Connection, closeQuietly, firstBeat, restoreConnection, SocketLink } from "./connection.ts";
import type { ReplayLog } from "./log.ts";
import { Outgoing } from "./outgoing.ts";
import type { CutOff, Place, PlaceKind } from "./place.ts";
import { AuthRefresh, type ClientFrame, encodeAck, encodeError, type FrameId, parseFrame } from "./protocol.ts";
import { RemoteMembers } from "./remote.ts";
import { Admission, type Person, type Seat } from "./seat.ts";
import { Timers } from "./timers.ts";

/** The header in which the Worker hands over who connects. The Worker builds the request anew: no client can set it. */
export const ADMISSION_HEADER = "x-roomcast-admission";

/** Ten times the limit within a minute is no longer a mistake: the socket is closed, and who comes back to do it again is banned. */
const HAMMERING_FACTOR = 10;
const CONNECTIONS_PER_USER = 100;
/** The platform takes 32,768 sockets per object; some are left for those that are closing. */
const CONNECTIONS_PER_OBJECT = 32_000;
/** Frames of one client that wait for an earlier one of its own to be answered. */
const BACKLOG_FRAMES = 256;
/** How long a busy object gathers, ms. */
const GATHER_MS = 1;

export abstract class Room extends DurableObject<Env> {
  protected readonly connections = new Map<string, Connection>();
  protected readonly timers: Timers;
  protected readonly budgets: Budgets;
  /** What `since` replays. */
  protected abstract readonly log: ReplayLog;
  protected abstract readonly commands: Commands;
  /** How this kind of object is called in logs and metrics. */
  protected abstract readonly kind: string;
  /** Where a user's hub finds this object; null for the hub itself. */
  protected abstract readonly place: PlaceKind | null;

  readonly #remote: RemoteMembers;
  readonly #byUser = new Map<number, Set<Connection>>();
  /** Members that may come back: they are sent what happens, and are not counted as being here. */
  readonly #away = new Set<Connection>();
  readonly #bySocket = new WeakMap<WebSocket, Connection>();
  readonly #outgoing = new Outgoing();
  readonly #backlogs = new Map<Connection, string[]>();
  #inbox: (() => void)[] = [];
  /** Connections whose seats changed while a group was run. */
  readonly #unsaved = new Set<Connection>();
  #isFlushing = false;
  #gathering: ReturnType<typeof setTimeout> | undefined;
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
    for (const socket of state.getWebSockets()) {
      const connection = restoreConnection(state, socket);
      if (!connection) continue;
      this.#add(connection);
      this.#bySocket.set(socket, connection);
      this.budgets.restore(connection.userId, connection.seat.spent);
      connection.seat.spent = this.budgets.of(connection.userId);
    }
    this.#remote = new RemoteMembers(state, env, {
      lost: (socketId) => this.remoteLeave(socketId),
      endsConnection: (code) => this.endsConnection(code),
    });
    for (const connection of this.#remote.restore()) this.#add(connection);
    void state.blockConcurrencyWhile(() => this.timers.restore());
  }

  // ── What a subclass adds ──────────────────────────────────────────────────────────────────────────────────────────

  /** A connection has its position and its replay; `isFirst`: of this user. */
  protected opened(_connection: Connection, _isFirst: boolean): void {}

  /** A connection is gone; `isLast`: this user has no other. */
  protected closed(_connection: Connection, _isLast: boolean): void {}

  /** Whether a client of a gateway that is closed here loses its whole connection, and not only this room. */
  protected endsConnection(code: number): boolean {
    return code === CLOSE.unauthorized || code === CLOSE.rateLimit || code === CLOSE.restart;
  }

  /** @throws AppError to turn this member away before anything is sent */
  protected admit(_admission: Admission): void | Promise<void> {}

  /** A connection's frame was refused, which it has been told; `id`: what the frame was called. */
  protected refused(_connection: Connection, _id: FrameId | undefined, _error: AppError): void {}

  // ── Opening ───────────────────────────────────────────────────────────────────────────────────────────────────────

  override async fetch(request: Request): Promise<Response> {
    const admission = Admission.parse(JSON.parse(decodeURIComponent(request.headers.get(ADMISSION_HEADER) ?? "null")));
    const { 0: client, 1: socket } = new WebSocketPair();
    try {
      await this.admit(admission);
      this.#requireSpace(admission);
    } catch (thrown) {
      const error = toAppError(thrown);
      socket.accept();
      socket.close(ERRORS[error.code].close, error.code);
      return new Response(null, { status: 101, webSocket: client });
    }
    this.ctx.acceptWebSocket(socket);
    const now = Date.now();
    const seat = this.#takeSeat(admission, now);
    const connection = new Connection(seat, new SocketLink(this.ctx, socket, seat.batch));
    this.#bySocket.set(socket, connection);
    connection.save();
    this.#enter(connection, admission, now);
    return new Response(null, { status: 101, webSocket: client });
  }

  #requireSpace(admission: Admission): void {
    this.prune(Date.now());
    if (this.connections.size >= CONNECTIONS_PER_OBJECT) throw new AppError("RATE_LIMIT", "This room is full.");
    if (this.connectionsOf(admission.userId).length >= CONNECTIONS_PER_USER) throw new AppError("RATE_LIMIT");
  }

  #takeSeat({ since: _since, epoch: _epoch, ...admission }: Admission, now: number): Seat {
    // All sockets of an object beat together, so that one alarm serves them.
    const beats = [...this.connections.values()].flatMap(({ seat }) =>
      seat.beatAt && seat.beatAt > now ? seat.beatAt : [],
    );
    return {
      ...admission,
      id: crypto.randomUUID(),
      openedAt: now,
      lastSignAt: now,
      missed: 0,
      beatAt: admission.heartbeat === "server" ? Math.min(...beats, firstBeat(now)) : null,
      spent: this.budgets.of(admission.userId),
    };
  }

  /** First the position, then what was missed, then what is new. */
  #enter(connection: Connection, admission: Admission, now: number): void {
    this.flush();
    const isFirst = this.connectionsOf(connection.userId).length === 0;
    const { head, epoch } = this.log;
    const greeting = [JSON.stringify({ type: "connected", userId: connection.userId, seq: head, epoch })];
    if (admission.since !== undefined) {
      const replay = this.log.since(admission.since, admission.epoch);
      if ("resync" in replay) greeting.push(JSON.stringify({ type: "resync", data: { seq: head, epoch } }));
      else greeting.push(...replay.frames);
    }
    for (let from = 0; from < greeting.length; from += 100)
      connection.send(new Bundle(greeting.slice(from, from + 100)));
    this.#add(connection);
    this.#welcome(connection, isFirst, now);
    this.flush();
  }

  #welcome(connection: Connection, isFirst: boolean, now: number): void {
    log("socket.open", { kind: this.kind, object: this.ctx.id.name, userId: connection.userId, socket: connection.id });
    this.opened(connection, isFirst);
    if (this.place) this.ctx.waitUntil(this.#reportTo(connection, { kind: this.place, name: this.ctx.id.name ?? "" }));
    this.timers.arm(now);
  }

  /**
   * The hub must know every room that its user is in, to cut them off. If it cannot be told, the client has to come back;
   * if it was told to cut the user off since the database was asked, that holds here too.
   */
  async #reportTo(connection: Connection, place: Place): Promise<void> {
    const { userId, sessionId, authenticatedAt } = connection.seat;
    try {
      const hub = String(userId);
      const cut = await callObject({ cost: NO_COST }, this.env.USER_HUB, hub, (stub) =>
        stub.enterPlace(place, { sessionId, authenticatedAt }),
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
  async remoteJoin(admission: Admission, at: { gateway: string; socketId: string }): Promise<Outcome> {
    try {
      await this.admit(admission);
      this.flush();
      const known = this.connections.get(at.socketId);
      if (!known) this.#requireSpace(admission);
      const now = Date.now();
      const seat = { ...this.#takeSeat({ ...admission, heartbeat: "client" }, now), id: at.socketId };
      const isFirst = this.connectionsOf(admission.userId).length === 0;
      if (known) this.#renew(known, seat, at.gateway, isFirst);
      else {
        const connection = this.#remote.add(seat, at.gateway);
        this.#add(connection);
        this.#welcome(connection, isFirst, now);
      }
      this.flush();
      const { head: seq, epoch } = this.log;
      return { ok: true, data: { seq, epoch } };
    } catch (thrown) {
      return failed(thrown);
    }
  }

  #renew(known: Connection, fresh: Seat, gateway: string, isFirst: boolean): void {
    const { seat } = known;
    const wasAway = seat.isAway;
    const { facts: _facts, openedAt: _openedAt, spent: _spent, ...changed } = fresh;
    const connection = this.#remote.add(Object.assign(seat, changed, { isAway: false }), gateway);
    this.#away.delete(known);
    this.#byUser.get(known.userId)?.delete(known);
    this.#add(connection);
    if (wasAway) this.opened(connection, isFirst);
    this.timers.arm(Date.now());
  }

  /** RPC: a gateway's client lost its connection. It may be back soon: until then it is gone for others only. */
  remoteSuspend(socketId: string): void {
    const connection = this.connections.get(socketId);
    if (!connection || connection.seat.isAway) return;
    connection.seat.isAway = true;
    connection.save();
    this.#away.add(connection);
    this.#unlist(connection);
    this.flush();
  }

  /** RPC: a gateway's client is gone from this room. */
  remoteLeave(socketId: string): void {
    const connection = this.connections.get(socketId);
    if (!connection) return;
    this.#remote.remove(socketId);
    this.forget(connection, 1000);
    this.flush();
  }

  /** RPC: a frame of a gateway's client. One that is not in this room gets NOT_FOUND. */
  remoteAct(socketId: string, type: string, data: unknown): Promise<Outcome> {
    return new Promise((resolve) => {
      this.enqueue(() => {
        const connection = this.connections.get(socketId);
        if (!connection) return resolve(failed(new AppError("NOT_FOUND", "Join first.")));
        const now = Date.now();
        try {
          connection.sign(now);
          if (connection.seat.expiresAt <= now) {
            this.drop(connection, CLOSE.unauthorized, "UNAUTHORIZED");
            throw new AppError("UNAUTHORIZED");
          }
          this.#spend(connection, this.commands.get(type)?.budget ?? "messages", now);
          settle(this.#run({ person: connection.seat, connection, now }, { type, data }), resolve);
        } catch (thrown) {
          resolve(failed(thrown));
        }
      });
    });
  }

  // ── Receiving ─────────────────────────────────────────────────────────────────────────────────────────────────────

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    const connection = this.#bySocket.get(socket);
    if (connection) this.enqueue(() => this.#receive(connection, message));
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    // The closing handshake is ours to finish (RFC 6455, 5.5.1); 1005 and 1006 are not to be sent.
    closeQuietly(socket, code === 1005 || code === 1006 ? 1000 : code);
    const connection = this.#bySocket.get(socket);
    if (connection) this.forget(connection, code);
  }

  override webSocketError(socket: WebSocket): void {
    const connection = this.#bySocket.get(socket);
    if (connection) this.forget(connection, 1006);
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    this.prune(now);
    await this.timers.ring(now);
    this.flush();
  }

  /**
   * Runs a job with those that arrive at about the same time, then sends what they all had to say. A quiet object runs
   * it at once. All that jobs of one group write is one transaction, since nothing is awaited in between.
   */
  protected enqueue(job: () => void): void {
    this.#inbox.push(job);
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#isFlushing || this.#gathering !== undefined) return;
    if (Date.now() >= this.#busyUntil) this.flush();
    else this.#gathering = setTimeout(() => this.flush(), GATHER_MS);
  }

  /** Runs what was gathered, and sends. */
  protected flush(): void {
    if (this.#isFlushing) return;
    if (this.#gathering !== undefined) clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#isFlushing = true;
    try {
      while (this.#inbox.length > 0) {
        const jobs = this.#inbox;
        this.#inbox = [];
        for (const job of jobs) job();
      }
      // Once for all that a connection sent in this group: an attachment costs as much as a frame.
      for (const connection of this.#unsaved) connection.save();
      this.#unsaved.clear();
      if (this.#outgoing.isEmpty) return;
      // The clock stands still while code runs, so how long sending takes is estimated: some 15 µs each, and twice that
      // to find out whether more comes.
      this.#busyUntil = Date.now() + 2 + 0.03 * this.connections.size * Math.max(1, this.#outgoing.sharedCount);
      this.#outgoing.flush(this.connections.values());
    } finally {
      this.#isFlushing = false;
    }
  }

  #receive(connection: Connection, message: string | ArrayBuffer): void {
    if (!connection.isOpen) return;
    const now = Date.now();
    connection.sign(now);
    if (connection.seat.expiresAt <= now) return this.drop(connection, CLOSE.unauthorized, "UNAUTHORIZED");
    if (isTooBig(message)) return this.drop(connection, CLOSE.tooBig, "PAYLOAD_TOO_LARGE");
    const backlog = this.#backlogs.get(connection);
    if (!backlog || typeof message !== "string") return this.#handle(connection, message, now);
    if (backlog.length >= BACKLOG_FRAMES) return this.#answerError(connection, undefined, new AppError("RATE_LIMIT"));
    backlog.push(message);
  }

  #handle(connection: Connection, message: string | ArrayBuffer, now: number): void {
    const { frame, id, problem } = parseFrame(message);
    if (frame?.type === "pong") return void this.#unsaved.add(connection);
    try {
      const command = frame && this.commands.get(frame.type);
      // What cannot be read counts as well: junk is not free.
      this.#spend(connection, command?.budget ?? "messages", now);
      if (!frame) throw new AppError("INVALID_MESSAGE", problem);
      const by: By = { person: connection.seat, connection, now };
      const result = frame.type === "auth:refresh" ? this.#refresh(connection, frame.data) : this.#run(by, frame);
      if (result instanceof Promise) return this.#wait(connection, result, id);
      if (id !== undefined) this.send(connection, encodeAck(id, result));
    } catch (thrown) {
      this.#answerError(connection, id, thrown);
    }
  }

  #run(by: By, frame: ClientFrame): unknown {
    const command = this.commands.get(frame.type);
    if (!command) throw new AppError("INVALID_MESSAGE", "This type of frame is not known.");
    // What a command wrote before it failed is taken back; the others of its group stay.
    return this.ctx.storage.transactionSync(() => command.run(by, frame.data));
  }

  /**
   * RPC: does what a frame of this type would do, for a caller without a socket (REST). The same function, the same budget,
   * gathered with the frames that come meanwhile. Read the answer with `outcomeOf`.
   */
  perform(person: Person, type: string, data: unknown): Promise<Outcome> {
    const now = Date.now();
    return new Promise((resolve) => {
      this.enqueue(() => {
        try {
          this.budgets.require(person.userId, this.commands.get(type)?.budget ?? "messages", now);
          settle(this.#run({ person, now }, { type, data }), resolve);
        } catch (thrown) {
          resolve(failed(thrown));
        }
      });
    });
  }

  /** Frames of one client are answered in order: those that come meanwhile wait. */
  #wait(connection: Connection, result: Promise<unknown>, id: FrameId | undefined): void {
    this.#backlogs.set(connection, []);
    const settle = (answer: () => void): void => {
      this.enqueue(() => {
        answer();
        const backlog = this.#backlogs.get(connection) ?? [];
        this.#backlogs.delete(connection);
        for (const message of backlog) this.#receive(connection, message);
      });
    };
    void result.then(
      (data) => settle(() => (id === undefined ? undefined : this.send(connection, encodeAck(id, data)))),
      (error) => settle(() => this.#answerError(connection, id, error)),
    );
  }

  #spend(connection: Connection, budget: "messages" | "typing" | "signaling", now: number): void {
    const over = this.budgets.spend(connection.userId, budget, now);
    this.#unsaved.add(connection);
    if (over === 0) return;
    const refusal = this.budgets.refusal(connection.userId, budget, now);
    if (over > HAMMERING_FACTOR * this.budgets.limits[budget]) {
      this.drop(connection, CLOSE.rateLimit, `RATE_LIMIT; Retry-After: ${refusal.retryAfterSeconds}`);
      this.ctx.waitUntil(noteHammering(this.context(), connection.seat.address));
    }
    throw refusal;
  }

  /** A new token for a connection that stays (SPEC 2). It must be the same user's. */
  async #refresh(connection: Connection, data: unknown): Promise<{ expiresAt: string }> {
    const parsed = AuthRefresh.safeParse(data);
    if (!parsed.success) throw new AppError("INVALID_MESSAGE", "data.token: expected a token");
    const { actor } = await authenticate(this.context(), parsed.data.token);
    if (actor.id !== connection.userId) throw new AppError("FORBIDDEN");
    connection.seat.sessionId = actor.sessionId;
    connection.seat.expiresAt = actor.expiresAt;
    connection.seat.role = actor.role;
    connection.save();
    this.timers.arm(Date.now());
    return { expiresAt: new Date(actor.expiresAt).toISOString() };
  }

  #answerError(connection: Connection, id: FrameId | undefined, thrown: unknown): void {
    const error = toAppError(thrown);
    if (error.code === "INTERNAL_ERROR")
      logFailure({ requestId: connection.id }, "socket.failure", error.cause ?? error);
    this.send(connection, encodeError(errorBody(error), id));
    this.refused(connection, id, error);
  }

  // ── Sending ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** To everybody here, encoded once. */
  protected broadcast(text: string, except?: Connection): void {
    this.#outgoing.toAll(text, except);
    this.#flushSoon();
  }

  protected send(connection: Connection, text: string): void {
    this.#outgoing.to(connection, text);
    this.#flushSoon();
  }

  // ── Presence and leaving ──────────────────────────────────────────────────────────────────────────────────────────

  protected connectionsOf(userId: number): Connection[] {
    return [...(this.#byUser.get(userId) ?? [])];
  }

  /** The users who are here, one connection each. */
  protected people(): Connection[] {
    return [...this.#byUser.values()].flatMap(([connection]) => connection ?? []);
  }

  #add(connection: Connection): void {
    this.connections.set(connection.id, connection);
    if (connection.seat.isAway) {
      this.#away.add(connection);
      return;
    }
    const own = this.#byUser.get(connection.userId);
    if (own) own.add(connection);
    else this.#byUser.set(connection.userId, new Set([connection]));
  }

  /** Sends what is pending, then closes. */
  protected drop(connection: Connection, code: number, reason: string): void {
    if (!this.connections.has(connection.id)) return connection.close(code, reason);
    this.#outgoing.flush(this.connections.values());
    connection.close(code, reason);
    this.forget(connection, code);
  }

  /** Clients that vanished without a close. Called on every wake that has to do with presence. */
  protected prune(now: number): void {
    for (const connection of this.connections.values()) {
      if (connection.isGhost(now)) this.drop(connection, CLOSE.heartbeatMissed, "HEARTBEAT_MISSED");
    }
    this.budgets.sweep(now);
  }

  protected forget(connection: Connection, code: number): void {
    connection.isOpen = false;
    if (!this.connections.delete(connection.id)) return;
    this.#backlogs.delete(connection);
    log("socket.close", {
      kind: this.kind,
      object: this.ctx.id.name,
      userId: connection.userId,
      socket: connection.id,
      code,
    });
    this.#away.delete(connection);
    this.#unlist(connection);
    if (this.place && this.#allOf(connection.userId).length === 0) {
      const place: Place = { kind: this.place, name: this.ctx.id.name ?? "" };
      const hub = String(connection.userId);
      const told = callObject({ cost: NO_COST }, this.env.USER_HUB, hub, (stub) => stub.leavePlace(place));
      this.ctx.waitUntil(told.catch((error) => logFailure({ requestId: connection.id }, "socket.leave", error)));
    }
  }

  /** A connection is here no more, for others; told once. */
  #unlist(connection: Connection): void {
    const own = this.#byUser.get(connection.userId);
    if (!own?.delete(connection)) return;
    if (own.size === 0) this.#byUser.delete(connection.userId);
    this.closed(connection, own.size === 0);
  }

  /** With those who are away. */
  #allOf(userId: number): Connection[] {
    return [...this.connectionsOf(userId), ...[...this.#away].filter((connection) => connection.userId === userId)];
  }

  /** RPC: closes a user's connections here. */
  cutOff({ userId, code, reason, sessionId, exceptSessionId }: CutOff): void {
    this.flush();
    for (const connection of this.#allOf(userId)) {
      const { seat } = connection;
      if (sessionId !== undefined && seat.sessionId !== sessionId) continue;
      if (exceptSessionId !== undefined && seat.sessionId === exceptSessionId) continue;
      this.drop(connection, code, reason);
    }
    this.flush();
  }

  /** RPC: what is known of a user changed (name, picture, role). */
  updatePerson(person: Partial<Person> & { userId: number }): void {
    for (const connection of this.#allOf(person.userId)) {
      Object.assign(connection.seat, person);
      connection.save();
    }
  }

  // ── Timers ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #nextBeat(): number | null {
    const beats = [...this.connections.values()].flatMap(({ seat }) => seat.beatAt ?? []);
    return beats.length > 0 ? Math.min(...beats) : null;
  }

  #beat(now: number): void {
    for (const connection of this.connections.values()) {
      connection.beat(now);
      if (!connection.isOpen) this.forget(connection, CLOSE.heartbeatMissed);
    }
  }

  #nextExpiry(): number | null {
    const ends = [...this.connections.values()].map(({ seat }) => seat.expiresAt);
    return ends.length > 0 ? Math.min(...ends) : null;
  }

  #expire(now: number): void {
    for (const connection of this.connections.values()) {
      if (connection.seat.expiresAt <= now) this.drop(connection, CLOSE.unauthorized, "UNAUTHORIZED");
    }
  }

  /** For service calls made from inside an object. */
  protected context() {
    return startContext({ env: this.env, later: (work) => this.ctx.waitUntil(work) });
  }
}

/** Answers a command's outcome, now or when its promise settles. */
function settle(result: unknown, resolve: (outcome: Outcome) => void): void {
  if (!(result instanceof Promise)) return resolve({ ok: true, data: result });
  result.then(
    (data) => resolve({ ok: true, data }),
    (error) => resolve(failed(error)),
  );
}

/** Calls between objects belong to no request's bill. */
const NO_COST = { d1Queries: 0, d1RowsRead: 0, d1RowsWritten: 0, objectCalls: 0 };

function isTooBig(message: string | ArrayBuffer): boolean {
  if (typeof message !== "string") return message.byteLength > FRAME_MAX_BYTES;
  // A UTF-16 unit is at most three bytes of UTF-8: most frames need no counting.
  if (message.length * 3 <= FRAME_MAX_BYTES) return false;
  return new TextEncoder().encode(message).byteLength > FRAME_MAX_BYTES;
}
