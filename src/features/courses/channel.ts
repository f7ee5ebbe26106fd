/** Course chat over Socket.IO (SPEC 6, 9). */
import { enterCourse, joinCourse } from "../../chat/access.ts";
import { intoRoom } from "../../chat/client.ts";
import { parseMessageId } from "../../chat/message-id.ts";
import { AppError } from "../../errors.ts";
import type { Channel } from "../../socketio/rooms/channels.ts";
import { CourseCommands, CourseParam } from "./contract.ts";

export const courseChannel: Channel = {
  id: "course",
  kind: "CHAT_ROOM",
  commands: CourseCommands,
  join: "chat:join_room",
  leave: "chat:leave_room",
  alsoJoin: ["chat:send_message"],
  failure: "chat:error",
  names: { fields: ["courseId", "course_id"], objectOfMessage: (id) => parseMessageId(id)?.roomId ?? null },
  enter: async (ctx, name, isBack) => {
    const named = CourseParam.safeParse({ courseId: name });
    if (!named.success) throw new AppError("NOT_FOUND");
    const { courseId } = named.data;
    return intoRoom(ctx, await (isBack ? enterCourse(ctx, { courseId }) : joinCourse(ctx, courseId)));
  },
};
