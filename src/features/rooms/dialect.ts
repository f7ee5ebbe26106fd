/** What a group or private room has to say, in the messenger's frames (SPEC 5). */
import { authorOf, iso, lifeOf, type RoomDialect } from "../../chat/dialect.ts";
import type { RoomInfo } from "../../chat/info.ts";
import type { Happening, LogEntry, Message } from "../../chat/log.ts";
import { messageIdOf, parseMessageId } from "../../chat/message-id.ts";
import type { Person } from "../../realtime/connection-state.ts";
import type { Frame } from "../../realtime/protocol.ts";

/** Keys that the messenger's own clients read in the other case (SPEC 14). */
const TWINS = Object.entries({ userId: "user_id", roomId: "room_id", messageId: "message_id" });

/** With each of these keys in both cases. By plain assignment, since every message passes here: no client names a key. */
function withTwins(data: object): Record<string, unknown> {
  const twins: Record<string, unknown> = { ...data };
  for (const [key, twin] of TWINS) if (key in twins) twins[twin] = twins[key];
  return twins;
}

const shown = ({ userId, username, avatarUrl }: Person) => withTwins({ userId, username, avatarUrl });

export class MessengerDialect implements RoomDialect {
  readonly #roomId: string;
  readonly #publicId: string;

  /** `publicId`: what clients call the room. */
  constructor(roomId: string, publicId: string) {
    this.#roomId = roomId;
    this.#publicId = publicId;
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
      roomId: this.#publicId,
      seq: message.seq,
      userId: author.id,
      username: author.name,
      avatarUrl: author.avatarUrl,
      content: message.content,
      type: message.type,
      fileUrl: message.fileUrl,
      replyTo: message.replyTo === null ? null : this.messageId(message.replyTo),
      createdAt: iso(message.at),
      ...lifeOf(message),
    };
  }

  /** In frames a message is named as clients name it in theirs, too. */
  #named(message: Message) {
    const data = this.message(message);
    return { ...data, messageId: data.id };
  }

  said(message: Message): Frame {
    return { type: "new_message", data: withTwins(this.#named(message)) };
  }

  edited(message: Message): Frame {
    return this.#frame("message_updated", this.#named(message));
  }

  deleted({ target, userId, at }: LogEntry & { kind: "deletion" }): Frame {
    const id = this.messageId(target);
    return this.#frame("message_deleted", { id, messageId: id, deletedBy: userId, deletedAt: iso(at) });
  }

  reacted({ target, userId, emoji, action, count }: LogEntry & { kind: "reaction" }): Frame {
    return this.#frame("reaction", { messageId: this.messageId(target), userId, emoji, action, count });
  }

  happened({ name, data, userId }: Happening): Frame {
    return this.#frame("event", { name, data, userId });
  }

  typing({ userId, username }: Person, isTyping: boolean): Frame {
    return this.#frame("typing", { userId, username, isTyping });
  }

  joined(person: Person): Frame {
    return this.#frame("user_joined", shown(person));
  }

  left(person: Person): Frame {
    return this.#frame("user_left", shown(person));
  }

  online(people: Person[], count: number): Frame {
    return this.#frame("online_users", { users: people.map(shown), count });
  }

  presence(count: number, joined: Person[], left: number[]): Frame {
    return this.#frame("presence", { count, joined: joined.map(shown), left });
  }

  read(userId: number, seq: number): Frame {
    return this.#frame("read", { userId, seq });
  }

  changed({ name, ownerId, joinPolicy = "members", slowModeSeconds }: RoomInfo): Frame {
    return this.#frame("room_updated", { id: this.#publicId, name, ownerId, joinPolicy, slowModeSeconds });
  }

  muted(): null {
    return null;
  }

  refused(): null {
    return null;
  }

  #frame(type: string, data: object): Frame {
    return { type, data: withTwins({ roomId: this.#publicId, ...data }) };
  }
}
