/** A stream's chat over Socket.IO (SPEC 7, 9). */
import type { Channel } from "../../socketio/rooms/channels.ts";
import { StreamCommands } from "./chat-contract.ts";
import { toStream } from "./sockets.ts";

export const streamChannel: Channel = {
  id: "stream",
  kind: "STREAM_ROOM",
  commands: StreamCommands,
  join: "join_stream",
  leave: "leave_stream",
  alsoJoin: ["chat_message"],
  failure: "error",
  names: { fields: ["streamId", "stream_id"] },
  enter: (ctx, name) => toStream(ctx, name),
};
