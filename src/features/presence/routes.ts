/** Presence over HTTP (SPEC 3). */
import { UserParam } from "../../http/answers.ts";
import { route, router } from "../../http/route.ts";
import { UserStatus } from "./contract.ts";
import { readStatus } from "./service.ts";

export const presenceRoutes = router().openapi(
  route("get", "/users/{id}/status", {
    who: "user",
    summary: "Whether somebody is here",
    params: UserParam,
    answers: { 200: UserStatus },
  }),
  async (c) => c.json(await readStatus(c.var.ctx, c.req.valid("param").id), 200),
);
