/**
 * An object in which people talk: one writer, one order. A message is appended to its own log and sent on; the database is
 * not asked on that way. Kinds of chat differ in their dialect, their commands, and in who belongs to them.
 */
import { objectContext } from "../context.ts";
import type { AppError } from "../errors.ts";
import type { Commands } from "../realtime/commands.ts";
import type { Connection } from "../realtime/connection.ts";
import { type MigrationStep, migrate } from "../realtime/migrations.ts";
import { encodeFrame, type Frame, type FrameId } from "../realtime/protocol.ts";
import { Room } from "../realtime/room.ts";
import { UserReferences } from "../realtime/user-references.ts";
import type { ChatActions, ChatHost } from "./actions.ts";
import { Conversation } from "./conversation.ts";
import { type Dialect, frameOf } from "./dialect.ts";
import { ChatHistory, type Page, type ReadQuery } from "./history.ts";
import type { RoomInfo } from "./info.ts";
import type { ChatKind } from "./kinds.ts";
import { ChatLog } from "./log.ts";
import { Moderation } from "./moderation.ts";
import { Reactions } from "./reactions.ts";
import { ChatReplay } from "./replay.ts";
import { ChatSearch } from "./search.ts";

const NO_COMMANDS: Commands = new Map();

export abstract class Chat<D extends Dialect, A extends ChatActions<D>> extends Room {
  protected override readonly log: ChatReplay;
  protected readonly entries: ChatLog;
  protected readonly search: ChatSearch;
  protected readonly moderation: Moderation;
  protected readonly conversation: Conversation;
  /** Who is named here, for erasure. */
  protected readonly references: UserReferences;
  readonly #reactions: Reactions;
  readonly #history: ChatHistory;
  /** How this kind of chat speaks; bound once the room knows its kind. */
  #speech: { kind: ChatKind<D, A>; dialect: D; commands: Commands } | undefined;

  /** `target`: the kind of object in the outbox. `schema`: the steps of its SQLite. */
  constructor(state: DurableObjectState, env: Env, target: "room" | "stream", schema: readonly MigrationStep[]) {
    super(state, env);
    migrate(state.storage, schema);
    const { sql } = state.storage;
    const log = new ChatLog(sql);
    const search = new ChatSearch(sql);
    const moderation = new Moderation(sql);
    const reactions = new Reactions(sql);
    const record = (userId: number, now: number) => this.references.record(userId, now);
    this.entries = log;
    this.search = search;
    this.moderation = moderation;
    this.#reactions = reactions;
    this.conversation = new Conversation({ log, reactions, search, moderation, record });
    this.#history = new ChatHistory(log, reactions, search);
    this.log = new ChatReplay(log, {
      frames: () => this.#spoken.kind.replayFrames,
      encode: (entry) => encodeFrame(frameOf(this.dialect, entry), entry.seq),
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

  /** The log has gone on; `author`: of a message. */
  protected logged(_seq: number, _now: number, _author?: number): void {}

  /** @throws AppError NOT_FOUND nobody who can be muted here · FORBIDDEN a moderator */
  protected requireMutable(_userId: number): void | Promise<void> {}

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
      get dialect() {
        return dialect();
      },
      broadcast: (text, except) => this.broadcast(text, except),
      send: (connection, text) => this.send(connection, text),
      connectionsOf: (userId) => this.connections.of(userId),
      leave: (connection) => this.disconnect(connection, 1000, "LEFT"),
      logged: (seq, now, author) => this.logged(seq, now, author),
      requireMutable: async (userId) => this.requireMutable(userId),
      record: (userId, now) => this.references.record(userId, now),
    };
  }

  protected tell(connection: Connection, frame: Frame | null): void {
    if (frame) this.send(connection, encodeFrame(frame));
  }

  protected override refused(connection: Connection, id: FrameId | undefined, error: AppError): void {
    if (id === undefined) this.tell(connection, this.dialect.refused(error.code, error.message));
  }

  // ── What all chats have ───────────────────────────────────────────────────────────────────────────────────────────

  /** A page of messages as they are now, newest first; of nobody who has been erased. */
  protected async page(query: ReadQuery): Promise<Page> {
    await this.references.settle();
    return this.#history.page(this.dialect, query);
  }

  /** What this user wrote and did here is nobody's any more. */
  protected anonymise(userId: number): void {
    this.entries.anonymise(userId);
    this.#reactions.removeAllOf(userId);
    this.search.statistics.anonymise(userId);
    this.moderation.forget(userId);
    this.references.forget(userId);
  }
}
