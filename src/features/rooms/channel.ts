/** The messenger's rooms over Socket.IO (SPEC 5, 9). */
import type { Channel } from "../../socketio/rooms/channels.ts";
import { enterRoom } from "./access.ts";
import { RoomCommands } from "./contract.ts";
import { parseMessageId } from "./message-id.ts";
import { intoRoom } from "./sockets.ts";

export const roomChannel: Channel = {
  id: "room",
  kind: "CHAT_ROOM",
  commands: RoomCommands,
  join: "join_room",
  leave: "leave_room",
  alsoJoin: ["send_message"],
  failure: "error",
  names: { fields: ["roomId", "room_id"], objectOfMessage: (id) => parseMessageId(id)?.roomId ?? null },
  enter: async (ctx, roomId) => intoRoom(ctx, await enterRoom(ctx, roomId)),
};
