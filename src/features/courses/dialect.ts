/** What a course room has to say, in `chat:*` frames (SPEC 6). */
import { authorOf, iso, lifeOf, type RoomDialect } from "../../chat/dialect.ts";
import type { Happening, LogEntry, Message } from "../../chat/log.ts";
import { messageIdOf, parseMessageId } from "../../chat/message-id.ts";
import type { Person } from "../../realtime/connection-state.ts";
import type { Frame } from "../../realtime/protocol.ts";

const shown = ({ userId, username, avatarUrl }: Person) => ({ userId, userName: username, avatarUrl });

export class CourseDialect implements RoomDialect {
  readonly #roomId: string;
  readonly #courseId: string;

  constructor(roomId: string, courseId: string) {
    this.#roomId = roomId;
    this.#courseId = courseId;
  }

  messageId(seq: number): string {
    return messageIdOf(this.#roomId, seq);
  }

  seqOf(messageId: string): number | null {
    const parsed = parseMessageId(messageId);
    return parsed?.roomId === this.#roomId ? parsed.seq : null;
  }

  message(message: Message) {
    const author = authorOf(message);
    return {
      id: this.messageId(message.seq),
      courseId: this.#courseId,
      seq: message.seq,
      userId: author.id,
      userName: author.name,
      avatarUrl: author.avatarUrl,
      message: message.content,
      messageType: message.type,
      fileUrl: message.fileUrl,
      replyTo: message.replyTo === null ? null : this.messageId(message.replyTo),
      createdAt: iso(message.at),
      ...lifeOf(message),
    };
  }

  said(message: Message): Frame {
    return { type: "chat:new_message", data: this.message(message) };
  }

  edited(message: Message): Frame {
    return this.#frame("chat:message_updated", { ...this.message(message), messageId: this.messageId(message.seq) });
  }

  deleted({ target, userId, at }: LogEntry & { kind: "deletion" }): Frame {
    const id = this.messageId(target);
    return this.#frame("chat:message_deleted", { id, messageId: id, deletedBy: userId, deletedAt: iso(at) });
  }

  happened({ name, data, userId }: Happening): Frame {
    return { type: "event", data: { name, data, userId, roomId: this.#courseId } };
  }

  typing({ userId, username }: Person, isTyping: boolean): Frame {
    return this.#frame("chat:user_typing", { userId, userName: username, isTyping });
  }

  joined(person: Person): Frame {
    return this.#frame("chat:user_joined", shown(person));
  }

  left(person: Person): Frame {
    return this.#frame("chat:user_left", shown(person));
  }

  online(people: Person[], count: number): Frame {
    return this.#frame("chat:online_users", { users: people.map(shown), count });
  }

  presence(count: number, joined: Person[], left: number[]): Frame {
    return this.#frame("chat:presence", { count, joined: joined.map(shown), left });
  }

  read(): null {
    return null;
  }

  changed(): null {
    return null;
  }

  muted(): null {
    return null;
  }

  refused(code: string, message: string): Frame {
    return { type: "chat:error", data: { code, message } };
  }

  #frame(type: string, data: object): Frame {
    return { type, data: { courseId: this.#courseId, ...data } };
  }
}
