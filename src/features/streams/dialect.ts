/** What a stream's chat has to say (SPEC 7). */
import { authorOf, type Dialect, iso } from "../../chat/dialect.ts";
import type { Happening, LogEntry, Message } from "../../chat/log.ts";
import type { Frame } from "../../realtime/protocol.ts";
import type { ChatMessage } from "./chat-contract.ts";

/** May be told before anybody has said what the chat is. */
export const viewersFrame = (streamId: number, count: number): Frame => ({
  type: "stream:viewer_count",
  data: { streamId, count },
});

export class StreamDialect implements Dialect {
  readonly #streamId: number;

  constructor(streamId: number) {
    this.#streamId = streamId;
  }

  /** Sortable; as a number it is the message's seq. */
  messageId(seq: number): string {
    return String(seq).padStart(12, "0");
  }

  /** The contract lets nothing but digits through. */
  seqOf(messageId: string): number {
    return Number(messageId);
  }

  message(message: Message) {
    const author = authorOf(message);
    return {
      id: this.messageId(message.seq),
      streamId: this.#streamId,
      seq: message.seq,
      userId: author.id,
      username: author.name,
      message: message.content,
      ...(message.fileUrl !== null && { fileUrl: message.fileUrl }),
      ...(message.replyTo !== null && { replyTo: this.messageId(message.replyTo) }),
      timestamp: iso(message.at),
    } satisfies ChatMessage;
  }

  /** In a replay, the news of its deletion stands in a message's place. */
  said(message: Message): Frame {
    if (message.deletedAt !== null) return this.#deletion(message.seq);
    return { type: "chat_message", data: this.message(message) };
  }

  deleted({ target }: LogEntry & { kind: "deletion" }): Frame {
    return this.#deletion(target);
  }

  #deletion(seq: number): Frame {
    return this.#frame("chat_message_deleted", { messageId: this.messageId(seq) });
  }

  happened({ name, data, userId }: Happening): Frame {
    return { type: "event", data: { name, data, userId, roomId: this.#streamId } };
  }

  muted(userId: number, until: string | null): Frame {
    return this.#frame("chat_muted", { userId, until });
  }

  slowMode(seconds: number): Frame {
    return this.#frame("chat_slow_mode", { seconds });
  }

  refused(): null {
    return null;
  }

  #frame(type: string, data: object): Frame {
    return { type, data: { streamId: this.#streamId, ...data } };
  }
}
