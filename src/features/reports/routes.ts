/** Reports over HTTP (SPEC 3). */
import { route, router } from "../../http/route.ts";
import { MakeReport, Report } from "./contract.ts";
import { makeReport } from "./service.ts";

export const reportRoutes = router().openapi(
  route("post", "/reports", {
    who: "user",
    summary: "Report a video, a comment or a person",
    description: "201 for a new report; 200 with the earlier one while that is pending.",
    body: MakeReport,
    answers: { 200: Report, 201: Report },
  }),
  async (c) => {
    const { report, isNew } = await makeReport(c.var.ctx, c.req.valid("json"));
    return isNew ? c.json(report, 201) : c.json(report, 200);
  },
);
