/** The rules of what may be said in a chat, whoever carries it there. Each verb begins with who may do it. */
import { AppError } from "../errors.ts";
import type { CommandContext } from "../realtime/commands.ts";
import type { Person } from "../realtime/connection-state.ts";
import type { Author } from "./authors.ts";
import type { CustomEvent } from "./contract.ts";
import { OFFICIAL_TYPES } from "./dialect.ts";
import type { ChatLog, LogEntry, Message } from "./log.ts";
import type { Moderation } from "./moderation.ts";
import { type Action, type Reactions, reactionKey } from "./reactions.ts";
import type { ChatSearch } from "./search.ts";

/** Different emoji on one message: more are noise, and each costs every reader. */
const REACTION_KINDS = 50;

export type Said = {
  content: string;
  type: string;
  fileUrl: string | null;
  /** The seq of the message that this one answers. */
  replyTo: number | null;
  clientMessageId?: string | undefined;
};

type Parts = {
  log: ChatLog;
  reactions: Reactions;
  search: ChatSearch;
  moderation: Moderation;
  /** Notes that the room's storage names this user now. */
  record: (userId: number, now: number) => void;
};

const authorOf = ({ userId, username, avatarUrl }: Person): Author => ({ userId, username, avatarUrl });

export class Conversation {
  readonly #log: ChatLog;
  readonly #reactions: Reactions;
  readonly #search: ChatSearch;
  readonly #moderation: Moderation;
  readonly #record: Parts["record"];

  constructor({ log, reactions, search, moderation, record }: Parts) {
    this.#record = record;
    this.#log = log;
    this.#reactions = reactions;
    this.#search = search;
    this.#moderation = moderation;
  }

  /** The message that this author sent under this `clientMessageId` before. */
  earlier({ userId }: Person, clientMessageId: string | undefined): Message | undefined {
    return clientMessageId === undefined ? undefined : this.#log.messageOnce(userId, clientMessageId);
  }

  /**
   * Appends a message. With a `clientMessageId` that this author used here before, answers the message it made then.
   * @throws AppError FORBIDDEN muted, blocked, or a type for moderators · RATE_LIMIT slow mode · NOT_FOUND no `replyTo`
   */
  send(by: CommandContext, said: Said): { message: Message; isNew: boolean } {
    const { person, now } = by;
    const { type, content, fileUrl, replyTo, clientMessageId } = said;
    const earlier = this.earlier(person, clientMessageId);
    if (earlier) return { message: earlier, isNew: false };
    this.requireMaySend(by, said);
    this.#record(person.userId, now);
    const draft = { type, content, fileUrl, replyTo };
    const message = this.#log.addMessage(authorOf(person), draft, now, clientMessageId ?? null);
    this.#moderation.recordWriting(person.userId, now);
    return { message, isNew: true };
  }

  /** @throws AppError as `send` */
  requireMaySend({ person, now }: CommandContext, { type, replyTo }: Pick<Said, "type" | "replyTo">): void {
    this.#moderation.requireVoice(person, now);
    if (OFFICIAL_TYPES.has(type) && !this.#moderation.isInCharge(person)) {
      throw new AppError("FORBIDDEN", `Only moderators send messages of type ${type}.`);
    }
    if (replyTo !== null) this.#find(replyTo);
    this.#moderation.requirePatience(person, now);
  }

  /** @throws AppError NOT_FOUND · FORBIDDEN for anybody but the author */
  edit(by: CommandContext, target: number, content: string): LogEntry & { kind: "edit" } {
    const { person, now } = by;
    const message = this.editable(by, target);
    this.#search.follow(target, () => this.#log.rewrite(target, content, now));
    this.#record(person.userId, now);
    const seq = this.#log.addChange("edit", target, person.userId, now);
    return { kind: "edit", seq, message: { ...message, content, editedAt: now } };
  }

  /**
   * A product's own event; in a stream, of whoever runs it.
   * @returns where it stands in the log, if it is kept
   * @throws AppError FORBIDDEN muted, blocked, or not in charge of a stream
   */
  emit({ person, now }: CommandContext, { keep, ...event }: CustomEvent): number | undefined {
    this.#moderation.requireVoice(person, now);
    if (this.#moderation.info.kind === "stream") this.#moderation.requireInCharge(person);
    if (!keep) return undefined;
    this.#record(person.userId, now);
    return this.#log.addEvent(person.userId, event, now);
  }

  /** A message that this person may edit. @throws AppError as `edit` */
  editable({ person, now }: CommandContext, target: number): Message {
    const message = this.#find(target);
    if (message.userId !== person.userId) throw new AppError("FORBIDDEN", "Only its author edits a message.");
    this.#moderation.requireVoice(person, now);
    return message;
  }

  /** Whether there was such a message, and it is deleted. */
  wasDeleted(target: number): boolean {
    return this.#log.messageOrTombstone(target)?.deletedAt != null;
  }

  /** @throws AppError NOT_FOUND · FORBIDDEN for anybody but the author, the owner and moderators */
  remove({ person, now }: CommandContext, target: number): LogEntry & { kind: "deletion" } {
    const message = this.removable(person, target);
    this.#record(person.userId, now);
    return this.#delete(message, person.userId, now);
  }

  /** The same by the system, whoever's it is. @throws AppError NOT_FOUND */
  removeBySystem(target: number, now: number): LogEntry & { kind: "deletion" } {
    return this.#delete(this.#find(target), null, now);
  }

  #delete(message: Message, userId: number | null, now: number): LogEntry & { kind: "deletion" } {
    const { seq: target } = message;
    this.#search.follow(target, () => this.#log.empty(target, now));
    this.#search.uncount(message);
    const seq = this.#log.addChange("deletion", target, userId, now);
    return { kind: "deletion", seq, at: now, userId, target };
  }

  /** A message of the system's own. With a `clientMessageId` that it used here before, the message it made then. */
  sendBySystem({ clientMessageId, ...draft }: Said, now: number): { message: Message; isNew: boolean } {
    const earlier = clientMessageId === undefined ? undefined : this.#log.messageOnce(null, clientMessageId);
    if (earlier) return { message: earlier, isNew: false };
    if (draft.replyTo !== null) this.#find(draft.replyTo);
    return { message: this.#log.addMessage(null, draft, now, clientMessageId ?? null), isNew: true };
  }

  /** A message that is still there, whoever asks. @throws AppError NOT_FOUND */
  existing(target: number): Message {
    return this.#find(target);
  }

  /** A message that this person may delete. @throws AppError as `remove` */
  removable(person: Person, target: number): Message {
    const message = this.#find(target);
    if (message.userId === person.userId || this.#moderation.isInCharge(person)) return message;
    throw new AppError("FORBIDDEN", "Only its author, the room's owner and moderators delete a message.");
  }

  /**
   * Adds a reaction, shown as it was first given, takes it back, or without `want` does the one that fits. `entry` is null if it is so already.
   * @throws AppError NOT_FOUND · FORBIDDEN muted or blocked · CONFLICT too many kinds of reaction
   */
  react(
    { person, now }: CommandContext,
    target: number,
    given: string,
    want?: Action,
  ): { entry: LogEntry | null; emoji: string; action: Action; count: number } {
    this.#find(target);
    this.#moderation.requireVoice(person, now);
    const { userId } = person;
    const key = reactionKey(given);
    const has = this.#reactions.has(target, key, userId);
    const action = want ?? (has ? "removed" : "added");
    const before = this.#reactions.counts(target, key);
    const emoji = before.emoji ?? given;
    if (has === (action === "added")) return { entry: null, emoji, action, count: before.count };
    if (action === "added" && before.count === 0 && before.kinds >= REACTION_KINDS) {
      throw new AppError("CONFLICT", `A message takes ${REACTION_KINDS} kinds of reaction.`);
    }
    if (action === "added") this.#reactions.add(target, key, userId, emoji);
    else this.#reactions.remove(target, key, userId);
    this.#record(userId, now);
    const count = before.count + (action === "added" ? 1 : -1);
    const seq = this.#log.addReaction(authorOf(person), now, { target, content: emoji, action, count });
    return { entry: { kind: "reaction", seq, userId, target, emoji, action, count }, emoji, action, count };
  }

  #find(seq: number): Message {
    const message = this.#log.message(seq);
    if (!message) throw new AppError("NOT_FOUND", "There is no such message.");
    return message;
  }
}
