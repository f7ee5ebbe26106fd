/** Who is here, over HTTP (SPEC 12). */
import { route, router } from "../../../http/route.ts";
import { PresenceList, PresenceQuery } from "./contract.ts";
import { readPresence } from "./service.ts";

export const serverPresenceRoutes = router().openapi(
  route("get", "/server/presence", {
    who: "key:read",
    summary: "Which of these people are here",
    query: PresenceQuery,
    answers: { 200: PresenceList },
  }),
  async (c) => c.json(await readPresence(c.var.ctx, c.req.valid("query").users), 200),
);
