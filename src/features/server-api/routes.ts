/** Everything below `/server` (SPEC 12), by noun. By keys alone, each with the scope that a route names. */
import { router } from "../../http/route.ts";
import { serverTokenRoutes } from "./tokens/routes.ts";
import { serverUserRoutes } from "./users/routes.ts";

export const serverRoutes = router().route("/", serverUserRoutes).route("/", serverTokenRoutes);
