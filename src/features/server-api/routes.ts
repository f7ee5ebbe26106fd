/** Everything below `/server` (SPEC 12), by noun. By keys alone, each with the scope that a route names. */
import { router } from "../../http/route.ts";
import { serverPresenceRoutes } from "./presence/routes.ts";
import { serverPublishRoutes } from "./publish/routes.ts";
import { serverRoomRoutes } from "./rooms/routes.ts";
import { serverTokenRoutes } from "./tokens/routes.ts";
import { serverTopicRoutes } from "./topics/routes.ts";
import { serverUserRoutes } from "./users/routes.ts";

export const serverRoutes = router()
  .route("/", serverUserRoutes)
  .route("/", serverTokenRoutes)
  .route("/", serverPublishRoutes)
  .route("/", serverTopicRoutes)
  .route("/", serverRoomRoutes)
  .route("/", serverPresenceRoutes);
