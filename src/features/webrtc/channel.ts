/** Video sessions over Socket.IO (SPEC 8, 9). */
import type { Channel } from "../socketio/channel.ts";
import { WebrtcCommands } from "./contract.ts";
import { toSession } from "./sockets.ts";

export const webrtcChannel: Channel = {
  id: "webrtc",
  place: "WEBRTC_ROOM",
  commands: WebrtcCommands,
  join: "webrtc:join_session",
  leave: "webrtc:leave_session",
  joinsAgain: true,
  failure: "webrtc:error",
  names: { fields: ["sessionId"] },
  enter: toSession,
};
