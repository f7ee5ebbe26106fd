/** Deliveries that were put aside, over HTTP, for admins (SPEC 4). */
import { Done, done, IdParam } from "../../../http/answers.ts";
import { route, router } from "../../../http/route.ts";
import { WithReason } from "../base-contract.ts";
import { ParkedList, ParkedQuery } from "./contract.ts";
import { discardParked, listParked, retryParked } from "./service.ts";

const answers = { 200: Done };

export const adminOutboxRoutes = router()
  .openapi(
    route("get", "/admin/outbox/parked", {
      who: "admin",
      summary: "Deliveries that failed time after time, oldest first",
      query: ParkedQuery,
      answers: { 200: ParkedList },
    }),
    async (c) => c.json(await listParked(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route("post", "/admin/outbox/parked/{id}/retry", {
      who: "admin",
      summary: "Deliver again, after all that was told since",
      params: IdParam,
      answers,
    }),
    async (c) => c.json(done(await retryParked(c.var.ctx, c.req.valid("param").id)), 200),
  )
  .openapi(
    route("delete", "/admin/outbox/parked/{id}", {
      who: "admin",
      summary: "Give a delivery up",
      params: IdParam,
      body: WithReason,
      answers,
    }),
    async (c) => c.json(done(await discardParked(c.var.ctx, c.req.valid("param").id, c.req.valid("json").reason)), 200),
  );
