/**
 * The object of a group, private or course room: a chat with members, which lists of rooms show. What it tells the
 * database, it tells afterwards (directory-sync.ts).
 */
import { z } from "zod";
import { config } from "../config.ts";
import { objectContext } from "../context.ts";
import { CLOSE } from "../errors.ts";
import type { Connection } from "../realtime/connection.ts";
import type { Person } from "../realtime/connection-state.ts";
import { encodeFrame } from "../realtime/protocol.ts";
import { requireMutable } from "./access.ts";
import { Chat } from "./chat.ts";
import type { RoomDialect } from "./dialect.ts";
import type { Mark, Summary } from "./directory.ts";
import { DirectorySync } from "./directory-sync.ts";
import type { Page, ReadQuery } from "./history.ts";
import { Inbox } from "./inbox.ts";
import { JoinContext, RoomEffect, type RoomInfo } from "./info.ts";
import { type RoomChat, roomChat } from "./kinds.ts";
import type { Message } from "./log.ts";
import { eventsOf, NewsCursor } from "./news.ts";
import { Presence } from "./presence.ts";
import { PrivatePush } from "./private-push.ts";
import { KeptMark, ReadMarks } from "./read-marks.ts";
import { RoomActions } from "./room-actions.ts";
import { CHAT_ROOM_SCHEMA } from "./schema.ts";
import type { Figures } from "./statistics.ts";
import { Typing } from "./typing.ts";

/** What of a room's memory its connections keep through hibernation. */
const Kept = KeptMark.extend({ isTyping: z.boolean().optional() });
type Kept = z.infer<typeof Kept>;

export class ChatRoom extends Chat<RoomDialect, RoomActions, JoinContext> {
  protected override readonly kind = "room";
  protected override readonly roomKind = "CHAT_ROOM";
  protected override readonly context = JoinContext;
  protected override readonly actions: RoomActions;
  readonly #marks: ReadMarks;
  readonly #directory: DirectorySync;
  readonly #news: NewsCursor;
  readonly #presence: Presence;
  readonly #inbox: Inbox;
  readonly #typing = new Typing();
  readonly #privatePush: PrivatePush;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env, "room", CHAT_ROOM_SCHEMA);
    const { synced, told } = this.entries.sql
      .exec<{ synced: number; told: number }>("SELECT synced_seq AS synced, told_seq AS told FROM state")
      .one();
    this.#marks = new ReadMarks(this.entries, synced);
    this.#news = this.#makeNews(told, synced);
    this.#directory = this.#makeDirectory(synced);
    this.#presence = this.#makePresence();
    this.#inbox = this.#makeInbox();
    this.#privatePush = this.#makePrivatePush();
    this.actions = this.#makeActions();
    for (const connection of this.connections.values()) this.#restore(connection);
    this.timers.add({ due: () => this.search.due(), ring: () => void this.search.indexBatch() });
  }

  #makeNews(toldSeq: number, syncedSeq: number): NewsCursor {
    const host = {
      roomId: this.roomId,
      log: this.entries,
      timers: this.timers,
      context: () => objectContext(this.ctx, this.env),
      info: () => this.moderation.lastInfo,
      shown: (message: Message) => this.attachments.shown(message),
    };
    return new NewsCursor(host, toldSeq, syncedSeq);
  }

  #makeDirectory(syncedSeq: number): DirectorySync {
    const host = {
      roomId: this.roomId,
      log: this.entries,
      marks: this.#marks,
      timers: this.timers,
      context: () => objectContext(this.ctx, this.env),
      later: (work: Promise<unknown>) => this.ctx.waitUntil(work),
      isListed: () => !this.moderation.isClosed,
      events: () => eventsOf(this.moderation.lastInfo),
      news: this.#news,
      describe: (message: Message) => ({ ...this.dialect.message(message), ...this.attachments.kept(message) }),
      saved: (userIds: number[]) => {
        for (const userId of userIds) this.#keep(userId);
        this.#inbox.synced(Date.now());
      },
    };
    return new DirectorySync(host, syncedSeq);
  }

  #makeInbox(): Inbox {
    return new Inbox({
      roomId: this.roomId,
      log: this.entries,
      timers: this.timers,
      moderation: this.moderation,
      attachments: this.attachments,
      dialect: () => this.dialect,
      context: () => objectContext(this.ctx, this.env),
      later: (work) => this.ctx.waitUntil(work),
      isHere: (userId) => this.connections.of(userId).length > 0,
      summary: () => this.#directory.summary(),
      markOf: (userId) => this.#marks.of(userId),
    });
  }

  #makePresence(): Presence {
    return new Presence({
      sql: this.entries.sql,
      timers: this.timers,
      exact: config(this.env).PRESENCE_EXACT,
      dialect: () => this.dialect,
      userCount: () => this.connections.userCount,
      people: (most) => this.connections.people(most).map(({ state }) => state),
      ...this.senders,
      hold: (work) => this.ctx.waitUntil(work),
    });
  }

  #makePrivatePush(): PrivatePush {
    return new PrivatePush({
      roomId: this.roomId,
      timers: this.timers,
      context: () => objectContext(this.ctx, this.env),
      later: (work) => this.ctx.waitUntil(work),
      isPrivate: () => this.moderation.info.kind === "private",
      isOtherHere: (userId) => this.connections.people(2).some((connection) => connection.userId !== userId),
      messageId: (seq) => this.dialect.messageId(seq),
    });
  }

  #makeActions(): RoomActions {
    const host = Object.assign(this.chatHost, {
      presence: this.#presence,
      typing: this.#typing,
      marks: this.#marks,
      head: () => this.entries.head,
      keep: (userId: number) => this.#keep(userId),
      note: (connection: Connection) => this.#note(connection),
      markMoved: (now: number) => this.#directory.noteChange(now),
    });
    return new RoomActions(this.conversation, this.moderation, host);
  }

  protected override kindOf(info: RoomInfo): RoomChat {
    return roomChat(info.kind);
  }

  /** The message's own row tells that its author has read it: nothing else is written for that. */
  protected override logged(seq: number, now: number, said?: Message): void {
    if (said && said.userId !== null) {
      this.#marks.move(said.userId, seq, now);
      this.#privatePush.note({ seq, author: said.userId }, now);
    }
    this.#directory.noteChange(now);
    this.#inbox.logged(now, said);
  }

  protected override requireMutable(userId: number): Promise<void> {
    return requireMutable(objectContext(this.ctx, this.env), this.roomId, userId);
  }

  // ── Coming and going ──────────────────────────────────────────────────────────────────────────────────────────────

  /** Lists of rooms have what the database was restored to, and hear anew. A room's id is never used again. */
  protected override startOver(isSameRow: boolean): void {
    super.startOver(isSameRow);
    this.moderation.unlearn();
    this.#directory.invalidate(Date.now());
  }

  protected override introduce({ room }: JoinContext): void {
    this.learn(room);
  }

  protected override letIn(userId: number, { room, readSeq }: JoinContext): void {
    this.learn(room);
    this.moderation.requireMember(userId, room.version);
    this.#marks.recall(userId, readSeq);
  }

  protected override opened(connection: Connection, isFirst: boolean): void {
    this.#save(connection);
    this.#presence.opened(connection, isFirst, Date.now());
  }

  protected override closed(connection: Connection, isLast: boolean): void {
    if (this.moderation.isClosed) return;
    // It may be what woke the room.
    this.#restore(connection);
    const { state, userId } = connection;
    if (this.#typing.closed(connection) && !this.#presence.isCrowd) {
      this.broadcast(encodeFrame(this.dialect.typing(state, false)));
    }
    if (!isLast) return;
    this.#presence.left(state, Date.now());
    // A mark lives in its owner's connections: with the last one it goes to the database.
    if (this.#marks.isUnsaved(userId)) this.#directory.syncSoon();
  }

  // ── What connections keep ─────────────────────────────────────────────────────────────────────────────────────────

  #restore(connection: Connection): void {
    const kept = Kept.safeParse(connection.context);
    if (!kept.success) return;
    this.#marks.restore(connection.userId, kept.data, Date.now());
    if (kept.data.isTyping) this.#typing.set(connection, true);
  }

  #keep(userId: number): void {
    for (const connection of this.connections.of(userId)) this.#save(connection);
  }

  #save(connection: Connection): void {
    this.#note(connection);
    connection.save();
  }

  #note(connection: Connection): void {
    // A gateway's member is kept in a row, and typing is not worth one.
    const isTyping = connection.transportKind !== "gateway" && this.#typing.has(connection);
    connection.context = { ...this.#marks.keep(connection.userId), isTyping } satisfies Kept;
  }

  // ── What the Worker asks ──────────────────────────────────────────────────────────────────────────────────────────

  /** RPC: a page of messages as they are now, newest first. */
  async read(room: RoomInfo, query: ReadQuery): Promise<Page> {
    this.learn(room);
    return this.page(query);
  }

  /** RPC: figures of all messages that are there; null while more have to be counted first, which the next call does. */
  statistics(): Figures | null {
    return this.search.indexBatch() ? null : this.search.statistics.figures(this.search.indexed);
  }

  /** RPC: what the database may not know yet; and how far this user has read, as far as the room knows. */
  summary(userId: number): { summary: Summary; mark: Mark } {
    return { summary: this.#directory.summary(), mark: this.#marks.of(userId) };
  }

  /** RPC: what is known of a user changed. */
  override updatePerson(person: Partial<Person> & { userId: number }): void {
    super.updatePerson(person);
    this.#presence.changed();
  }

  protected override beforeEnd(): Promise<void> {
    return this.#news.finish();
  }

  // ── What the directory tells ──────────────────────────────────────────────────────────────────────────────────────

  protected override delivered(payload: unknown): void | Promise<void> {
    const effect = RoomEffect.parse(payload);
    if ("deleted" in effect && effect.deleted) return this.end();
    if (this.moderation.isClosed) return;
    if ("type" in effect) return this.anonymise(effect.userId);
    const { facts: info, removed, anonymise } = effect;
    if (info) this.#change(info);
    if (removed !== undefined && info) this.#remove(removed, info.version);
    if (anonymise !== undefined) this.anonymise(anonymise);
  }

  #change(info: RoomInfo): void {
    const wasOpen = this.moderation.isKnown && this.moderation.info.joinPolicy === "open";
    if (!this.moderation.learn(info)) return;
    const frame = this.dialect.changed(info);
    if (frame) this.broadcast(encodeFrame(frame));
    // An open group makes members of who comes; an open course does not, so it is asked anew who may be here.
    if (!wasOpen || info.kind !== "course" || info.joinPolicy === "open") return;
    for (const connection of this.connections.values()) this.disconnect(connection, CLOSE.restart, "UNAVAILABLE");
  }

  #remove(userId: number, version: number): void {
    this.references.record(userId, Date.now());
    this.moderation.recordDeparture(userId, version);
    this.revoke({ userId, code: CLOSE.forbidden, reason: "FORBIDDEN" });
  }

  protected override anonymise(userId: number): void {
    super.anonymise(userId);
    this.#marks.forget(userId);
    if (this.moderation.isClosed) return;
    this.#directory.invalidate(Date.now());
    // The list of rooms may show their name beside the newest message.
    this.#directory.syncSoon();
  }
}
