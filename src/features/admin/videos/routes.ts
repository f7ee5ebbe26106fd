/** Videos, over HTTP, for admins (SPEC 4). */
import { Done, done, IdParam } from "../../../http/answers.ts";
import { route, router } from "../../../http/route.ts";
import { BulkDone, WithReason } from "../base-contract.ts";
import { deleteVideo, deleteVideos, setVisibility } from "./actions.ts";
import { BulkDelete, SetVisibility, VideoDetails, VideoList, VideoListQuery } from "./contract.ts";
import { listVideos, readVideo } from "./service.ts";

export const adminVideoRoutes = router()
  .openapi(
    route("get", "/admin/videos", {
      who: "admin",
      summary: "Videos",
      query: VideoListQuery,
      answers: { 200: VideoList },
    }),
    async (c) => c.json(await listVideos(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route("get", "/admin/videos/{id}", {
      who: "admin",
      summary: "One video, with comments and reports",
      params: IdParam,
      answers: { 200: VideoDetails },
    }),
    async (c) => c.json(await readVideo(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route("put", "/admin/videos/{id}/visibility", {
      who: "admin",
      summary: "Hide or show",
      params: IdParam,
      body: SetVisibility,
      bodyInQuery: ["visibility"],
      answers: { 200: Done },
    }),
    async (c) => {
      const { visibility } = c.req.valid("json");
      return c.json(done(await setVisibility(c.var.ctx, c.req.valid("param").id, visibility)), 200);
    },
  )
  .openapi(
    route("delete", "/admin/videos/{id}", {
      who: "admin",
      summary: "Delete; the owner is told why",
      params: IdParam,
      body: WithReason,
      bodyInQuery: ["reason"],
      answers: { 200: Done },
    }),
    async (c) => c.json(done(await deleteVideo(c.var.ctx, c.req.valid("param").id, c.req.valid("json").reason)), 200),
  )
  .openapi(
    route("post", "/admin/videos/bulk-delete", {
      who: "admin",
      summary: "Delete up to 100",
      body: BulkDelete,
      bodyInQuery: ["reason"],
      answers: { 200: BulkDone },
    }),
    async (c) => {
      const { video_ids, reason } = c.req.valid("json");
      return c.json(await deleteVideos(c.var.ctx, video_ids, reason), 200);
    },
  );
