/** One engine, two languages: what a room has to say, in the frames of the messenger. Courses bring their own. */

import type { Person } from "../../realtime/connection-state.ts";
import type { Frame } from "../../realtime/protocol.ts";
import { ERASED_NAME } from "../users/contract.ts";
import type { RoomFacts } from "./facts.ts";
import { messageIdOf } from "./message-id.ts";
import type { Entry, Logged } from "./store.ts";

/** How a kind of room puts things. A durable frame gets its seq when it is encoded. */
export interface Vocabulary {
  /** What a message is told as, live and in a replay. */
  message(entry: Entry): Record<string, unknown>;
  logged(row: Logged): Frame;
  typing(person: Person, isTyping: boolean): Frame;
  joined(person: Person): Frame;
  left(person: Person): Frame;
  online(people: Person[]): Frame;
  /** Null where the language has no word for it. */
  read(userId: number, seq: number): Frame | null;
  changed(facts: RoomFacts): Frame | null;
  refusal(code: string, message: string): Frame | null;
}

export const iso = (ms: number): string => new Date(ms).toISOString();

export const authorOf = (entry: Entry) => ({
  id: entry.userId,
  name: entry.userId === null ? ERASED_NAME : (entry.username ?? ERASED_NAME),
  avatarUrl: entry.userId === null ? null : entry.avatarUrl,
});

const onlineUser = ({ userId, username, avatarUrl }: Person) => ({ userId, username, avatarUrl });

export class MessengerVocabulary implements Vocabulary {
  readonly #roomId: string;

  constructor(roomId: string) {
    this.#roomId = roomId;
  }

  message(entry: Entry) {
    const author = authorOf(entry);
    return {
      id: messageIdOf(this.#roomId, entry.seq),
      roomId: this.#roomId,
      seq: entry.seq,
      userId: author.id,
      username: author.name,
      avatarUrl: author.avatarUrl,
      content: entry.content,
      type: entry.type,
      fileUrl: entry.fileUrl,
      replyTo: entry.replyTo === null ? null : messageIdOf(this.#roomId, entry.replyTo),
      createdAt: iso(entry.at),
      ...(entry.editedAt === null ? {} : { editedAt: iso(entry.editedAt) }),
      ...(entry.deletedAt === null ? {} : { isDeleted: true }),
    };
  }

  logged(row: Logged): Frame {
    if (row.kind === "message") return { type: "new_message", data: this.message(row.entry) };
    if (row.kind === "edit") {
      const message = this.message(row.entry);
      return { type: "message_updated", data: { ...message, messageId: message.id } };
    }
    const messageId = messageIdOf(this.#roomId, row.target);
    if (row.kind === "deletion") {
      const data = { id: messageId, messageId, roomId: this.#roomId, deletedBy: row.userId, deletedAt: iso(row.at) };
      return { type: "message_deleted", data };
    }
    const { userId, emoji, action, count } = row;
    return { type: "reaction", data: { messageId, userId, emoji, action, count } };
  }

  typing({ userId, username }: Person, isTyping: boolean): Frame {
    return { type: "typing", data: { userId, user_id: userId, username, isTyping } };
  }

  joined(person: Person): Frame {
    return { type: "user_joined", data: onlineUser(person) };
  }

  left(person: Person): Frame {
    return { type: "user_left", data: onlineUser(person) };
  }

  online(people: Person[]): Frame {
    return { type: "online_users", data: { users: people.map(onlineUser) } };
  }

  read(userId: number, seq: number): Frame {
    return { type: "read", data: { userId, seq } };
  }

  changed({ name, ownerId, slowModeSeconds }: RoomFacts): Frame {
    return { type: "room_updated", data: { id: this.#roomId, name, ownerId, slowModeSeconds } };
  }

  refusal(): null {
    return null;
  }
}
