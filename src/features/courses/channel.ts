/** Course chat over Socket.IO (SPEC 6, 9). */
import { enterCourse } from "../../chat/access.ts";
import { intoRoom } from "../../chat/client.ts";
import { parseMessageId } from "../../chat/message-id.ts";
import type { Channel } from "../../socketio/rooms/channels.ts";
import { CourseCommands } from "./contract.ts";

export const courseChannel: Channel = {
  id: "course",
  kind: "CHAT_ROOM",
  commands: CourseCommands,
  join: "chat:join_room",
  leave: "chat:leave_room",
  alsoJoin: ["chat:send_message"],
  failure: "chat:error",
  names: { fields: ["courseId", "course_id"], objectOfMessage: (id) => parseMessageId(id)?.roomId ?? null },
  enter: async (ctx, courseId) => intoRoom(ctx, await enterCourse(ctx, { courseId })),
};
