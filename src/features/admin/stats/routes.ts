/** The admin's figures over HTTP (SPEC 4). The dashboard polls these. */
import { route, router } from "../../../http/route.ts";
import { Charts, Overview, RecentActivity, RecentQuery } from "./contract.ts";
import { readCharts, readOverview, readRecentActivity } from "./service.ts";

export const statsRoutes = router()
  .openapi(
    route("get", "/admin/stats/overview", { who: "admin", summary: "Totals and today", answers: { 200: Overview } }),
    async (c) => c.json(await readOverview(c.var.ctx), 200),
  )
  .openapi(
    route("get", "/admin/stats/charts", { who: "admin", summary: "The last 7 days", answers: { 200: Charts } }),
    async (c) => c.json(await readCharts(c.var.ctx), 200),
  )
  .openapi(
    route("get", "/admin/stats/recent-activity", {
      who: "admin",
      summary: "The newest users, videos and reports",
      query: RecentQuery,
      answers: { 200: RecentActivity },
    }),
    async (c) => c.json(await readRecentActivity(c.var.ctx, c.req.valid("query").limit), 200),
  );
