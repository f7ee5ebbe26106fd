/** A stream as a kind of chat: what its frames do. */
import { ChatActions, type ChatHost } from "../../chat/actions.ts";
import type { Conversation } from "../../chat/conversation.ts";
import type { ChatKind } from "../../chat/kinds.ts";
import type { Message } from "../../chat/log.ts";
import type { Moderation } from "../../chat/moderation.ts";
import { AppError } from "../../errors.ts";
import type { MaybePromise } from "../../platform/promise.ts";
import { bindCommands, type CommandContext } from "../../realtime/commands.ts";
import type { Frame } from "../../realtime/protocol.ts";
import { StreamCommands } from "./chat-contract.ts";
import { StreamDialect } from "./dialect.ts";

type StreamHost = ChatHost<StreamDialect> & {
  readonly streamId: number;
  /** Logs the room's own news, and tells it everybody. */
  announce(frame: Frame, now: number): void;
};

export class StreamActions extends ChatActions<StreamDialect> {
  readonly #room: StreamHost;

  constructor(conversation: Conversation, moderation: Moderation, room: StreamHost) {
    super(conversation, moderation, room);
    this.#room = room;
  }

  /** A frame that names a stream must mean this one. @throws AppError INVALID_MESSAGE */
  requireHere({ streamId }: { streamId?: number | undefined }): void {
    if (streamId === undefined || streamId === this.#room.streamId) return;
    throw new AppError("INVALID_MESSAGE", "This is another stream's room.");
  }

  protected override repeated(message: Message): unknown {
    if (message.deletedAt !== null) throw new AppError("FORBIDDEN", "This message was deleted.");
    return super.repeated(message);
  }

  /** For whoever runs the chat alone, not for authors. Deleting again changes and sends nothing. */
  override remove(by: CommandContext, messageId: string): MaybePromise<{ messageId: string }> {
    this.moderation.requireInCharge(by.person);
    const seq = this.seqOf(messageId);
    const id = this.host.dialect.messageId(seq);
    return this.conversation.wasDeleted(seq) ? { messageId: id } : super.remove(by, id);
  }

  /** @throws AppError FORBIDDEN for anybody but the owner and moderators */
  slowDown(by: CommandContext, seconds: number): { seconds: number } {
    this.moderation.requireInCharge(by.person);
    const { info } = this;
    const before = info.slowModeSeconds;
    if (seconds !== before) {
      this.moderation.learn({ ...info, version: info.version + 1, slowModeSeconds: seconds });
      this.host.roleActs.note(by, "update", { slowModeSeconds: seconds, before });
      this.#room.announce(this.host.dialect.slowMode(seconds), by.now);
    }
    return { seconds };
  }
}

const muteState = ({ userId, mutedUntil }: { userId: number; mutedUntil: string | null }) => ({
  userId,
  until: mutedUntil,
});

export const streamChat: ChatKind<StreamDialect, StreamActions> = {
  // Thousands may come back at once.
  replayFrames: 2000,
  dialect: (streamId) => new StreamDialect(Number(streamId)),
  commands: (chat) =>
    bindCommands(
      StreamCommands,
      {
        join_stream: (_by, input) => chat.requireHere(input),
        leave_stream: (by, input) => {
          chat.requireHere(input);
          chat.leave(by);
        },
        chat_message: (by, input) => {
          chat.requireHere(input);
          const { message: content, fileId, fileUrl, replyTo = null, clientMessageId } = input;
          return chat.say(by, { content, fileId, fileUrl, replyTo, clientMessageId });
        },
        chat_delete: (by, { messageId }) => chat.remove(by, messageId),
        chat_mute: async (by, { userId, seconds }) => muteState(await chat.mute(by, userId, seconds)),
        chat_unmute: async (by, { userId }) => muteState(await chat.unmute(by, userId)),
        chat_slow_mode: (by, { seconds }) => chat.slowDown(by, seconds),
        event: (by, input) => {
          chat.requireHere(input);
          return chat.emit(by, input);
        },
      },
      {},
      ["chat_message"],
    ),
};
