/**
 * What clients ask of an object: reading frames, running commands one after the other, answering. What arrives at about
 * the same time is run as one group, so that all it writes is one transaction: nothing is awaited in between.
 */
import type { Counted } from "../auth/call-meter.ts";
import { recordHammering } from "../auth/rate-limit.ts";
import { findUsers } from "../auth/user-names.ts";
import { type Ctx, objectContext } from "../context.ts";
import { AppError, CLOSE, errorBody, toAppError } from "../errors.ts";
import type { FindUsers } from "../input.ts";
import { FRAME_MAX_BYTES } from "../limits.ts";
import { logFailure } from "../platform/log.ts";
import { authenticateAgain } from "./auth-refresh.ts";
import type { BudgetKind } from "./budget.ts";
import { Absent, type CommandContext, failed, type Outcome } from "./commands.ts";
import type { Connection } from "./connection.ts";
import type { Person } from "./connection-state.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { type ClientFrame, encodeAck, encodeError, type FrameId, parseFrame, readPong } from "./protocol.ts";
import type { RoomHooks } from "./room-hooks.ts";
import type { SendQueue } from "./send-queue.ts";

/** Frames of one client that wait for an earlier one of its own to be answered. */
const BACKLOG_FRAMES = 256;

export class Dispatcher {
  readonly #room: RoomHooks;
  readonly #lifecycle: Lifecycle;
  readonly #sendQueue: SendQueue;
  #inbox: (() => void)[] = [];
  /** Sockets that showed themselves, and users without one that spent something, while a group was run. */
  readonly #unsaved = new Set<Connection>();
  readonly #unkept = new Set<number>();
  /** What waits for an earlier frame of the same connection. Goes with the connection. */
  readonly #backlogs = new WeakMap<Connection, (() => void)[]>();
  /** Whose command is being run. */
  #asking: Connection | undefined;

  constructor(room: RoomHooks, lifecycle: Lifecycle, sendQueue: SendQueue) {
    this.#room = room;
    this.#lifecycle = lifecycle;
    this.#sendQueue = sendQueue;
  }

  /** A frame from a socket. */
  receive(connection: Connection, message: string | ArrayBuffer): void {
    this.#enqueue(() => this.#receive(connection, message));
  }

  /** Does something now; if it is about the connection whose command is being run, after that was answered. */
  afterAnswer(connection: Connection, job: () => void): void {
    if (this.#asking === connection) this.#enqueue(job);
    else job();
  }

  /** The same, called by a command that is answered later: the connection waits for that. */
  afterLateAnswer(connection: Connection, job: () => void): void {
    const backlog = this.#backlogs.get(connection);
    if (backlog) backlog.unshift(job);
    else this.afterAnswer(connection, job);
  }

  #enqueue(job: () => void): void {
    this.#inbox.push(job);
    this.#sendQueue.flushSoon();
  }

  /** Runs all that has come in. One job that throws takes nothing from the others. */
  runInbox(): void {
    while (this.#inbox.length > 0) {
      const jobs = this.#inbox;
      this.#inbox = [];
      for (const job of jobs) this.#attempt(job);
    }
    this.#save();
  }

  #attempt(job: () => void): void {
    try {
      job();
    } catch (thrown) {
      logFailure({ requestId: "" }, "dispatcher.job", thrown);
    }
  }

  /** Once for all that a connection sent in this group: an attachment costs as much as a frame. */
  #save(): void {
    const { budgets } = this.#lifecycle;
    for (const connection of this.#unsaved) budgets.keepWith(connection);
    this.#unsaved.clear();
    for (const userId of this.#unkept) budgets.keep(userId, Date.now());
    this.#unkept.clear();
  }

  // ── Frames ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #receive(connection: Connection, message: string | ArrayBuffer): void {
    if (!connection.isOpen) return;
    const now = Date.now();
    connection.touch(now);
    if (connection.state.expiresAt <= now) return this.#lifecycle.close(connection, CLOSE.unauthorized, "UNAUTHORIZED");
    if (connection.state.isSuspended) this.#lifecycle.arrivals.resume(connection);
    if (isTooBig(message)) return this.#lifecycle.close(connection, CLOSE.tooBig, "PAYLOAD_TOO_LARGE");
    const backlog = this.#backlogs.get(connection);
    if (!backlog || typeof message !== "string") return this.#handle(connection, message, now);
    if (backlog.length >= BACKLOG_FRAMES) return this.#answerError(connection, undefined, new AppError("RATE_LIMIT"));
    backlog.push(() => this.#receive(connection, message));
  }

  #handle(connection: Connection, message: string | ArrayBuffer, now: number): void {
    const { frame, id, problem } = parseFrame(message);
    if (frame?.type === "pong") return this.#pong(connection, message, now);
    if (connection.reader.frame()) this.#lifecycle.hasRead(connection, now);
    try {
      const command = frame && this.#room.commands().get(frame.type);
      // What cannot be read counts as well: junk is not free.
      this.#spend(connection, command?.budget ?? "messages", now);
      if (!frame) throw new AppError("INVALID_MESSAGE", problem);
      const result = this.#ask(connection, frame, now);
      if (result instanceof Promise) return this.#wait(connection, result, id);
      if (id !== undefined) this.#sendQueue.to(connection, encodeAck(id, result));
    } catch (thrown) {
      this.#answerError(connection, id, thrown);
    }
  }

  /** What answers a ping is free; any other counts, or a flood of them would be free as well. */
  #pong(connection: Connection, message: string | ArrayBuffer, now: number): void {
    this.#unsaved.add(connection);
    const isFirst = connection.neverAnswers;
    const wasAskedFor = connection.pong(readPong(message));
    if (isFirst) this.#lifecycle.answersPings(connection);
    if (wasAskedFor) return this.#lifecycle.hasRead(connection, now);
    try {
      this.#spend(connection, "messages", now);
    } catch (thrown) {
      this.#answerError(connection, undefined, thrown);
    }
  }

  #ask(connection: Connection, frame: ClientFrame, now: number): unknown {
    this.#asking = connection;
    try {
      if (frame.type === "auth:refresh") return this.#refresh(connection, frame.data);
      return this.#run({ person: connection.state, connection, now, find: this.#find }, frame);
    } finally {
      this.#asking = undefined;
    }
  }

  #run(by: CommandContext, frame: ClientFrame): unknown {
    const command = this.#room.commands().get(frame.type);
    if (!command) throw new AppError("INVALID_MESSAGE", "This type of frame is not known.");
    if (command.writesLast) return command.run(by, frame.data);
    // What a command wrote before it failed is taken back; the others of its group stay.
    return this.#room.state.storage.transactionSync(() => command.run(by, frame.data));
  }

  /** Frames of one client are answered in order: those that come meanwhile wait. */
  #wait(connection: Connection, result: Promise<unknown>, id: FrameId | undefined): void {
    this.#backlogs.set(connection, []);
    const settle = (answer: () => void): void => {
      this.#enqueue(() => {
        const backlog = this.#backlogs.get(connection) ?? [];
        this.#backlogs.delete(connection);
        this.#attempt(answer);
        for (const job of backlog) this.#attempt(job);
      });
    };
    void result.then(
      (data) => settle(() => (id === undefined ? undefined : this.#sendQueue.to(connection, encodeAck(id, data)))),
      (error) => settle(() => this.#answerError(connection, id, error)),
    );
  }

  #spend(connection: Connection, budget: BudgetKind, now: number): void {
    const { budgets } = this.#lifecycle;
    const over = budgets.spend(connection.userId, budget, now);
    this.#noteSpent(connection);
    if (over === 0) return;
    const refusal = budgets.refusal(connection.userId, budget, now);
    if (budgets.isHammering(over, budget)) {
      this.#lifecycle.close(connection, CLOSE.rateLimit, `RATE_LIMIT; Retry-After: ${refusal.retryAfterSeconds}`);
      this.#recordHammering(connection.state.address);
    }
    throw refusal;
  }

  #noteSpent(connection: Connection): void {
    if (connection.transportKind === "gateway") this.#unkept.add(connection.userId);
    else this.#unsaved.add(connection);
  }

  async #refresh(connection: Connection, data: unknown): Promise<{ expiresAt: string }> {
    const { actor } = await authenticateAgain(this.#context(), connection.userId, data);
    const { sessionId, expiresAt, role, asOf, generation } = actor;
    Object.assign(connection.state, { sessionId, expiresAt, role, asOf, generation });
    this.#lifecycle.renewed(connection);
    return { expiresAt: new Date(expiresAt).toISOString() };
  }

  #answerError(connection: Connection, id: FrameId | undefined, thrown: unknown): void {
    const error = toAppError(thrown);
    if (error.code === "INTERNAL_ERROR")
      logFailure({ requestId: connection.id }, "socket.failure", error.cause ?? error);
    this.#sendQueue.to(connection, encodeError(errorBody(error), id));
    this.#room.refused(connection, id, error);
  }

  // ── For callers without a socket ──────────────────────────────────────────────────────────────────────────────────

  /** As a frame of this type, for a caller without a socket: the same function, budget and group. */
  execute(person: Person, type: string, data: unknown, requestId?: string): Promise<Outcome> {
    return this.#answer((now) => {
      this.#unkept.add(person.userId);
      this.#lifecycle.budgets.require(person.userId, this.#room.commands().get(type)?.budget ?? "messages", now);
      return this.#run({ person, now, requestId, find: this.#find }, { type, data });
    });
  }

  /** A frame of a client that another object holds. One that is not in this room gets NOT_FOUND. */
  executeRemote(socketId: string, type: string, data: unknown): Promise<Outcome> {
    return this.#answer((now) => {
      const connection = this.#lifecycle.connections.get(socketId);
      if (!connection) throw new Absent();
      connection.touch(now);
      if (connection.state.expiresAt <= now) {
        this.#lifecycle.close(connection, CLOSE.unauthorized, "UNAUTHORIZED");
        throw new AppError("UNAUTHORIZED");
      }
      this.#spend(connection, this.#room.commands().get(type)?.budget ?? "messages", now);
      return this.#ask(connection, { type, data }, now);
    });
  }

  /** Counts what came another way. @returns what is left in this window, below 0: that was too much */
  charge(userId: number, budget: BudgetKind, count: number, address: string): Counted {
    const now = Date.now();
    const { budgets } = this.#lifecycle;
    const over = budgets.spend(userId, budget, now, count);
    if (count > 0) budgets.keep(userId, now);
    if (budgets.isHammering(over, budget)) this.#recordHammering(address);
    return budgets.leftOf(userId, budget, now);
  }

  #recordHammering(address: string): void {
    this.#room.state.waitUntil(recordHammering(this.#context(), address));
  }

  readonly #find: FindUsers = (names) => findUsers(this.#context())(names);

  #context(): Ctx {
    return objectContext(this.#room.state, this.#room.env);
  }

  /** Runs with the group, and resolves with what comes of it, now or when its promise settles. Never rejects. */
  #answer(run: (now: number) => unknown): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#enqueue(() => {
        try {
          const result = run(Date.now());
          if (!(result instanceof Promise)) return resolve({ ok: true, data: result });
          result.then(
            (data) => resolve({ ok: true, data }),
            (error) => resolve(failed(error)),
          );
        } catch (thrown) {
          resolve(failed(thrown));
        }
      });
    });
  }
}

function isTooBig(message: string | ArrayBuffer): boolean {
  if (typeof message !== "string") return message.byteLength > FRAME_MAX_BYTES;
  // A UTF-16 unit is at most three bytes of UTF-8: most frames need no counting.
  if (message.length * 3 <= FRAME_MAX_BYTES) return false;
  return new TextEncoder().encode(message).byteLength > FRAME_MAX_BYTES;
}
