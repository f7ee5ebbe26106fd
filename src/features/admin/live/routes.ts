/** Who is connected, over HTTP, for admins (SPEC 4). */
import { Done, done, UserParam } from "../../../http/answers.ts";
import { route, router } from "../../../http/route.ts";
import { WithReason } from "../base-contract.ts";
import { Live, LiveQuery, Whereabouts } from "./contract.ts";
import { listLive, readWhereabouts, signOutUser } from "./service.ts";

export const adminLiveRoutes = router()
  .openapi(
    route("get", "/admin/live", {
      who: "admin",
      summary: "Who is connected now, and what goes on",
      description: "Reads a row of every account, room and call: read it when somebody looks, do not poll it.",
      query: LiveQuery,
      answers: { 200: Live },
    }),
    async (c) => c.json(await listLive(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route("get", "/admin/users/{id}/whereabouts", {
      who: "admin",
      summary: "Where one user is connected, by their own object",
      params: UserParam,
      answers: { 200: Whereabouts },
    }),
    async (c) => c.json(await readWhereabouts(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route("post", "/admin/users/{id}/sign-out", {
      who: "admin",
      summary: "End all sessions of a user; connections close with 4001",
      description:
        "They may sign in again. Who comes with a token of somebody else's (JWT_SHARED_SECRET, say) may come back with it.",
      params: UserParam,
      body: WithReason,
      answers: { 200: Done },
    }),
    async (c) => c.json(done(await signOutUser(c.var.ctx, c.req.valid("param").id, c.req.valid("json").reason)), 200),
  );
