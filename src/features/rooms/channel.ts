/** The messenger's rooms over Socket.IO (SPEC 5, 9). */
import { enterRoom, joinRoom } from "../../chat/access.ts";
import { intoRoom } from "../../chat/client.ts";
import { parseMessageId } from "../../chat/message-id.ts";
import type { Channel } from "../../socketio/rooms/channels.ts";
import { RoomCommands } from "./contract.ts";

export const roomChannel: Channel = {
  id: "room",
  kind: "CHAT_ROOM",
  commands: RoomCommands,
  join: "join_room",
  leave: "leave_room",
  alsoJoin: ["send_message"],
  failure: "error",
  names: { fields: ["roomId", "room_id"], objectOfMessage: (id) => parseMessageId(id)?.roomId ?? null },
  enter: async (ctx, name, isBack) => intoRoom(ctx, await (isBack ? enterRoom : joinRoom)(ctx, name)),
};
