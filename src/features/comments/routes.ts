/** Comments over HTTP (SPEC 3). */
import { Done, done, IdParam } from "../../http/answers.ts";
import { route, router } from "../../http/route.ts";
import { Comment, CommentList, PageQuery, WriteComment } from "./contract.ts";
import { deleteComment, listComments, writeComment } from "./service.ts";

export const commentRoutes = router()
  .openapi(
    route("get", "/videos/{id}/comments", {
      who: "anyone",
      summary: "A video's comments, newest first, replies among them",
      params: IdParam,
      query: PageQuery,
      answers: { 200: CommentList },
    }),
    async (c) => c.json(await listComments(c.var.ctx, c.req.valid("param").id, c.req.valid("query")), 200),
  )
  .openapi(
    route("post", "/comments", {
      who: "user",
      summary: "Comment on a video, or reply",
      body: WriteComment,
      answers: { 201: Comment },
    }),
    async (c) => c.json(await writeComment(c.var.ctx, c.req.valid("json")), 201),
  )
  .openapi(
    route("delete", "/comments/{id}", {
      who: "user",
      summary: "Delete a comment and its replies",
      params: IdParam,
      answers: { 200: Done },
    }),
    async (c) => {
      await deleteComment(c.var.ctx, c.req.valid("param").id);
      return c.json(done("Comment deleted"), 200);
    },
  );
