/** Streams over HTTP (SPEC 7). */
import { IdParam } from "../../http/answers.ts";
import { route, router } from "../../http/route.ts";
import { CreateStream, Stream, StreamList, StreamListQuery, StreamWithKey, UpdateStream } from "./contract.ts";
import { createStream, listStreams, readStream, rotateKey, updateStream } from "./service.ts";

export const streamRoutes = router()
  .openapi(
    route("post", "/streams", {
      who: "user",
      summary: "Make a stream",
      body: CreateStream,
      answers: { 201: StreamWithKey },
    }),
    async (c) => c.json(await createStream(c.var.ctx, c.req.valid("json")), 201),
  )
  .openapi(
    route("get", "/streams", {
      who: "anyone",
      summary: "Streams by status",
      query: StreamListQuery,
      answers: { 200: StreamList },
    }),
    async (c) => c.json(await listStreams(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route("get", "/streams/{id}", { who: "anyone", summary: "One", params: IdParam, answers: { 200: Stream } }),
    async (c) => c.json(await readStream(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route("put", "/streams/{id}", {
      who: "user",
      summary: "Change or end one's own",
      params: IdParam,
      body: UpdateStream,
      answers: { 200: Stream },
    }),
    async (c) => c.json(await updateStream(c.var.ctx, c.req.valid("param").id, c.req.valid("json")), 200),
  )
  .openapi(
    route("post", "/streams/{id}/key", {
      who: "user",
      summary: "A new key; the old one dies",
      params: IdParam,
      answers: { 200: StreamWithKey },
    }),
    async (c) => c.json(await rotateKey(c.var.ctx, c.req.valid("param").id), 200),
  );
