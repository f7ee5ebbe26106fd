/** What clients ask of an object: reading frames, running commands one after the other, answering. */

import { authenticate } from "../auth/authenticate.ts";
import { noteHammering } from "../auth/rate-limit.ts";
import { FRAME_MAX_BYTES } from "../config.ts";
import { AppError, CLOSE, errorBody, toAppError } from "../errors.ts";
import { logFailure } from "../platform/log.ts";
import type { BudgetKind } from "./budget.ts";
import { type CommandContext, type Commands, failed, type Outcome } from "./commands.ts";
import { type Connection, closeQuietly } from "./connection.ts";
import type { Person } from "./connection-state.ts";
import { ConnectionHolder } from "./holder.ts";
import { AuthRefresh, type ClientFrame, encodeAck, encodeError, type FrameId, parseFrame } from "./protocol.ts";

/** Ten times the limit within a minute is no longer a mistake: the socket is closed, and who comes back to do it again is banned. */
const HAMMERING_FACTOR = 10;
/** Frames of one client that wait for an earlier one of its own to be answered. */
const BACKLOG_FRAMES = 256;

export abstract class CommandReceiver extends ConnectionHolder {
  protected abstract readonly commands: Commands;
  /** What waits for an earlier frame of the same connection. Goes with the connection. */
  readonly #backlogs = new WeakMap<Connection, string[]>();

  /** A connection's frame was refused, which it has been told; `id`: what the frame was called. */
  protected refused(_connection: Connection, _id: FrameId | undefined, _error: AppError): void {}

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    const connection = this.bySocket.get(socket);
    if (connection) this.enqueue(() => this.#receive(connection, message));
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    // The closing handshake is ours to finish (RFC 6455, 5.5.1); 1005 and 1006 are not to be sent.
    closeQuietly(socket, code === 1005 || code === 1006 ? 1000 : code);
    const connection = this.bySocket.get(socket);
    if (connection) this.forget(connection, code);
  }

  override webSocketError(socket: WebSocket): void {
    const connection = this.bySocket.get(socket);
    if (connection) this.forget(connection, 1006);
  }

  #receive(connection: Connection, message: string | ArrayBuffer): void {
    if (!connection.isOpen) return;
    const now = Date.now();
    connection.touch(now);
    if (connection.state.expiresAt <= now) return this.drop(connection, CLOSE.unauthorized, "UNAUTHORIZED");
    if (isTooBig(message)) return this.drop(connection, CLOSE.tooBig, "PAYLOAD_TOO_LARGE");
    const backlog = this.#backlogs.get(connection);
    if (!backlog || typeof message !== "string") return this.#handle(connection, message, now);
    if (backlog.length >= BACKLOG_FRAMES) return this.#answerError(connection, undefined, new AppError("RATE_LIMIT"));
    backlog.push(message);
  }

  #handle(connection: Connection, message: string | ArrayBuffer, now: number): void {
    const { frame, id, problem } = parseFrame(message);
    if (frame?.type === "pong") return void this.saveLater(connection);
    try {
      const command = frame && this.commands.get(frame.type);
      // What cannot be read counts as well: junk is not free.
      this.#spend(connection, command?.budget ?? "messages", now);
      if (!frame) throw new AppError("INVALID_MESSAGE", problem);
      const by: CommandContext = { person: connection.state, connection, now };
      const result = frame.type === "auth:refresh" ? this.#refresh(connection, frame.data) : this.#run(by, frame);
      if (result instanceof Promise) return this.#wait(connection, result, id);
      if (id !== undefined) this.send(connection, encodeAck(id, result));
    } catch (thrown) {
      this.#answerError(connection, id, thrown);
    }
  }

  #run(by: CommandContext, frame: ClientFrame): unknown {
    const command = this.commands.get(frame.type);
    if (!command) throw new AppError("INVALID_MESSAGE", "This type of frame is not known.");
    if (command.writesLast) return command.run(by, frame.data);
    // What a command wrote before it failed is taken back; the others of its group stay.
    return this.ctx.storage.transactionSync(() => command.run(by, frame.data));
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

  #spend(connection: Connection, budget: BudgetKind, now: number): void {
    const over = this.budgets.spend(connection.userId, budget, now);
    this.saveLater(connection);
    if (over === 0) return;
    const refusal = this.budgets.refusal(connection.userId, budget, now);
    if (over > HAMMERING_FACTOR * this.budgets.limits[budget]) {
      this.drop(connection, CLOSE.rateLimit, `RATE_LIMIT; Retry-After: ${refusal.retryAfterSeconds}`);
      this.ctx.waitUntil(noteHammering(this.context(), connection.state.address));
    }
    throw refusal;
  }

  /** A new token for a connection that stays (SPEC 2). It must be the same user's. */
  async #refresh(connection: Connection, data: unknown): Promise<{ expiresAt: string }> {
    const parsed = AuthRefresh.safeParse(data);
    if (!parsed.success) throw new AppError("INVALID_MESSAGE", "data.token: expected a token");
    const { actor } = await authenticate(this.context(), parsed.data.token);
    if (actor.id !== connection.userId) throw new AppError("FORBIDDEN");
    connection.state.sessionId = actor.sessionId;
    connection.state.expiresAt = actor.expiresAt;
    connection.state.role = actor.role;
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

  // ── For callers without a socket ──────────────────────────────────────────────────────────────────────────────────

  /**
   * RPC: does what a frame of this type would do, for a caller without a socket (REST). The same function, the same budget,
   * gathered with the frames that come meanwhile. Read the answer with `outcomeOf`.
   */
  execute(person: Person, type: string, data: unknown): Promise<Outcome> {
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

  /** RPC: a frame of a gateway's client. One that is not in this room gets NOT_FOUND. */
  executeRemote(socketId: string, type: string, data: unknown): Promise<Outcome> {
    return new Promise((resolve) => {
      this.enqueue(() => {
        const connection = this.connections.get(socketId);
        if (!connection) return resolve(failed(new AppError("NOT_FOUND", "Join first.")));
        const now = Date.now();
        try {
          connection.touch(now);
          if (connection.state.expiresAt <= now) {
            this.drop(connection, CLOSE.unauthorized, "UNAUTHORIZED");
            throw new AppError("UNAUTHORIZED");
          }
          this.#spend(connection, this.commands.get(type)?.budget ?? "messages", now);
          settle(this.#run({ person: connection.state, connection, now }, { type, data }), resolve);
        } catch (thrown) {
          resolve(failed(thrown));
        }
      });
    });
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

function isTooBig(message: string | ArrayBuffer): boolean {
  if (typeof message !== "string") return message.byteLength > FRAME_MAX_BYTES;
  // A UTF-16 unit is at most three bytes of UTF-8: most frames need no counting.
  if (message.length * 3 <= FRAME_MAX_BYTES) return false;
  return new TextEncoder().encode(message).byteLength > FRAME_MAX_BYTES;
}
