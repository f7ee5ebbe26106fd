/** Everything below `/admin` (SPEC 4), by noun. Role `admin` only, and each admin has a budget of calls an hour. */
import { router } from "../../http/route.ts";
import { auditRoutes } from "./audit/routes.ts";
import { adminCallRoutes } from "./calls/routes.ts";
import { adminCommentRoutes } from "./comments/routes.ts";
import { adminFileRoutes } from "./files/routes.ts";
import { adminKeyRoutes } from "./keys/routes.ts";
import { adminLiveRoutes } from "./live/routes.ts";
import { adminOutboxRoutes } from "./outbox/routes.ts";
import { adminReportRoutes } from "./reports/routes.ts";
import { adminRoomRoutes } from "./rooms/routes.ts";
import { statsRoutes } from "./stats/routes.ts";
import { adminStreamEventRoutes } from "./stream-events/routes.ts";
import { adminStreamRoutes } from "./streams/routes.ts";
import { adminUserRoutes } from "./users/routes.ts";
import { adminVideoRoutes } from "./videos/routes.ts";
import { messageHookRoutes } from "./webhooks/message-hook-routes.ts";
import { adminWebhookRoutes } from "./webhooks/routes.ts";

export const adminRoutes = router()
  .route("/", statsRoutes)
  .route("/", adminUserRoutes)
  .route("/", adminVideoRoutes)
  .route("/", adminCommentRoutes)
  .route("/", adminReportRoutes)
  .route("/", adminRoomRoutes)
  .route("/", adminStreamRoutes)
  .route("/", adminStreamEventRoutes)
  .route("/", adminCallRoutes)
  .route("/", adminFileRoutes)
  .route("/", adminLiveRoutes)
  .route("/", adminKeyRoutes)
  .route("/", adminOutboxRoutes)
  .route("/", adminWebhookRoutes)
  .route("/", messageHookRoutes)
  .route("/", auditRoutes);
