/**
 * A room's object, for group, private and course rooms: one writer, one order. A message is appended to its own log and
 * sent on; the database is not asked on that way. What the room tells the database, it tells afterwards (summary.ts).
 */
import { objectContext } from "../../context.ts";
import { AppError, CLOSE } from "../../errors.ts";
import { logFailure } from "../../platform/log.ts";
import { bindCommands, type CommandContext, failed, type Outcome } from "../../realtime/commands.ts";
import type { Connection } from "../../realtime/connection.ts";
import type { ConnectRequest, Person } from "../../realtime/connection-state.ts";
import { encodeFrame, type Frame, type FrameId } from "../../realtime/protocol.ts";
import { Room } from "../../realtime/room.ts";
import { CourseCommands } from "../courses/contract.ts";
import { CourseVocabulary } from "../courses/vocabulary.ts";
import { ONLINE_USERS_SHOWN, RoomCommands } from "./contract.ts";
import { Conversation, type Said } from "./conversation.ts";
import { Entrance, RoomEffect, type RoomFacts } from "./facts.ts";
import { Ledger } from "./ledger.ts";
import { type Page, type ReadQuery, readPage } from "./reading.ts";
import { RoomReplay } from "./replay.ts";
import { RoomSearch, type Statistics } from "./search.ts";
import { SeatMark } from "./seat-mark.ts";
import { Standing } from "./standing.ts";
import { type Action, type Logged, RoomStore } from "./store.ts";
import { type Mark, type Summary, SYNC_EVERY_MS, writeSummary } from "./summary.ts";
import { MessengerVocabulary, type Vocabulary } from "./vocabulary.ts";

export class ChatRoom extends Room {
  protected override readonly kind = "room";
  protected override readonly roomKind = "CHAT_ROOM";
  #store!: RoomStore;
  #search!: RoomSearch;
  #standing!: Standing;
  #conversation!: Conversation;
  #ledger!: Ledger;
  #replay!: RoomReplay;
  #words: Vocabulary | undefined;
  #lastSyncAt = 0;
  #isSyncing = false;
  #retrySyncAt = 0;
  /** The alarm is set for the news that the database has not got. */
  #isSyncPlanned = false;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#open();
    for (const connection of this.connections.values()) this.#recallMark(connection);
    this.timers.add({ due: () => this.#nextSync(), ring: () => this.#sync() });
    this.timers.add({ due: () => this.#search.due(), ring: () => void this.#search.indexBatch() });
  }

  #open(): void {
    this.#store = new RoomStore(this.ctx.storage);
    this.#search = new RoomSearch(this.#store.sql);
    this.#standing = new Standing(this.#store.sql);
    this.#conversation = new Conversation(this.#roomId, this.#store, this.#search, this.#standing);
    this.#ledger = new Ledger(this.#store, (entry) => this.#vocabulary.message(entry));
    this.#replay = new RoomReplay(this.#store, (row) => this.#encode(row));
  }

  get #roomId(): string {
    return this.ctx.id.name ?? "";
  }

  protected override get log(): RoomReplay {
    return this.#replay;
  }

  get #vocabulary(): Vocabulary {
    const { facts } = this.#standing;
    if (facts?.courseId != null) this.#words ??= new CourseVocabulary(this.#roomId, facts.courseId);
    return this.#words ?? new MessengerVocabulary(this.#roomId);
  }

  /** A durable frame, with its own seq. */
  #encode(row: Logged): string {
    return encodeFrame(this.#vocabulary.logged(row), row.seq);
  }

  // ── Commands ──────────────────────────────────────────────────────────────────────────────────────────────────────

  readonly #messenger = bindCommands(
    RoomCommands,
    {
      send_message: (by, said) => this.#say(by, said),
      edit_message: (by, { messageId, content }) => this.#edit(by, messageId, content),
      delete_message: (by, { messageId }) => this.#remove(by, messageId),
      reaction: (by, { messageId, emoji, action }) => this.#react(by, messageId, emoji, action),
      typing: (by, { isTyping }) => this.#showTyping(by, isTyping),
      read: (by, { seq }) => this.#markRead(by, seq),
      mute_member: (by, { userId, seconds }) => this.#mute(by, userId, seconds),
      unmute_member: (by, { userId }) => this.#unmute(by, userId),
    },
    { typing: "typing" },
    ["send_message"],
  );

  readonly #course = bindCommands(
    CourseCommands,
    {
      "chat:join_room": (by, input) => this.#tellOnline(by, input),
      "chat:leave_room": (by, input) => this.#leaveCourse(by, input),
      "chat:send_message": (by, input) => {
        this.#requireCourse(input);
        const { message: content, messageType: type, ...said } = input;
        return this.#say(by, { content, type, ...said });
      },
      "chat:edit_message": (by, input) => {
        this.#requireCourse(input);
        return this.#edit(by, input.messageId, input.message);
      },
      "chat:delete_message": (by, input) => {
        this.#requireCourse(input);
        return this.#remove(by, input.messageId);
      },
      "chat:typing_start": (by, input) => {
        this.#requireCourse(input);
        return this.#showTyping(by, true);
      },
      "chat:typing_stop": (by, input) => {
        this.#requireCourse(input);
        return this.#showTyping(by, false);
      },
      "chat:get_online_users": (by, input) => this.#tellOnline(by, input),
      "chat:mute_member": (by, { userId, seconds }) => this.#mute(by, userId, seconds),
      "chat:unmute_member": (by, { userId }) => this.#unmute(by, userId),
    },
    { "chat:typing_start": "typing", "chat:typing_stop": "typing" },
    ["chat:send_message"],
  );

  /** A course room speaks `chat:*`, the others the messenger's language. */
  protected override get commands() {
    return this.#standing.facts?.kind === "course" ? this.#course : this.#messenger;
  }

  #say(by: CommandContext, said: Said): unknown {
    const { entry, isNew } = this.#conversation.send(by, said);
    if (!isNew) return this.#vocabulary.message(entry);
    const frame = this.#vocabulary.logged({ kind: "message", seq: entry.seq, entry });
    this.broadcast(encodeFrame(frame, entry.seq));
    // The message's own row tells that its author has read it: nothing else is written for that. Of a course, nobody asks.
    if (this.commands === this.#messenger) this.#ledger.moveMark(by.person.userId, entry.seq, by.now);
    this.#noteChange(by.now);
    return frame.data;
  }

  #edit(by: CommandContext, messageId: string, content: string): Record<string, unknown> {
    const row = this.#conversation.edit(by, messageId, content);
    this.#publish(row, by.now);
    return this.#vocabulary.message(row.entry);
  }

  #remove(by: CommandContext, messageId: string): { messageId: string } {
    this.#publish(this.#conversation.remove(by, messageId), by.now);
    return { messageId };
  }

  #react(by: CommandContext, messageId: string, emoji: string, want?: Action) {
    const { row, count } = this.#conversation.react(by, messageId, emoji, want);
    if (row) this.#publish(row, by.now);
    const action = row?.kind === "reaction" ? row.action : (want ?? "added");
    return { messageId, userId: by.person.userId, emoji, action, count };
  }

  #publish(row: Logged, now: number): void {
    this.broadcast(this.#encode(row));
    this.#noteChange(now);
  }

  #showTyping({ person, connection, now }: CommandContext, isTyping: boolean): void {
    this.#conversation.requireVoice(person, now);
    this.broadcast(encodeFrame(this.#vocabulary.typing(person, isTyping)), connection);
  }

  #markRead({ person, now }: CommandContext, upTo: number): { seq: number } {
    const { userId } = person;
    if (this.#ledger.moveMark(userId, Math.min(upTo, this.#store.head), now)) {
      this.#saveMarks(userId);
      const frame = this.#vocabulary.read(userId, this.#ledger.mark(userId));
      if (frame) this.broadcast(encodeFrame(frame));
      this.#noteChange(now);
    }
    return { seq: this.#ledger.mark(userId) };
  }

  #mute(by: CommandContext, userId: number, seconds: number) {
    const until = this.#conversation.mute(by, userId, seconds);
    return { userId, mutedUntil: new Date(until).toISOString() };
  }

  #unmute(by: CommandContext, userId: number) {
    this.#conversation.unmute(by, userId);
    return { userId, mutedUntil: null };
  }

  /** A frame that names a course must mean this one. @throws AppError NOT_FOUND */
  #requireCourse({ courseId }: { courseId?: string | undefined }): void {
    if (courseId !== undefined && courseId !== this.#conversation.facts.courseId) {
      throw new AppError("NOT_FOUND", "This connection is in another course.");
    }
  }

  #tellOnline({ connection }: CommandContext, input: { courseId?: string | undefined }): unknown {
    this.#requireCourse(input);
    const frame = this.#online();
    if (connection) this.send(connection, encodeFrame(frame));
    return frame.data;
  }

  #leaveCourse({ connection }: CommandContext, input: { courseId?: string | undefined }): void {
    this.#requireCourse(input);
    if (connection) this.disconnect(connection, 1000, "LEFT");
  }

  #online(): Frame {
    return this.#vocabulary.online(this.connections.people(ONLINE_USERS_SHOWN).map(({ state }) => state));
  }

  // ── Coming and going ──────────────────────────────────────────────────────────────────────────────────────────────

  protected override admit(request: ConnectRequest): void {
    this.#letIn(request.userId, Entrance.parse(request.facts));
  }

  /** The Worker has asked the database; what has happened since, only the room knows. */
  #letIn(userId: number, { room, readSeq }: Entrance): void {
    if (this.#standing.isClosed) throw new AppError("NOT_FOUND");
    this.#standing.learn(room);
    if (this.#standing.hasDeparted(userId, room.version))
      throw new AppError("FORBIDDEN", "You are no member any more.");
    this.#ledger.recall(userId, readSeq);
  }

  protected override opened(connection: Connection, isFirst: boolean): void {
    this.#saveMark(connection);
    this.send(connection, encodeFrame(this.#online()));
    if (isFirst) this.broadcast(encodeFrame(this.#vocabulary.joined(connection.state)), connection);
  }

  protected override closed({ state }: Connection, isLast: boolean): void {
    if (!isLast) return;
    this.broadcast(encodeFrame(this.#vocabulary.left(state)));
    // A mark lives in its owner's sockets: with the last one it goes to the database.
    if (this.#ledger.isUnsaved(state.userId)) this.#syncNow();
  }

  protected override refused(connection: Connection, id: FrameId | undefined, error: AppError): void {
    const frame = id === undefined ? this.#vocabulary.refusal(error.code, error.message) : null;
    if (frame) this.send(connection, encodeFrame(frame));
  }

  #recallMark(connection: Connection): void {
    const mark = SeatMark.safeParse(connection.state.facts);
    if (!mark.success) return;
    const { readSeq, isSaved } = mark.data;
    if (isSaved) this.#ledger.recall(connection.userId, readSeq);
    else this.#ledger.moveMark(connection.userId, readSeq, Date.now());
  }

  #saveMarks(userId: number): void {
    for (const connection of this.connections.of(userId)) this.#saveMark(connection);
  }

  #saveMark(connection: Connection): void {
    const { userId, state } = connection;
    state.facts = { readSeq: this.#ledger.mark(userId), isSaved: !this.#ledger.isUnsaved(userId) } satisfies SeatMark;
    connection.save();
  }

  // ── What the Worker asks ──────────────────────────────────────────────────────────────────────────────────────────

  /** RPC: a command from somebody without a socket: REST, or Socket.IO. The same function as for a frame. */
  executeFor(person: Person, entrance: Entrance, type: string, data: unknown): Promise<Outcome> {
    try {
      this.#letIn(person.userId, entrance);
    } catch (thrown) {
      return Promise.resolve(failed(thrown));
    }
    return this.execute(person, type, data);
  }

  /** RPC: a page of messages as they are now, newest first. */
  read(entrance: Entrance, query: ReadQuery): Page {
    this.#letIn(0, entrance);
    return readPage(this.#store, this.#search, this.#vocabulary, query);
  }

  /** RPC: figures of all messages that are there. */
  statistics(): Statistics {
    return this.#search.statistics();
  }

  /** RPC: what the database may not know yet; and how far this user has read, as far as the room knows. */
  summary(userId: number): { summary: Summary; mark: Mark } {
    return { summary: this.#ledger.summary(), mark: this.#ledger.markOf(userId) };
  }

  // ── What the directory tells ──────────────────────────────────────────────────────────────────────────────────────

  /** Each effect may come again. */
  protected override delivered(payload: unknown): void | Promise<void> {
    const effect = RoomEffect.parse(payload);
    if (this.#standing.isClosed) return;
    if (effect.facts && this.#standing.learn(effect.facts)) this.#tellChange(effect.facts);
    if (effect.removed !== undefined && effect.facts) this.#remember(effect.removed, effect.facts.version);
    if (effect.anonymise !== undefined) this.#anonymise(effect.anonymise);
    if (effect.deleted) return this.#end();
  }

  #tellChange(facts: RoomFacts): void {
    const frame = this.#vocabulary.changed(facts);
    if (frame) this.broadcast(encodeFrame(frame));
  }

  #remember(removed: number, version: number): void {
    this.#standing.noteDeparture(removed, version);
    this.revoke({ userId: removed, code: CLOSE.forbidden, reason: "FORBIDDEN" });
  }

  #anonymise(userId: number): void {
    this.#store.anonymise(userId);
    this.#search.anonymise(userId);
    this.#ledger.invalidate();
    this.#noteChange(Date.now());
  }

  /** The room is no more. What is left of it is the note that it is closed, for who was on the way in. */
  async #end(): Promise<void> {
    for (const connection of this.connections.values()) this.disconnect(connection, CLOSE.notFound, "NOT_FOUND");
    await this.ctx.blockConcurrencyWhile(async () => {
      await this.ctx.storage.deleteAll();
      this.#open();
      this.#standing.close(Date.now());
      await this.timers.restore();
    });
  }

  // ── What the database is told ─────────────────────────────────────────────────────────────────────────────────────

  /** Something happened that lists of rooms show. The alarm is set first: a crash cannot lose the news. */
  #noteChange(now: number): void {
    if (this.#isSyncPlanned) return;
    this.#isSyncPlanned = true;
    this.timers.arm(now);
    if (now - this.#lastSyncAt >= SYNC_EVERY_MS) this.#syncNow();
  }

  /** After this turn, so that one summary tells of all that was gathered; never from within a transaction. */
  #syncNow(): void {
    this.ctx.waitUntil(Promise.resolve().then(() => this.#sync()));
  }

  #nextSync(): number | null {
    const since = this.#ledger.behindSince();
    return since === null ? null : Math.max(since + SYNC_EVERY_MS, this.#retrySyncAt);
  }

  async #sync(): Promise<void> {
    if (this.#isSyncing || this.#standing.isClosed || !this.#ledger.isBehind) return;
    this.#isSyncing = true;
    const ledger = this.#ledger;
    const summary = ledger.summary();
    const { authors, marks } = ledger.news();
    try {
      const erased = await writeSummary(objectContext(this.ctx, this.env), this.#roomId, summary, marks, authors);
      if (this.#standing.isClosed) return;
      for (const userId of ledger.saved(summary, marks, authors)) this.#saveMarks(userId);
      for (const userId of erased) this.#anonymise(userId);
      this.#lastSyncAt = Date.now();
    } catch (error) {
      this.#retrySyncAt = Date.now() + SYNC_EVERY_MS;
      logFailure({ requestId: "" }, "room.sync", error, { room: this.#roomId });
    } finally {
      this.#isSyncing = false;
      this.#isSyncPlanned = this.#ledger.isBehind;
      if (this.#isSyncPlanned) this.timers.arm(Date.now());
    }
  }
}
