/** The Worker's entry. */
import { app } from "./app.ts";
import { runCron } from "./cron.ts";

export { ChatRoom } from "./chat/room.ts";
export { TopicRoom } from "./features/server-api/topics/room.ts";
export { StreamAudience } from "./features/streams/audience/audience.ts";
export { StreamRoom } from "./features/streams/room.ts";
export { WebhookSender } from "./features/webhooks/sender.ts";
export { WebrtcRoom } from "./features/webrtc/room.ts";
export { UserHub } from "./hub/hub.ts";
export { SocketIoGateway } from "./socketio/rooms/gateway.ts";

export default {
  fetch: app.fetch,
  scheduled: (_controller, env, ctx) => runCron(env, ctx),
} satisfies ExportedHandler<Env>;
