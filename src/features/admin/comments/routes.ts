/** Comments, over HTTP, for admins (SPEC 4). */
import { Done, done, IdParam } from "../../../http/answers.ts";
import { route, router } from "../../../http/route.ts";
import { deleteComment } from "../../comments/service.ts";
import { WithReason } from "../base-contract.ts";
import { HOW_COUNTED } from "../search.ts";
import { CommentItems, CommentListQuery } from "./contract.ts";
import { listComments } from "./service.ts";

export const adminCommentRoutes = router()
  .openapi(
    route("get", "/admin/comments", {
      who: "admin",
      summary: "Everybody's comments",
      description: `A search reads every comment, or those of the one video. ${HOW_COUNTED}`,
      query: CommentListQuery,
      answers: { 200: CommentItems },
    }),
    async (c) => c.json(await listComments(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route("delete", "/admin/comments/{id}", {
      who: "admin",
      summary: "Delete a comment with the replies to it",
      params: IdParam,
      body: WithReason,
      answers: { 200: Done },
    }),
    async (c) => {
      await deleteComment(c.var.ctx, c.req.valid("param").id, c.req.valid("json").reason);
      return c.json(done("Comment deleted"), 200);
    },
  );
