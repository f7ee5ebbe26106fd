/** The rules of what may be said in a room, whoever carries it there. Each verb begins with who may do it. */
import { AppError } from "../../errors.ts";
import type { CommandContext } from "../../realtime/commands.ts";
import type { Person } from "../../realtime/connection-state.ts";
import type { RoomFacts } from "./facts.ts";
import { parseMessageId } from "./message-id.ts";
import type { RoomSearch } from "./search.ts";
import type { Standing } from "./standing.ts";
import type { Action, Entry, Logged, RoomStore } from "./store.ts";

/** Different emoji on one message: more are noise, and each costs every reader. */
const REACTION_KINDS = 50;
/** For whoever runs the room to speak with. */
const OFFICIAL_TYPES = new Set(["system", "announcement"]);

export type Said = {
  content: string;
  type: string;
  fileUrl: string | null;
  replyTo: string | null;
  clientMessageId?: string | undefined;
};

export class Conversation {
  readonly #roomId: string;
  readonly #store: RoomStore;
  readonly #search: RoomSearch;
  readonly #standing: Standing;
  /** User → when they last wrote, ms; for slow mode. */
  readonly #lastWrote = new Map<number, number>();

  constructor(roomId: string, store: RoomStore, search: RoomSearch, standing: Standing) {
    this.#roomId = roomId;
    this.#store = store;
    this.#search = search;
    this.#standing = standing;
  }

  /** @throws AppError NOT_FOUND before the room knows what it is */
  get facts(): RoomFacts {
    const { facts, isClosed } = this.#standing;
    if (!facts || isClosed) throw new AppError("NOT_FOUND");
    return facts;
  }

  /** The owner of the room, moderators and admins. */
  isInCharge({ userId, role }: Person): boolean {
    return role !== "user" || this.facts.ownerId === userId;
  }

  /**
   * Appends a message. With a `clientMessageId` that this author used here before, answers the message it made then.
   * @throws AppError FORBIDDEN muted, blocked, or a type for moderators · RATE_LIMIT slow mode · NOT_FOUND no `replyTo`
   */
  send({ person, now }: CommandContext, said: Said): { entry: Entry; isNew: boolean } {
    const { type, content, fileUrl, clientMessageId = null } = said;
    const earlier = clientMessageId === null ? undefined : this.#store.messageOnce(person.userId, clientMessageId);
    if (earlier) return { entry: earlier, isNew: false };
    this.requireVoice(person, now);
    if (OFFICIAL_TYPES.has(type) && !this.isInCharge(person)) {
      throw new AppError("FORBIDDEN", `Only moderators send messages of type ${type}.`);
    }
    const replyTo = said.replyTo === null ? null : this.#find(said.replyTo).seq;
    this.#requirePatience(person, now);
    const { userId, username, avatarUrl } = person;
    const author = { userId, username, avatarUrl };
    const entry = this.#store.addMessage(author, { type, content, fileUrl, replyTo }, now, clientMessageId);
    if (this.facts.slowModeSeconds > 0) this.#lastWrote.set(userId, now);
    return { entry, isNew: true };
  }

  /** @throws AppError NOT_FOUND · FORBIDDEN for anybody but the author */
  edit({ person, now }: CommandContext, messageId: string, content: string): Logged & { kind: "edit" } {
    const message = this.#find(messageId);
    if (message.userId !== person.userId) throw new AppError("FORBIDDEN", "Only its author edits a message.");
    this.requireVoice(person, now);
    const change = () => this.#store.editMessage(message.seq, content, person.userId, now);
    const seq = this.#search.follow(message.seq, change);
    return { kind: "edit", seq, entry: { ...message, content, editedAt: now } };
  }

  /** @throws AppError NOT_FOUND · FORBIDDEN for anybody but the author, the owner and moderators */
  remove({ person, now }: CommandContext, messageId: string): Logged & { kind: "deletion" } {
    const message = this.#find(messageId);
    if (message.userId !== person.userId && !this.isInCharge(person)) {
      throw new AppError("FORBIDDEN", "Only its author, the room's owner and moderators delete a message.");
    }
    const seq = this.#search.follow(message.seq, () => this.#store.deleteMessage(message.seq, person.userId, now));
    this.#search.uncount(message);
    return { kind: "deletion", seq, at: now, userId: person.userId, target: message.seq };
  }

  /**
   * Adds a reaction, takes it back, or without `want` does the one that fits. `row` is null if it is so already.
   * @throws AppError NOT_FOUND · FORBIDDEN muted or blocked · CONFLICT too many kinds of reaction
   */
  react(
    { person, now }: CommandContext,
    messageId: string,
    emoji: string,
    want?: Action,
  ): { row: Logged | null; count: number } {
    const { seq: target } = this.#find(messageId);
    this.requireVoice(person, now);
    const { userId, username, avatarUrl } = person;
    const has = this.#store.hasReaction(target, emoji, userId);
    const action = want ?? (has ? "removed" : "added");
    const { count, kinds } = this.#store.reactionCounts(target, emoji);
    if (has === (action === "added")) return { row: null, count };
    if (action === "added" && count === 0 && kinds >= REACTION_KINDS) {
      throw new AppError("CONFLICT", `A message takes ${REACTION_KINDS} kinds of reaction.`);
    }
    const done = this.#store.react(target, emoji, { userId, username, avatarUrl }, action, now);
    const row: Logged = { kind: "reaction", seq: done.seq, userId, target, emoji, action, count: done.count };
    return { row, count: done.count };
  }

  /** @throws AppError FORBIDDEN for anybody but the owner and moderators, and against those */
  mute({ person, now }: CommandContext, userId: number, seconds: number): number {
    if (!this.isInCharge(person)) throw new AppError("FORBIDDEN", "Only the room's owner and moderators mute.");
    if (userId === person.userId || userId === this.facts.ownerId) throw new AppError("FORBIDDEN");
    const until = now + seconds * 1000;
    this.#standing.mute(userId, until);
    return until;
  }

  /** @throws AppError FORBIDDEN for anybody but the owner and moderators */
  unmute({ person }: CommandContext, userId: number): void {
    if (!this.isInCharge(person)) throw new AppError("FORBIDDEN", "Only the room's owner and moderators unmute.");
    this.#standing.unmute(userId);
  }

  #find(messageId: string): Entry {
    const parsed = parseMessageId(messageId);
    const entry = parsed?.roomId === this.#roomId ? this.#store.message(parsed.seq) : undefined;
    if (!entry) throw new AppError("NOT_FOUND", "There is no such message.");
    return entry;
  }

  /** Whoever may not write may not edit or react either, nor show that they are typing. @throws AppError FORBIDDEN */
  requireVoice({ userId }: Person, now: number): void {
    if (this.facts.isBlocked) throw new AppError("FORBIDDEN", "There is a block between the two of you.");
    const until = this.#standing.mutedUntil(userId, now);
    if (until !== null) throw new AppError("FORBIDDEN", `You are muted here until ${new Date(until).toISOString()}.`);
  }

  #requirePatience(person: Person, now: number): void {
    const waitMs = this.facts.slowModeSeconds * 1000;
    if (waitMs === 0 || this.isInCharge(person)) return;
    const last = this.#lastWrote.get(person.userId) ?? this.#store.lastWroteAt(person.userId, now - waitMs) ?? 0;
    if (now - last >= waitMs) return;
    const retryAfterSeconds = Math.ceil((last + waitMs - now) / 1000);
    throw new AppError("RATE_LIMIT", `Slow mode: wait ${retryAfterSeconds} s.`, { retryAfterSeconds });
  }
}
