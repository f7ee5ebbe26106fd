/** One engine, several dialects: how a kind of chat puts what it has to say into frames. */
import { ERASED_NAME } from "../auth/user-names.ts";
import type { Person } from "../realtime/connection-state.ts";
import type { Frame } from "../realtime/protocol.ts";
import type { RoomInfo } from "./info.ts";
import type { Happening, LogEntry, Message } from "./log.ts";

/** What a kind of chat has no command for, its dialect has no word for. Null: nothing is sent. */
export interface Dialect {
  /** A message's id as clients have it, and back. Null: no message of this room was ever called so. */
  messageId(seq: number): string;
  seqOf(messageId: string): number | null;
  /** What a message is told as, live and in a replay. */
  message(message: Message): Record<string, unknown>;
  said(message: Message): Frame;
  edited?(message: Message): Frame;
  deleted(entry: LogEntry & { kind: "deletion" }): Frame;
  reacted?(entry: LogEntry & { kind: "reaction" }): Frame;
  /** A product's own event. */
  happened(event: Happening): Frame;
  /** A member's notice of their own mute, or that it was lifted (null). */
  muted(userId: number, until: string | null): Frame | null;
  /** Told to one whose frame without an id was refused. */
  refused(code: string, message: string): Frame | null;
}

/** What a chat with members has to say of them, too. */
export interface RoomDialect extends Dialect {
  typing(person: Person, isTyping: boolean): Frame;
  joined(person: Person): Frame;
  left(person: Person): Frame;
  online(people: Person[], count: number): Frame;
  /** A crowd's news: some of those who came and went. */
  presence(count: number, joined: Person[], left: number[]): Frame;
  read(userId: number, seq: number): Frame | null;
  /** The room's name, owner or slow mode changed. */
  changed(info: RoomInfo): Frame | null;
}

/** A message as readers get it: the log keeps no signed link. */
export type Shown = (message: Message) => Message;

/** An entry of the log, live and replayed; it gets its seq when it is encoded. */
export function frameOf(dialect: Dialect, entry: LogEntry, shown: Shown): Frame {
  switch (entry.kind) {
    case "message":
      return dialect.said(shown(entry.message));
    case "deletion":
      return dialect.deleted(entry);
    case "event":
      return dialect.happened(entry);
    case "notice":
      return { type: entry.type, data: entry.data };
    case "edit":
      if (dialect.edited) return dialect.edited(shown(entry.message));
      break;
    case "reaction":
      if (dialect.reacted) return dialect.reacted(entry);
  }
  throw new Error(`This chat has no word for ${entry.kind} ${entry.seq}`);
}

export const iso = (ms: number): string => new Date(ms).toISOString();

/** Whose the messages are that no user has sent. Nobody can register it, as it has a space. */
export const SYSTEM_NAME = "The system";
/** What the system alone, and who runs a room, may send. */
export const OFFICIAL_TYPES: ReadonlySet<string> = new Set(["system", "announcement"]);

/** A message's author as others see them. Of an official one without a user, it is the system. */
export const authorOf = ({ userId, username, avatarUrl, type }: Message) => ({
  id: userId,
  name: userId === null && OFFICIAL_TYPES.has(type) ? SYSTEM_NAME : (userId && username) || ERASED_NAME,
  avatarUrl: userId === null ? null : avatarUrl,
});

/** What every dialect of rooms says of a message's later life, besides its own keys. */
export const lifeOf = ({ editedAt, deletedAt }: Message) => ({
  ...(editedAt === null ? {} : { editedAt: iso(editedAt) }),
  ...(deletedAt === null ? {} : { isDeleted: true }),
});
