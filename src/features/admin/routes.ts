/** Everything below `/admin` (SPEC 4), by noun. Role `admin` only, and each admin has a budget of calls an hour. */
import { router } from "../../http/route.ts";
import { auditRoutes } from "./audit/routes.ts";
import { adminKeyRoutes } from "./keys/routes.ts";
import { adminOutboxRoutes } from "./outbox/routes.ts";
import { adminReportRoutes } from "./reports/routes.ts";
import { statsRoutes } from "./stats/routes.ts";
import { adminUserRoutes } from "./users/routes.ts";
import { adminVideoRoutes } from "./videos/routes.ts";
import { messageHookRoutes } from "./webhooks/message-hook-routes.ts";
import { adminWebhookRoutes } from "./webhooks/routes.ts";

export const adminRoutes = router()
  .route("/", statsRoutes)
  .route("/", adminUserRoutes)
  .route("/", adminVideoRoutes)
  .route("/", adminReportRoutes)
  .route("/", adminKeyRoutes)
  .route("/", adminOutboxRoutes)
  .route("/", adminWebhookRoutes)
  .route("/", messageHookRoutes)
  .route("/", auditRoutes);
