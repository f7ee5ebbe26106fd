/** What wrangler.toml binds, plus the settings of config.ts (which parses them; nobody else reads them raw). */
declare namespace Cloudflare {
  interface Env {
    DB: D1Database;
    FILES: R2Bucket;
    ASSETS: Fetcher;
    USER_HUB: DurableObjectNamespace<import("./hub/hub.ts").UserHub>;
    CHAT_ROOM: DurableObjectNamespace<import("./chat/room.ts").ChatRoom>;
    STREAM_ROOM: DurableObjectNamespace<import("./features/streams/room.ts").StreamRoom>;
    STREAM_AUDIENCE: DurableObjectNamespace<import("./features/streams/audience/audience.ts").StreamAudience>;
    WEBRTC_ROOM: DurableObjectNamespace<import("./features/webrtc/room.ts").WebrtcRoom>;
    TOPIC_ROOM: DurableObjectNamespace<import("./features/server-api/topics/room.ts").TopicRoom>;
    SOCKET_GATEWAY: DurableObjectNamespace<import("./socketio/rooms/gateway.ts").SocketIoGateway>;
    WEBHOOK_SENDER: DurableObjectNamespace<import("./features/webhooks/sender.ts").WebhookSender>;
    /** Makes thumbnails, where it is bound. */
    IMAGES?: ImagesBinding;
    /** For MAIL_TRANSPORT=cloudflare. */
    EMAIL?: SendEmail;
    CF_VERSION_METADATA?: WorkerVersionMetadata;
    ENVIRONMENT?: string;
  }
}

interface Env extends Cloudflare.Env {}
