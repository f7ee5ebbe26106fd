/** Videos over HTTP (SPEC 3). */
import { requireUser } from "../../context.ts";
import { Done, done, IdParam, UserParam } from "../../http/answers.ts";
import { Bytes, route, router } from "../../http/route.ts";
import { playVideo } from "./content.ts";
import {
  LikeState,
  NewVideo,
  PageQuery,
  ShareState,
  UpdateVideo,
  Video,
  VideoForm,
  VideoList,
  ViewState,
} from "./contract.ts";
import { likeVideo, unlikeVideo } from "./likes.ts";
import { deleteVideo, listVideos, listVideosOf, readVideo, updateVideo } from "./service.ts";
import { publishUpload, publishVideo } from "./upload.ts";
import { countShare, countView } from "./views.ts";

/** A form is a stream, which no validator may read first: it is taken here, before the route for JSON. */
export const videoUploads = router();
videoUploads.post("/videos", async (c, next) => {
  if (!/^multipart\//i.test(c.req.header("content-type") ?? "")) return next();
  return c.json(await publishUpload(requireUser(c.var.ctx), c.req.raw), 201);
});

export const videoRoutes = router()
  .openapi(
    route("post", "/videos", {
      who: "user",
      summary: "Publish a video",
      description:
        "A file uploaded before (`fileId`), or what lies elsewhere (`videoUrl`); or a form with the file itself, parts in any order.",
      body: NewVideo,
      streams: { "multipart/form-data": VideoForm },
      answers: { 201: Video },
    }),
    async (c) => c.json(await publishVideo(c.var.ctx, c.req.valid("json")), 201),
  )
  .openapi(
    route("get", "/videos", {
      who: "anyone",
      summary: "The public feed, newest first",
      query: PageQuery,
      answers: { 200: VideoList },
    }),
    async (c) => c.json(await listVideos(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route("get", "/users/{id}/videos", {
      who: "anyone",
      summary: "Somebody's videos, newest first",
      params: UserParam,
      query: PageQuery,
      answers: { 200: VideoList },
    }),
    async (c) => c.json(await listVideosOf(c.var.ctx, c.req.valid("param").id, c.req.valid("query")), 200),
  )
  .openapi(
    route("get", "/videos/{id}", { who: "anyone", summary: "A video", params: IdParam, answers: { 200: Video } }),
    async (c) => c.json(await readVideo(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route("get", "/videos/{id}/content", {
      who: "anyone",
      summary: "Play a video",
      params: IdParam,
      answers: { 200: Bytes, 206: Bytes },
    }),
    (c) => playVideo(c.var.ctx, c.req.raw, c.req.valid("param").id),
  )
  .openapi(
    route("patch", "/videos/{id}", {
      who: "user",
      summary: "Change my video",
      params: IdParam,
      body: UpdateVideo,
      answers: { 200: Video },
    }),
    async (c) => c.json(await updateVideo(c.var.ctx, c.req.valid("param").id, c.req.valid("json")), 200),
  )
  .openapi(
    route("delete", "/videos/{id}", {
      who: "user",
      summary: "Delete my video",
      params: IdParam,
      answers: { 200: Done },
    }),
    async (c) => {
      await deleteVideo(c.var.ctx, c.req.valid("param").id);
      return c.json(done("Video deleted"), 200);
    },
  )
  .openapi(
    route("post", "/videos/{id}/like", { who: "user", summary: "Like", params: IdParam, answers: { 200: LikeState } }),
    async (c) => c.json(await likeVideo(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route("delete", "/videos/{id}/like", {
      who: "user",
      summary: "Take a like back",
      params: IdParam,
      answers: { 200: LikeState },
    }),
    async (c) => c.json(await unlikeVideo(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route("post", "/videos/{id}/view", {
      who: "anyone",
      summary: "Count a view",
      description: "Counts once per person and video in 30 minutes; without a token a person is known by address.",
      params: IdParam,
      answers: { 200: ViewState },
    }),
    async (c) => c.json(await countView(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route("post", "/videos/{id}/share", {
      who: "user",
      summary: "Count a share",
      params: IdParam,
      answers: { 200: ShareState },
    }),
    async (c) => c.json(await countShare(c.var.ctx, c.req.valid("param").id), 200),
  );
