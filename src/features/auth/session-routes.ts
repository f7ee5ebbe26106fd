/** Where one is signed in, over HTTP (SPEC 13). */
import { Done, done } from "../../http/answers.ts";
import { route, router } from "../../http/route.ts";
import { SessionParam, Sessions } from "./contract.ts";
import { listSessions, revokeOtherSessions, revokeSession } from "./sessions.ts";

export const sessionRoutes = router()
  .openapi(
    route("get", "/auth/sessions", {
      who: "user",
      summary: "Where I am signed in",
      description:
        "The last used first, up to 100. A token of an outside identity provider, or of the product's own backend, is no session here and not listed.",
      answers: { 200: Sessions },
    }),
    async (c) => c.json({ sessions: await listSessions(c.var.ctx) }, 200),
  )
  .openapi(
    route("delete", "/auth/sessions/{id}", {
      who: "user",
      summary: "End one of my sessions",
      description: "Its token is dead from the next request on; its sockets close with 4001.",
      params: SessionParam,
      answers: { 200: Done },
    }),
    async (c) => {
      await revokeSession(c.var.ctx, c.req.valid("param").id);
      return c.json(done("Session ended"), 200);
    },
  )
  .openapi(
    route("post", "/auth/sessions/revoke-others", {
      who: "user",
      summary: "End all my other sessions",
      description: "Their tokens are dead from the next request on; their sockets close with 4001.",
      answers: { 200: Done },
    }),
    async (c) => {
      await revokeOtherSessions(c.var.ctx);
      return c.json(done("All other sessions ended"), 200);
    },
  );
