/** Files, over HTTP, for admins (SPEC 4). */
import { Done, done } from "../../../http/answers.ts";
import { route, router } from "../../../http/route.ts";
import { WithReason } from "../base-contract.ts";
import { HOW_COUNTED } from "../search.ts";
import { FileList, FileListQuery, FileParam } from "./contract.ts";
import { deleteFile, listFiles } from "./service.ts";

export const adminFileRoutes = router()
  .openapi(
    route("get", "/admin/files", {
      who: "admin",
      summary: "Everybody's files",
      description: HOW_COUNTED,
      query: FileListQuery,
      answers: { 200: FileList },
    }),
    async (c) => c.json(await listFiles(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route("delete", "/admin/files/{id}", {
      who: "admin",
      summary: "Delete a file with its copies, whosever they are",
      params: FileParam,
      body: WithReason,
      answers: { 200: Done },
    }),
    async (c) => c.json(done(await deleteFile(c.var.ctx, c.req.valid("param").id, c.req.valid("json").reason)), 200),
  );
