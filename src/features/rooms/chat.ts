/** Groups and private rooms as a kind of chat: what their frames do. */
import type { RoomChat } from "../../chat/kinds.ts";
import { bindCommands } from "../../realtime/commands.ts";
import { notifyMentioned } from "../notifications/service.ts";
import { RoomCommands } from "./contract.ts";
import { MessengerDialect } from "./dialect.ts";

export const messengerChat: RoomChat = {
  replayFrames: 10_000,
  inbox: { notifyMentioned },
  dialect: (roomId, { publicId }) => new MessengerDialect(roomId, publicId ?? roomId),
  commands: (room) =>
    bindCommands(
      RoomCommands,
      {
        send_message: (by, said) => room.say(by, said),
        edit_message: (by, { messageId, content }) => room.edit(by, messageId, content),
        delete_message: (by, { messageId }) => room.remove(by, messageId),
        reaction: (by, { messageId, emoji, action }) => room.react(by, messageId, emoji, action),
        typing: (by, { isTyping }) => room.showTyping(by, isTyping),
        read: (by, { seq }) => room.markRead(by, seq),
        mute_member: (by, { userId, seconds }) => room.mute(by, userId, seconds),
        unmute_member: (by, { userId }) => room.unmute(by, userId),
        event: (by, event) => room.emit(by, event),
      },
      { typing: "typing" },
      ["send_message"],
    ),
};
