/** Reports, over HTTP, for admins (SPEC 4). */
import { Done, done, IdParam } from "../../../http/answers.ts";
import { route, router } from "../../../http/route.ts";
import { BulkDone, WithReason } from "../base-contract.ts";
import { rejectReport, resolveReport, resolveReports } from "./actions.ts";
import { BulkResolve, ReportDetails, ReportList, ReportListQuery, Resolve } from "./contract.ts";
import { listReports, readReport } from "./service.ts";

export const adminReportRoutes = router()
  .openapi(
    route("get", "/admin/reports", {
      who: "admin",
      summary: "Reports",
      query: ReportListQuery,
      answers: { 200: ReportList },
    }),
    async (c) => c.json(await listReports(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route("get", "/admin/reports/{id}", {
      who: "admin",
      summary: "One report, with its target",
      params: IdParam,
      answers: { 200: ReportDetails },
    }),
    async (c) => c.json(await readReport(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route("post", "/admin/reports/{id}/resolve", {
      who: "admin",
      summary: "Resolve; the reporter is told the result",
      params: IdParam,
      body: Resolve,
      bodyInQuery: ["result"],
      answers: { 200: Done },
    }),
    async (c) => c.json(done(await resolveReport(c.var.ctx, c.req.valid("param").id, c.req.valid("json").result)), 200),
  )
  .openapi(
    route("post", "/admin/reports/{id}/reject", {
      who: "admin",
      summary: "Reject; the reporter is told the reason",
      params: IdParam,
      body: WithReason,
      bodyInQuery: ["reason"],
      answers: { 200: Done },
    }),
    async (c) => c.json(done(await rejectReport(c.var.ctx, c.req.valid("param").id, c.req.valid("json").reason)), 200),
  )
  .openapi(
    route("post", "/admin/reports/bulk-resolve", {
      who: "admin",
      summary: "Resolve up to 100",
      body: BulkResolve,
      bodyInQuery: ["result"],
      answers: { 200: BulkDone },
    }),
    async (c) => {
      const { report_ids, result } = c.req.valid("json");
      return c.json(await resolveReports(c.var.ctx, report_ids, result), 200);
    },
  );
