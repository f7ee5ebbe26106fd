/**
 * An object in which people talk: one writer, one order. A message is appended to its own log and sent on; the database is
 * not asked on that way. Kinds of chat differ in their dialect, their commands, and in who belongs to them.
 */
import type { z } from "zod";
import { objectContext } from "../context.ts";
import { AppError, CLOSE } from "../errors.ts";
import { type Commands, failed, type Outcome } from "../realtime/commands.ts";
import type { Connection } from "../realtime/connection.ts";
import type { ConnectRequest, Person } from "../realtime/connection-state.ts";
import type { EncodedFrame } from "../realtime/encoded-frame.ts";
import { loadEpoch } from "../realtime/log.ts";
import { migrate, type ObjectSchema } from "../realtime/migrations.ts";
import type { Stamp } from "../realtime/origin.ts";
import { encodeFrame, type Frame, type FrameId } from "../realtime/protocol.ts";
import type { PublicationFrame, PublicationPosition } from "../realtime/publication.ts";
import { Room } from "../realtime/room.ts";
import { UserReferences } from "../realtime/user-references.ts";
import type { ChatActions, ChatHost, SystemMessage } from "./actions.ts";
import { Attachments } from "./attachments.ts";
import { Conversation } from "./conversation.ts";
import { type Dialect, frameOf } from "./dialect.ts";
import { type ChatExport, exportPage } from "./export.ts";
import { Gate } from "./gate.ts";
import { ChatHistory, type Page, type ReadQuery } from "./history.ts";
import type { RoomInfo } from "./info.ts";
import type { ChatKind } from "./kinds.ts";
import { ChatLog, type Message } from "./log.ts";
import { Moderation } from "./moderation.ts";
import { Reactions } from "./reactions.ts";
import { ChatReplay } from "./replay.ts";
import { RoleActs } from "./role-acts.ts";
import { ChatSearch } from "./search.ts";

const NO_COMMANDS: Commands = new Map();

/** `Context`: what the Worker has found in the database of the room, and of who comes in or acts. */
export abstract class Chat<D extends Dialect, A extends ChatActions<D>, Context extends Stamp> extends Room {
  protected override readonly log: ChatReplay;
  protected readonly entries: ChatLog;
  protected readonly search: ChatSearch;
  protected readonly moderation: Moderation;
  protected readonly conversation: Conversation;
  protected readonly attachments: Attachments;
  protected readonly gate: Gate;
  /** Who is named here, for erasure. */
  protected readonly references: UserReferences;
  readonly #roleActs: RoleActs;
  readonly #reactions: Reactions;
  readonly #history: ChatHistory;
  readonly #schema: ObjectSchema;
  /** How this kind of chat speaks; bound once the room knows its kind. */
  #speech: { kind: ChatKind<D, A>; dialect: D; commands: Commands } | undefined;

  /** `target`: the kind of object in the outbox. `schema`: the steps of its SQLite. */
  constructor(state: DurableObjectState, env: Env, target: "room" | "stream", schema: ObjectSchema) {
    super(state, env);
    migrate(state.storage, schema);
    this.#schema = schema;
    const { sql } = state.storage;
    this.entries = new ChatLog(sql);
    this.search = new ChatSearch(sql);
    this.moderation = new Moderation(sql);
    this.#reactions = new Reactions(sql);
    const { entries: log, search, moderation } = this;
    const reactions = this.#reactions;
    const record = (userId: number, now: number) => this.references.record(userId, now);
    this.gate = new Gate({
      storage: state.storage,
      roomId: this.roomId,
      context: () => objectContext(this.ctx, this.env),
      info: () => this.moderation.info,
    });
    this.conversation = new Conversation({ log, reactions, search, moderation, record });
    this.attachments = new Attachments(state, env, `${target}:${this.roomId}`);
    this.#roleActs = new RoleActs({ state, env, timers: this.timers, roomId: this.roomId, moderation });
    const shown = (message: Message) => this.attachments.shown(message);
    this.#history = new ChatHistory(log, reactions, search, shown);
    this.log = new ChatReplay(log, {
      frames: () => this.#spoken.kind.replayFrames,
      encode: (entry) => encodeFrame(frameOf(this.dialect, entry, shown), entry.seq),
    });
    this.references = new UserReferences({
      state,
      timers: this.timers,
      target: `${target}:${this.roomId}`,
      context: () => objectContext(this.ctx, this.env),
      anonymise: (userId) => this.anonymise(userId),
    });
  }

  protected get roomId(): string {
    return this.ctx.id.name ?? "";
  }

  // ── What a kind of chat says ──────────────────────────────────────────────────────────────────────────────────────

  protected abstract readonly actions: A;

  protected abstract kindOf(info: RoomInfo): ChatKind<D, A>;

  /** A `Context` as it comes with a socket. */
  protected abstract readonly context: z.ZodType<Context>;

  /** What the database says of the room. @throws AppError NOT_FOUND it is no more */
  protected abstract introduce(context: Context): void;

  /** The Worker has asked the database; what has happened since, only the room knows. @throws AppError to turn them away */
  protected abstract letIn(userId: number, context: Context): void;

  /** The log has gone on; `said`: by a message. */
  protected logged(_seq: number, _now: number, _said?: Message): void {}

  /** @throws AppError NOT_FOUND nobody who can be muted here · FORBIDDEN a moderator */
  protected requireMutable(_userId: number): void | Promise<void> {}

  /** What was said here was said, and stays; unless it was under a number that is another's now. */
  protected override startOver(isSameRow: boolean): void {
    this.moderation.startOver(isSameRow);
    this.#speech = undefined;
    if (isSameRow) return this.references.recordAgain(Date.now());
    this.entries.clear();
    this.search.clear();
    this.references.clear();
    this.#roleActs.clear();
  }

  // ── How it speaks ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** @throws AppError NOT_FOUND before the room knows what it is */
  get #spoken() {
    const { info } = this.moderation;
    if (!this.#speech) {
      const kind = this.kindOf(info);
      this.#speech = { kind, dialect: kind.dialect(this.roomId, info), commands: kind.commands(this.actions) };
    }
    return this.#speech;
  }

  protected get dialect(): D {
    return this.#spoken.dialect;
  }

  protected override get commands(): Commands {
    return this.moderation.isKnown ? this.#spoken.commands : NO_COMMANDS;
  }

  /** The room as its actions see it. */
  protected get chatHost(): ChatHost<D> {
    const dialect = () => this.dialect;
    return {
      ...this.senders,
      get dialect() {
        return dialect();
      },
      attachments: this.attachments,
      gate: this.gate,
      roleActs: this.#roleActs,
      tellUser: (userId, frame) => this.tellUser(userId, frame),
      leave: (connection) => this.disconnect(connection, 1000, "LEFT"),
      logged: (seq, now, said) => this.logged(seq, now, said),
      requireMutable: async (userId) => this.requireMutable(userId),
      record: (userId, now) => this.references.record(userId, now),
    };
  }

  /** To all of a user's connections. */
  protected tellUser(userId: number, frame: EncodedFrame): void {
    for (const connection of this.connections.of(userId)) this.send(connection, frame);
  }

  protected tell(connection: Connection, frame: Frame | null): void {
    if (frame) this.send(connection, encodeFrame(frame));
  }

  protected override refused(connection: Connection, id: FrameId | undefined, error: AppError): void {
    if (id === undefined) this.tell(connection, this.dialect.refused(error.code, error.message));
  }

  // ── Coming in ─────────────────────────────────────────────────────────────────────────────────────────────────────

  protected override async admit({ userId, context, since }: ConnectRequest): Promise<void> {
    this.letIn(userId, this.context.parse(context));
    if (since !== undefined) await this.beforeReplay();
  }

  protected override beforeReplay(): Promise<void> {
    return this.references.settle();
  }

  /** RPC: a command from somebody without a socket: REST, or Socket.IO. The same function as for a frame. */
  async executeFor(person: Person, context: Context, type: string, data: unknown, requestId?: string) {
    try {
      const isLate = this.meet(context);
      if (isLate) await isLate;
      this.letIn(person.userId, context);
    } catch (thrown) {
      return failed(thrown);
    }
    return this.execute(person, type, data, requestId);
  }

  /** @throws AppError NOT_FOUND the room is no more */
  protected learn(info: RoomInfo): void {
    if (this.moderation.isClosed) throw new AppError("NOT_FOUND");
    this.moderation.learn(info);
  }

  /** RPC: what the product's own backend publishes here. With an `id` that came before, the answer is what it made then. */
  async publish(context: Context, { type, data, keep, id }: PublicationFrame): Promise<Outcome> {
    const frame = { type, data };
    return this.#bySystem(context, () => (keep ? { seq: this.#keepPublication(frame, id) } : this.#show(frame)));
  }

  /** RPC: a message by the system, without a file. */
  async sayBySystem(context: Context, said: SystemMessage): Promise<Outcome> {
    return this.#bySystem(context, () => this.actions.sayBySystem(said, Date.now()));
  }

  /** RPC: the system deletes a message, whoever's it is. */
  async removeBySystem(context: Context, messageId: string): Promise<Outcome> {
    return this.#bySystem(context, () => this.actions.removeBySystem(messageId, Date.now()));
  }

  async #bySystem(context: Context, run: () => unknown): Promise<Outcome> {
    try {
      const isLate = this.meet(context);
      if (isLate) await isLate;
      this.introduce(context);
      return { ok: true, data: await run() };
    } catch (thrown) {
      return failed(thrown);
    }
  }

  #show(frame: Frame): PublicationPosition {
    this.broadcast(encodeFrame(frame));
    return {};
  }

  #keepPublication(frame: Frame, id: string | undefined): number {
    const known = id === undefined ? undefined : this.entries.noticeOnce(id);
    if (known !== undefined) return known;
    const now = Date.now();
    const seq = this.entries.addNotice(frame, now, id);
    this.broadcastLogged(encodeFrame(frame, seq));
    this.logged(seq, now);
    return seq;
  }

  // ── What all chats have ───────────────────────────────────────────────────────────────────────────────────────────

  /** A page of messages as they are now, newest first; of nobody who has been erased. */
  protected async page(query: ReadQuery): Promise<Page> {
    await this.references.settle();
    return this.#history.page(this.dialect, query);
  }

  /** RPC: what this user wrote and did here, a bounded piece of it after a position in the log. */
  async exportOf(userId: number, after: number): Promise<ChatExport> {
    return exportPage(this.entries.sql, userId, after);
  }

  /** RPC: what a message says now; null: it is deleted. */
  textOf(seq: number): string | null {
    return this.entries.message(seq)?.content ?? null;
  }

  /** What this user wrote and did here is nobody's any more. */
  protected anonymise(userId: number): void {
    this.entries.anonymise(userId);
    this.#reactions.removeAllOf(userId);
    this.search.statistics.anonymise(userId);
    this.moderation.forget(userId);
    this.references.forget(userId);
  }

  /** The room is no more. What is left of it is the note that it is closed, for who was on the way in. */
  protected async end(): Promise<void> {
    this.moderation.close(Date.now());
    for (const connection of this.connections.values()) this.disconnect(connection, CLOSE.notFound, "NOT_FOUND");
    await this.references.withdraw();
    await this.#roleActs.finish();
    await this.beforeEnd();
    await this.ctx.blockConcurrencyWhile(() => this.#wipe());
  }

  /** The log is about to go. If it throws, the end comes again. */
  protected async beforeEnd(): Promise<void> {}

  async #wipe(): Promise<void> {
    await this.ctx.storage.deleteAll();
    migrate(this.ctx.storage, this.#schema);
    loadEpoch(this.ctx.storage.sql, "state");
    this.moderation.close(Date.now());
    await this.timers.restore();
  }
}
