/** Video sessions, over HTTP, for admins (SPEC 4). */
import { Done, done } from "../../../http/answers.ts";
import { route, router } from "../../../http/route.ts";
import { PeopleQuery, WithReason } from "../base-contract.ts";
import { HOW_COUNTED } from "../search.ts";
import { listAttendance } from "./attendance.ts";
import { AttendanceList, CallList, CallListQuery, CallParam } from "./contract.ts";
import { endCall, listCalls } from "./service.ts";

export const adminCallRoutes = router()
  .openapi(
    route("get", "/admin/calls", {
      who: "admin",
      summary: "Calls by the time they were made",
      description: HOW_COUNTED,
      query: CallListQuery,
      answers: { 200: CallList },
    }),
    async (c) => c.json(await listCalls(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route("get", "/admin/calls/{id}/attendance", {
      who: "admin",
      summary: "Who was there, from when to when; during the call and after",
      params: CallParam,
      query: PeopleQuery,
      answers: { 200: AttendanceList },
    }),
    async (c) => c.json(await listAttendance(c.var.ctx, c.req.valid("param").id, c.req.valid("query")), 200),
  )
  .openapi(
    route("post", "/admin/calls/{id}/end", {
      who: "admin",
      summary: "End a call for everybody; sockets in it close with 4004",
      description: "A call that its first use made may be begun again under its name.",
      params: CallParam,
      body: WithReason,
      answers: { 200: Done },
    }),
    async (c) => c.json(done(await endCall(c.var.ctx, c.req.valid("param").id, c.req.valid("json").reason)), 200),
  );
