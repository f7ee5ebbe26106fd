/** What may be done in a chat, by whatever door: each action asks its rules, writes, tells, and answers what its ack carries. */
import { AppError } from "../errors.ts";
import type { MaybePromise } from "../platform/promise.ts";
import type { CommandContext } from "../realtime/commands.ts";
import type { Connection } from "../realtime/connection.ts";
import type { EncodedFrame } from "../realtime/encoded-frame.ts";
import { encodeFrame } from "../realtime/protocol.ts";
import { type Attachments, isGranted, type NamedFile } from "./attachments.ts";
import type { CustomEvent } from "./contract.ts";
import type { Conversation, Said } from "./conversation.ts";
import { type Dialect, frameOf, OFFICIAL_TYPES } from "./dialect.ts";
import type { Gate, Question } from "./gate.ts";
import type { RoomInfo } from "./info.ts";
import type { LogEntry, Message } from "./log.ts";
import type { Moderation } from "./moderation.ts";
import type { Action } from "./reactions.ts";
import type { RoleActs } from "./role-acts.ts";

/** The room as its actions see it. */
export type ChatHost<D extends Dialect> = {
  readonly dialect: D;
  readonly attachments: Attachments;
  readonly gate: Gate;
  readonly roleActs: RoleActs;
  broadcast(frame: EncodedFrame, except?: Connection): void;
  broadcastLogged(frame: EncodedFrame): void;
  /** To all connections of one user, wherever they are held. */
  tellUser(userId: number, frame: EncodedFrame): void;
  /** Ends a connection that asked for it, after its ack. */
  leave(connection: Connection): void;
  /** The log has gone on; `said`: by a message. */
  logged(seq: number, now: number, said?: Message): void;
  /** @throws AppError NOT_FOUND nobody who can be muted here · FORBIDDEN a moderator */
  requireMutable(userId: number): Promise<void>;
  /** The room's storage names this user now. */
  record(userId: number, now: number): void;
};

type NewMessage = {
  content: string;
  type?: string;
  fileId?: string | null | undefined;
  fileUrl?: string | null;
  replyTo?: string | null;
  clientMessageId?: string | undefined;
};

/** What the system says: words alone. */
export type SystemMessage = Omit<NewMessage, "fileId" | "fileUrl">;

export class ChatActions<D extends Dialect = Dialect> {
  protected readonly conversation: Conversation;
  protected readonly moderation: Moderation;
  protected readonly host: ChatHost<D>;

  constructor(conversation: Conversation, moderation: Moderation, host: ChatHost<D>) {
    this.conversation = conversation;
    this.moderation = moderation;
    this.host = host;
  }

  /** @throws AppError NOT_FOUND before the room knows what it is, and when it is no more */
  get info(): RoomInfo {
    return this.moderation.info;
  }

  get #dialect(): D {
    return this.host.dialect;
  }

  /**
   * A message; answers it. One with a file of ours waits for the database to let its readers have the file; all of them, for
   * who is asked before, if anybody is.
   * @throws AppError as Conversation.send, Attachments.grant and Gate.ask
   */
  say(by: CommandContext, said: NewMessage): unknown {
    const isAsked = this.host.gate.isSet();
    return isAsked === false ? this.#say(by, said) : this.#sayIfAllowed(by, said, isAsked);
  }

  async #sayIfAllowed(by: CommandContext, said: NewMessage, isAsked: MaybePromise<boolean>): Promise<unknown> {
    if (!(await isAsked)) return this.#say(by, said);
    const { person } = by;
    const earlier = this.conversation.earlier(person, said.clientMessageId);
    if (earlier) return this.repeated(earlier);
    this.conversation.requireMaySend(by, { type: said.type ?? "text", replyTo: this.#repliedTo(said) });
    const { content, type, fileUrl, replyTo } = said;
    const allowed = await this.#ask(by, { person, content, type, fileUrl, replyTo });
    return this.#say({ ...by, now: Date.now() }, { ...said, content: allowed });
  }

  /** @returns the text to accept. Who asked may have been removed while it was looked at. @throws AppError as Gate.ask */
  async #ask({ person, connection }: CommandContext, question: Question): Promise<string> {
    const { version } = this.info;
    const content = await this.host.gate.ask(question);
    this.moderation.requireMember(person.userId, version);
    if (connection && !connection.isOpen) throw new AppError("FORBIDDEN", "The connection is closed.");
    return content;
  }

  #say(by: CommandContext, said: NewMessage): unknown {
    const file = this.host.attachments.named(said);
    return file ? this.#sayWithFile(by, said, file) : this.#append(by, said, said.fileUrl ?? null);
  }

  async #sayWithFile(by: CommandContext, said: NewMessage, file: NamedFile): Promise<unknown> {
    const earlier = this.conversation.earlier(by.person, said.clientMessageId);
    if (earlier) return this.repeated(earlier);
    this.conversation.requireMaySend(by, { type: said.type ?? "text", replyTo: this.#repliedTo(said) });
    const { attachments } = this.host;
    const { version } = this.info;
    const kept = await attachments.grant(by.person.userId, file);
    try {
      // They may have been removed meanwhile, or the same message have come another way.
      this.moderation.requireMember(by.person.userId, version);
      if (this.conversation.earlier(by.person, said.clientMessageId)) await attachments.revoke(kept);
      return this.#append(by, said, kept);
    } catch (error) {
      await attachments.revoke(kept);
      throw error;
    }
  }

  #append(by: CommandContext, said: NewMessage, fileUrl: string | null): unknown {
    const { message, isNew } = this.conversation.send(by, this.#saidIn(said, fileUrl));
    if (!isNew) return this.repeated(message);
    const { type, seq } = message;
    if (OFFICIAL_TYPES.has(type)) {
      this.host.roleActs.note(by, "message", { messageId: this.#dialect.messageId(seq), type });
    }
    return this.#tell(message, by.now);
  }

  /** A message by the system, without a file. Answers it. @throws AppError NOT_FOUND no such `replyTo` */
  sayBySystem(said: SystemMessage, now: number): unknown {
    const { message, isNew } = this.conversation.sendBySystem(this.#saidIn(said, null), now);
    return isNew ? this.#tell(message, now) : this.repeated(message);
  }

  #saidIn(said: NewMessage, fileUrl: string | null): Said {
    const { content, type = "text", clientMessageId } = said;
    return { content, type, fileUrl, replyTo: this.#repliedTo(said), clientMessageId };
  }

  #tell(message: Message, now: number): unknown {
    const frame = this.#dialect.said(this.#shown(message));
    this.host.broadcastLogged(encodeFrame(frame, message.seq));
    this.host.logged(message.seq, now, message);
    return frame.data;
  }

  /** What is answered to a message that was sent before. */
  protected repeated(message: Message): unknown {
    return this.#dialect.said(this.#shown(message)).data;
  }

  #repliedTo({ replyTo }: NewMessage): number | null {
    return replyTo == null ? null : this.seqOf(replyTo);
  }

  #shown(message: Message): Message {
    return this.host.attachments.shown(message);
  }

  /** @throws AppError as Conversation.edit and Gate.ask */
  edit(by: CommandContext, messageId: string, content: string): MaybePromise<Record<string, unknown>> {
    const isAsked = this.host.gate.isSet();
    return isAsked === false
      ? this.#edit(by, messageId, content)
      : this.#editIfAllowed(by, messageId, content, isAsked);
  }

  async #editIfAllowed(by: CommandContext, messageId: string, content: string, isAsked: MaybePromise<boolean>) {
    if (!(await isAsked)) return this.#edit(by, messageId, content);
    this.conversation.editable(by, this.seqOf(messageId));
    const allowed = await this.#ask(by, { person: by.person, messageId, content });
    return this.#edit({ ...by, now: Date.now() }, messageId, allowed);
  }

  #edit(by: CommandContext, messageId: string, content: string): Record<string, unknown> {
    const entry = this.conversation.edit(by, this.seqOf(messageId), content);
    this.#publish(entry, by.now);
    return this.#dialect.message(this.#shown(entry.message));
  }

  /**
   * Its file is closed to its readers first: if that fails, the message stays, and can be deleted again.
   * @throws AppError as Conversation.remove
   */
  remove(by: CommandContext, messageId: string): MaybePromise<{ messageId: string }> {
    const seq = this.seqOf(messageId);
    const { fileUrl, userId: authorId } = this.conversation.removable(by.person, seq);
    return this.#remove(messageId, fileUrl, by.now, () => {
      const entry = this.conversation.remove(by, seq);
      if (authorId !== by.person.userId) {
        this.host.roleActs.note(by, "delete_message", { messageId: this.#dialect.messageId(seq), authorId });
      }
      return entry;
    });
  }

  /** The same by the system. @throws AppError NOT_FOUND */
  removeBySystem(messageId: string, now: number): MaybePromise<{ messageId: string }> {
    const seq = this.seqOf(messageId);
    const { fileUrl } = this.conversation.existing(seq);
    return this.#remove(messageId, fileUrl, now, () => this.conversation.removeBySystem(seq, now));
  }

  #remove(
    messageId: string,
    fileUrl: string | null,
    now: number,
    remove: () => LogEntry,
  ): MaybePromise<{ messageId: string }> {
    const run = () => {
      this.#publish(remove(), now);
      return { messageId };
    };
    return isGranted(fileUrl) ? this.host.attachments.revoke(fileUrl).then(run) : run();
  }

  /** @throws AppError as Conversation.react */
  react(by: CommandContext, messageId: string, given: string, want?: Action) {
    const { entry, emoji, action, count } = this.conversation.react(by, this.seqOf(messageId), given, want);
    if (entry) this.#publish(entry, by.now);
    return { messageId, userId: by.person.userId, emoji, action, count };
  }

  /** A product's own event, to everybody here. @throws AppError as Conversation.emit */
  emit(by: CommandContext, event: CustomEvent): { seq: number } | undefined {
    const seq = this.conversation.emit(by, event);
    const { name, data, keep } = event;
    if (this.info.kind === "stream") this.host.roleActs.note(by, "publish", { event: name, keep });
    const text = encodeFrame(this.#dialect.happened({ name, data, userId: by.person.userId }), seq);
    if (seq === undefined) {
      this.host.broadcast(text);
      return undefined;
    }
    this.host.broadcastLogged(text);
    this.host.logged(seq, by.now);
    return { seq };
  }

  #publish(entry: LogEntry, now: number): void {
    this.host.broadcastLogged(
      encodeFrame(
        frameOf(this.#dialect, entry, (message) => this.#shown(message)),
        entry.seq,
      ),
    );
    this.host.logged(entry.seq, now);
  }

  /**
   * Keeps somebody from writing for a while. Told to the one it is about.
   * @throws AppError FORBIDDEN for anybody but the owner and moderators, and against those · NOT_FOUND nobody who is here
   */
  async mute(by: CommandContext, userId: number, seconds: number) {
    const { person, now } = by;
    this.moderation.requireInCharge(person);
    if (userId === person.userId || userId === this.info.ownerId) throw new AppError("FORBIDDEN");
    await this.host.requireMutable(userId);
    // The room may be no more by now.
    this.moderation.requireInCharge(person);
    const until = now + seconds * 1000;
    this.host.record(userId, now);
    this.moderation.mute(userId, until);
    this.host.roleActs.note(by, "mute", { userId, seconds });
    return this.#tellMuted(userId, until);
  }

  /** @throws AppError FORBIDDEN for anybody but the owner and moderators · NOT_FOUND nobody who is here */
  async unmute(by: CommandContext, userId: number) {
    this.moderation.requireInCharge(by.person);
    await this.host.requireMutable(userId);
    if (!this.moderation.unmute(userId)) return { userId, mutedUntil: null };
    this.host.roleActs.note(by, "unmute", { userId });
    return this.#tellMuted(userId, null);
  }

  #tellMuted(userId: number, until: number | null) {
    const mutedUntil = until === null ? null : new Date(until).toISOString();
    const frame = this.#dialect.muted(userId, mutedUntil);
    if (frame) this.host.tellUser(userId, encodeFrame(frame));
    return { userId, mutedUntil };
  }

  leave({ connection }: CommandContext): void {
    if (connection) this.host.leave(connection);
  }

  /** @throws AppError NOT_FOUND for what was never the id of a message here */
  protected seqOf(messageId: string): number {
    const seq = this.#dialect.seqOf(messageId);
    if (seq === null) throw new AppError("NOT_FOUND", "There is no such message.");
    return seq;
  }
}
