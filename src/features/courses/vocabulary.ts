/** What a course room has to say, in `chat:*` frames. */

import type { Person } from "../../realtime/connection-state.ts";
import type { Frame } from "../../realtime/protocol.ts";
import { messageIdOf } from "../rooms/message-id.ts";
import type { Entry, Logged } from "../rooms/store.ts";
import { authorOf, iso, type Vocabulary } from "../rooms/vocabulary.ts";

const onlineUser = ({ userId, username, avatarUrl }: Person) => ({ userId, userName: username, avatarUrl });

export class CourseVocabulary implements Vocabulary {
  readonly #roomId: string;
  readonly #courseId: string;

  constructor(roomId: string, courseId: string) {
    this.#roomId = roomId;
    this.#courseId = courseId;
  }

  message(entry: Entry) {
    const author = authorOf(entry);
    return {
      id: messageIdOf(this.#roomId, entry.seq),
      courseId: this.#courseId,
      seq: entry.seq,
      userId: author.id,
      userName: author.name,
      avatarUrl: author.avatarUrl,
      message: entry.content,
      messageType: entry.type,
      fileUrl: entry.fileUrl,
      replyTo: entry.replyTo === null ? null : messageIdOf(this.#roomId, entry.replyTo),
      createdAt: iso(entry.at),
      ...(entry.editedAt === null ? {} : { editedAt: iso(entry.editedAt) }),
      ...(entry.deletedAt === null ? {} : { isDeleted: true }),
    };
  }

  logged(row: Logged): Frame {
    if (row.kind === "message") return { type: "chat:new_message", data: this.message(row.entry) };
    if (row.kind === "edit") {
      const message = this.message(row.entry);
      return { type: "chat:message_updated", data: { ...message, messageId: message.id } };
    }
    const messageId = messageIdOf(this.#roomId, row.target);
    const courseId = this.#courseId;
    if (row.kind === "deletion") {
      const data = { id: messageId, messageId, courseId, deletedBy: row.userId, deletedAt: iso(row.at) };
      return { type: "chat:message_deleted", data };
    }
    const { userId, emoji, action, count } = row;
    return { type: "chat:reaction", data: { courseId, messageId, userId, emoji, action, count } };
  }

  typing({ userId, username }: Person, isTyping: boolean): Frame {
    return { type: "chat:user_typing", data: { courseId: this.#courseId, userId, userName: username, isTyping } };
  }

  joined(person: Person): Frame {
    return { type: "chat:user_joined", data: { courseId: this.#courseId, ...onlineUser(person) } };
  }

  left(person: Person): Frame {
    return { type: "chat:user_left", data: { courseId: this.#courseId, ...onlineUser(person) } };
  }

  online(people: Person[]): Frame {
    return { type: "chat:online_users", data: { courseId: this.#courseId, users: people.map(onlineUser) } };
  }

  read(): null {
    return null;
  }

  changed(): null {
    return null;
  }

  refusal(code: string, message: string): Frame {
    return { type: "chat:error", data: { code, message } };
  }
}
