/** A course as a kind of chat: what its frames do. */
import type { RoomChat } from "../../chat/kinds.ts";
import type { RoomActions } from "../../chat/room-actions.ts";
import { AppError } from "../../errors.ts";
import { bindCommands } from "../../realtime/commands.ts";
import { CourseCommands } from "./contract.ts";
import { CourseDialect } from "./dialect.ts";

/** A frame that names a course must mean this one. @throws AppError NOT_FOUND */
function requireHere({ info }: RoomActions, { courseId }: { courseId?: string | undefined }): void {
  if (courseId === undefined || courseId === info.courseId) return;
  throw new AppError("NOT_FOUND", "This connection is in another course.");
}

export const courseChat: RoomChat = {
  replayFrames: 10_000,
  dialect: (roomId, { courseId }) => new CourseDialect(roomId, courseId ?? ""),
  commands: (room) =>
    bindCommands(
      CourseCommands,
      {
        "chat:join_room": (by, input) => {
          requireHere(room, input);
          return room.showOnline(by);
        },
        "chat:leave_room": (by, input) => {
          requireHere(room, input);
          room.leave(by);
        },
        "chat:send_message": (by, input) => {
          requireHere(room, input);
          const { message: content, messageType: type, ...said } = input;
          return room.say(by, { content, type, ...said });
        },
        "chat:edit_message": (by, input) => {
          requireHere(room, input);
          return room.edit(by, input.messageId, input.message);
        },
        "chat:delete_message": (by, input) => {
          requireHere(room, input);
          return room.remove(by, input.messageId);
        },
        "chat:typing_start": (by, input) => {
          requireHere(room, input);
          room.showTyping(by, true);
        },
        "chat:typing_stop": (by, input) => {
          requireHere(room, input);
          room.showTyping(by, false);
        },
        "chat:get_online_users": (by, input) => {
          requireHere(room, input);
          return room.showOnline(by);
        },
        "chat:mute_member": (by, { userId, seconds }) => room.mute(by, userId, seconds),
        "chat:unmute_member": (by, { userId }) => room.unmute(by, userId),
        event: (by, input) => {
          requireHere(room, input);
          return room.emit(by, input);
        },
      },
      { "chat:typing_start": "typing", "chat:typing_stop": "typing" },
      ["chat:send_message"],
    ),
};
