/**
 * Viewers of a stream for whom its room has no space. They have here what they would have there: frames in the same order,
 * resume, limits, heartbeats, revocations. What they say is done by the room, which tells this object once what all get.
 */

import { Throttle } from "../../../chat/throttle.ts";
import { AppError } from "../../../errors.ts";
import { logFailure } from "../../../platform/log.ts";
import { callObject, objectCaller } from "../../../platform/objects.ts";
import { type CommandContext, type Commands, resultOf } from "../../../realtime/commands.ts";
import type { Connection } from "../../../realtime/connection.ts";
import type { ConnectRequest } from "../../../realtime/connection-state.ts";
import { EncodedFrame } from "../../../realtime/encoded-frame.ts";
import { migrate } from "../../../realtime/migrations.ts";
import { Room } from "../../../realtime/room.ts";
import { StreamCommands } from "../chat-contract.ts";
import type { StreamRoom } from "../room.ts";
import { type Attendance, AudienceContext, type Order, type Relay, streamOf } from "./relay.ts";
import { RELAYED_LOG_SCHEMA, RelayedLog } from "./relayed-log.ts";

const REPORT_EVERY_MS = 1000;
/** What one question to the room's log is answered with, bytes. */
const PART_BYTES = 512 * 1024;

export class StreamAudience extends Room {
  protected override readonly kind = "stream";
  protected override readonly roomKind = "STREAM_AUDIENCE";
  protected override readonly log: RelayedLog;
  protected override readonly commands: Commands = new Map(
    Object.keys(StreamCommands).map((type) => [
      type,
      { budget: "messages", writesLast: true, run: (by, data) => this.#pass(by, type, data) },
    ]),
  );
  readonly #report: Throttle;
  #reported: number | null = null;
  /** One after the other: each knows what those before have brought. */
  #filling: Promise<void> = Promise.resolve();

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    migrate(state.storage, { steps: [RELAYED_LOG_SCHEMA] });
    this.log = new RelayedLog(state.storage.sql);
    this.#report = new Throttle({
      timers: this.timers,
      everyMs: () => REPORT_EVERY_MS,
      isPending: () => this.#reported !== this.connections.userCount,
      tell: () => this.ctx.waitUntil(this.#tellAttendance()),
    });
  }

  get #name(): string {
    return this.ctx.id.name ?? "";
  }

  get #streamName(): string {
    return streamOf(this.#name);
  }

  #askRoom<R>(call: (room: DurableObjectStub<StreamRoom>) => Promise<R>): Promise<R> {
    return callObject(objectCaller(this.env), this.env.STREAM_ROOM, this.#streamName, call);
  }

  // ── Coming and going ──────────────────────────────────────────────────────────────────────────────────────────────

  protected override async admit({ since, epoch }: ConnectRequest): Promise<void> {
    // Whoever is alone here may be so because the room has stopped telling.
    if (this.connections.size === 0) this.log.moveTo(await this.#askRoom((room) => room.subscribe(this.#name)));
    if (since !== undefined && (epoch === undefined || epoch === this.log.epoch)) await this.#fill(since);
  }

  /** Gets from the room what somebody missed who has everything up to `since`, as far as it is not here. */
  #fill(since: number): Promise<void> {
    this.#filling = this.#filling.then(
      () => this.#fetchBefore(since),
      () => this.#fetchBefore(since),
    );
    return this.#filling;
  }

  async #fetchBefore(since: number): Promise<void> {
    const { tail, epoch } = this.log;
    const found: EncodedFrame[] = [];
    let at = since;
    while (at < tail - 1) {
      const part = await this.#askRoom((room) => room.logAfter(at, epoch, PART_BYTES));
      // A client whose gap cannot be filled is told to fetch anew.
      if (part.gap) return;
      for (const { text, seq } of part.frames) if (seq < tail) found.push(EncodedFrame.stored(text, seq));
      at = part.to;
    }
    this.log.prepend(found, Date.now());
  }

  protected override opened(connection: Connection): void {
    for (const text of AudienceContext.parse(connection.context).greeting) {
      this.send(connection, EncodedFrame.stored(text, 0));
    }
    this.#report.changed(Date.now());
  }

  protected override closed(): void {
    this.#report.changed(Date.now());
  }

  get #attendance(): Attendance {
    return { people: this.connections.userCount, sockets: this.connections.size };
  }

  async #tellAttendance(): Promise<void> {
    const attendance = this.#attendance;
    this.#reported = attendance.people;
    try {
      await this.#askRoom((room) => room.attended(this.#name, attendance));
    } catch (error) {
      this.#reported = null;
      logFailure({ requestId: "" }, "audience.report", error, { audience: this.#name });
      this.#report.changed(Date.now());
    }
  }

  // ── What viewers say ──────────────────────────────────────────────────────────────────────────────────────────────

  /** The room does it, and answers when what came of it is here. @throws AppError as the room refuses it */
  async #pass({ person, connection }: CommandContext, type: string, data: unknown): Promise<unknown> {
    if (!connection) throw new AppError("FORBIDDEN", "This takes a socket.");
    const { greeting: _greeting, ...context } = AudienceContext.parse(connection.context);
    const requestId = crypto.randomUUID();
    const done = resultOf(
      await this.#askRoom((room) => room.executeInAudience(this.#name, person, context, type, data, requestId)),
    );
    if (type === "leave_stream") this.disconnectAtLast(connection, 1000, "LEFT");
    return done;
  }

  // ── What the room says ────────────────────────────────────────────────────────────────────────────────────────────

  /** RPC: passes on what the room says, in order; what is missing before it is asked for. A repeat adds nothing to the log. */
  async relay({ epoch, before, orders, asksWho = false }: Relay): Promise<Attendance & { users?: number[] }> {
    if (this.connections.size === 0) return this.#attendance;
    const { head } = this.log;
    await this.#catchUp(epoch, before);
    for (const order of orders) {
      if (order.do === "send" && order.seq > this.log.head + 1) await this.#catchUp(epoch, order.seq - 1);
      this.#do(order);
    }
    if (this.log.head !== head) this.log.save();
    return { ...this.#attendance, ...(asksWho ? { users: this.#users } : {}) };
  }

  get #users(): number[] {
    return [...new Set(Array.from(this.connections.values(), ({ userId }) => userId))];
  }

  #do(order: Order): void {
    if (order.do === "forget") return this.log.forget();
    if (order.do === "close") return this.#closeAll(order.code, order.reason);
    const { text, seq, to } = order;
    const frame = EncodedFrame.stored(text, seq);
    if (to !== undefined) for (const connection of this.connections.of(to)) this.send(connection, frame);
    else if (seq === 0) this.broadcast(frame);
    else if (seq > this.log.head) this.#append(frame);
  }

  #closeAll(code: number, reason: string): void {
    for (const connection of [...this.connections.values()]) this.disconnect(connection, code, reason);
  }

  #append(frame: EncodedFrame): void {
    this.log.append(frame, Date.now());
    this.broadcastLogged(frame);
  }

  /** Gets and passes on the room's log up to `before`. Where that cannot be had, everybody is told to fetch anew. */
  async #catchUp(epoch: string, before: number): Promise<void> {
    while (epoch !== this.log.epoch || this.log.head < before) {
      const { head, epoch: known } = this.log;
      const part = await this.#askRoom((room) => room.logAfter(head, known, PART_BYTES));
      if (part.gap) {
        this.log.moveTo(part.gap);
        const { head: seq, epoch: fresh } = part.gap;
        return this.broadcast(EncodedFrame.of({ type: "resync", data: { seq, epoch: fresh } }));
      }
      for (const { text, seq } of part.frames) if (seq > this.log.head) this.#append(EncodedFrame.stored(text, seq));
      this.log.save();
      if (part.to <= head) return;
    }
  }
}
