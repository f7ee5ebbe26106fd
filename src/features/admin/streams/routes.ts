/** Livestreams, over HTTP, for admins (SPEC 4). What media servers sent: `GET /admin/stream-events`. */
import { Done, done, IdParam } from "../../../http/answers.ts";
import { route, router } from "../../../http/route.ts";
import { WithReason } from "../base-contract.ts";
import { HOW_COUNTED } from "../search.ts";
import { StreamList, StreamListQuery } from "./contract.ts";
import { deleteStream, endStream, listStreams } from "./service.ts";

export const adminStreamRoutes = router()
  .openapi(
    route("get", "/admin/streams", {
      who: "admin",
      summary: "Streams, live or not",
      description: HOW_COUNTED,
      query: StreamListQuery,
      answers: { 200: StreamList },
    }),
    async (c) => c.json(await listStreams(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route("post", "/admin/streams/{id}/end", {
      who: "admin",
      summary: "Take a stream off the air",
      description:
        "Its publisher is cut off at its next update, and may begin again: deleting the stream, or a ban, keeps them off.",
      params: IdParam,
      body: WithReason,
      answers: { 200: Done },
    }),
    async (c) => c.json(done(await endStream(c.var.ctx, c.req.valid("param").id, c.req.valid("json").reason)), 200),
  )
  .openapi(
    route("delete", "/admin/streams/{id}", {
      who: "admin",
      summary: "Delete a stream with its chat and its recordings; its key is dead, sockets close with 4004",
      params: IdParam,
      body: WithReason,
      answers: { 200: Done },
    }),
    async (c) => c.json(done(await deleteStream(c.var.ctx, c.req.valid("param").id, c.req.valid("json").reason)), 200),
  );
