/** The audit, over HTTP (SPEC 4). */
import { route, router } from "../../../http/route.ts";
import { HOW_COUNTED } from "../search.ts";
import { AuditList, AuditQuery } from "./contract.ts";
import { listAudit } from "./service.ts";

export const auditRoutes = router().openapi(
  route("get", "/admin/audit", {
    who: "admin",
    summary: "What admins, moderators and the product's backend did by their right, newest first",
    description: `A search: ${HOW_COUNTED}`,
    query: AuditQuery,
    answers: { 200: AuditList },
  }),
  async (c) => c.json(await listAudit(c.var.ctx, c.req.valid("query")), 200),
);
