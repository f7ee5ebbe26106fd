/** Video sessions over Socket.IO (SPEC 8, 9). */
import type { Channel } from "../../socketio/rooms/channels.ts";
import { WebrtcCommands } from "./contract.ts";
import { toSession } from "./sockets.ts";

export const webrtcChannel: Channel = {
  id: "webrtc",
  kind: "WEBRTC_ROOM",
  commands: WebrtcCommands,
  join: "webrtc:join_session",
  leave: "webrtc:leave_session",
  joinsAgain: true,
  failure: "webrtc:error",
  names: { fields: ["sessionId", "session_id"] },
  enter: toSession,
};
