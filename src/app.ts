/** Table of contents: middleware in order, one line per feature, the error handler. */

import { SOCKETS, TAGS, WEBHOOKS } from "./contract.ts";
import { AppError } from "./errors.ts";
import { adminRoutes } from "./features/admin/routes.ts";
import { emailRoutes } from "./features/auth/email-routes.ts";
import { exportRoutes } from "./features/auth/export-routes.ts";
import { oidcRoutes } from "./features/auth/oidc/routes.ts";
import { authRoutes } from "./features/auth/routes.ts";
import { sessionRoutes } from "./features/auth/session-routes.ts";
import { commentRoutes } from "./features/comments/routes.ts";
import { courseRoutes } from "./features/courses/routes.ts";
import { courseSockets } from "./features/courses/sockets.ts";
import { fileRoutes } from "./features/files/routes.ts";
import { tusHeaders, tusRoutes } from "./features/files/tus/routes.ts";
import { mailRoutes } from "./features/mail/routes.ts";
import { messageRoutes } from "./features/messages/routes.ts";
import { notificationRoutes } from "./features/notifications/routes.ts";
import { presenceRoutes } from "./features/presence/routes.ts";
import { pushRoutes } from "./features/push/routes.ts";
import { reportRoutes } from "./features/reports/routes.ts";
import { roomMessageRoutes } from "./features/rooms/message-routes.ts";
import { roomRoutes } from "./features/rooms/routes.ts";
import { messengerSockets, roomSockets } from "./features/rooms/sockets.ts";
import { serverRoutes } from "./features/server-api/routes.ts";
import { topicSockets } from "./features/server-api/topics/sockets.ts";
import { socialRoutes } from "./features/social/routes.ts";
import { streamChatRoutes } from "./features/streams/chat-routes.ts";
import { streamRoutes } from "./features/streams/routes.ts";
import { streamSockets } from "./features/streams/sockets.ts";
import { webhookRoutes } from "./features/streams/webhook/routes.ts";
import { userRoutes } from "./features/users/routes.ts";
import { userSockets } from "./features/users/sockets.ts";
import { videoRoutes, videoUploads } from "./features/videos/routes.ts";
import { vodRoutes } from "./features/vod/routes.ts";
import { webrtcRoutes } from "./features/webrtc/routes.ts";
import { webrtcSockets } from "./features/webrtc/sockets.ts";
import { signIn } from "./http/caller.ts";
import { docsRoutes } from "./http/docs.ts";
import { drainBody } from "./http/drain.ts";
import { answerFailure } from "./http/failures.ts";
import { apiHeaders, begin, crossOrigin, limitBody, limitWrites, privateByDefault } from "./http/middleware.ts";
import { router } from "./http/route.ts";
import { serviceRoutes } from "./http/service-routes.ts";
import { socketIoRoutes } from "./socketio/rooms/routes.ts";
import "./wiring.ts";

export const app = router();
app.onError(answerFailure);
app.notFound(() => {
  throw new AppError("NOT_FOUND", "There is no such path.");
});

app.use(begin, drainBody);

// Sockets come before the middleware that sets headers: those of a 101 answer are immutable.
app.route("/socket.io", socketIoRoutes);
app.route("/api/v1", userSockets);
app.route("/api/v1", streamSockets);
app.route("/", streamSockets);
app.route("/api/v1", webrtcSockets);
app.route("/api/v1", messengerSockets).route("/", messengerSockets);
app.route("/api/v1", roomSockets);
app.route("/api/v1", courseSockets);
app.route("/api/v1", topicSockets);

// Media servers come before CORS and sign-in: what a publisher wrote into the address is no token.
app.route("/api/v1", webhookRoutes);
app.route("/", webhookRoutes);

app.use("/api/v1/files/tus/*", tusHeaders);
app.use(crossOrigin, apiHeaders, privateByDefault);
app.route("/", serviceRoutes);
app.route("/", mailRoutes);
app.route(
  "/api/v1",
  docsRoutes(() => ({ api, tags: TAGS, sockets: SOCKETS, webhooks: WEBHOOKS })),
);
app.use(limitBody, signIn, limitWrites);

/** The REST API. Its type is what the client is made from. */
export const api = router()
  .route("/", authRoutes)
  .route("/", emailRoutes)
  .route("/", sessionRoutes)
  .route("/", oidcRoutes)
  .route("/", exportRoutes)
  .route("/", messageRoutes)
  .route("/", notificationRoutes)
  .route("/", pushRoutes)
  .route("/", userRoutes)
  .route("/", presenceRoutes)
  .route("/", socialRoutes)
  .route("/", videoRoutes)
  .route("/", commentRoutes)
  .route("/", reportRoutes)
  .route("/", webrtcRoutes)
  // Before the files, whose folders would take its paths.
  .route("/", tusRoutes)
  .route("/", fileRoutes)
  .route("/", roomRoutes)
  .route("/", roomMessageRoutes)
  .route("/", courseRoutes)
  .route("/", streamRoutes)
  .route("/", streamChatRoutes)
  // Answered above already; here it is described.
  .route("/", webhookRoutes)
  .route("/", vodRoutes)
  .route("/", adminRoutes)
  .route("/", serverRoutes);

app.route("/api/v1", videoUploads);
app.route("/api/v1", api);
// The livestream paths answer without the prefix, too (SPEC 0).
app.route("/", streamRoutes);
app.route("/", streamChatRoutes);
app.route("/", vodRoutes);
