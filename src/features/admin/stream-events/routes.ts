/** What media servers sent, over HTTP, for admins (SPEC 7). */
import { route, router } from "../../../http/route.ts";
import { HOW_COUNTED } from "../search.ts";
import { StreamEventList, StreamEventQuery } from "./contract.ts";
import { listEvents } from "./service.ts";

export const adminStreamEventRoutes = router().openapi(
  route("get", "/admin/stream-events", {
    who: "admin",
    summary: "What media servers sent",
    description: HOW_COUNTED,
    query: StreamEventQuery,
    answers: { 200: StreamEventList },
  }),
  async (c) => c.json(await listEvents(c.var.ctx, c.req.valid("query")), 200),
);
