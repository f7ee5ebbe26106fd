/** Recordings over HTTP (SPEC 7). */
import type { Context } from "hono";
import { isMediaSecret } from "../../auth/media-server.ts";
import { actingAs, type Ctx } from "../../context.ts";
import { AppError } from "../../errors.ts";
import { Done, done, IdParam } from "../../http/answers.ts";
import type { HttpEnv } from "../../http/env.ts";
import { readJson } from "../../http/read.ts";
import { Bytes, route, router } from "../../http/route.ts";
import { readInput } from "../../input.ts";
import { Vod, VodByPath, VodList, VodListQuery, VodUpload } from "./contract.ts";
import { deleteVod, listVods, playVod, readVod } from "./service.ts";
import { registerRecording, type Uploaded, uploadRecording } from "./uploads.ts";

export const vodRoutes = router()
  .openapi(
    route("post", "/vod/upload", {
      who: "anyone",
      summary: "Add a recording (the stream's owner, or a media server with WEBHOOK_SECRET)",
      description:
        "By `streamId` or `streamKey`. In a form that must stand before a file of more than 8 MiB; JSON names an object that the " +
        "media server has put into the bucket by its `path`. 200: it was there already.",
      streams: { "multipart/form-data": VodUpload, "application/json": VodByPath },
      answers: { 200: Vod, 201: Vod },
    }),
    async (c) => {
      const { vod, isNew } = await receive(await uploader(c), c);
      return c.json(vod, isNew ? 201 : 200);
    },
  )
  .openapi(
    route("get", "/vod", { who: "anyone", summary: "Recordings", query: VodListQuery, answers: { 200: VodList } }),
    async (c) => c.json(await listVods(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route("get", "/vod/{id}", { who: "anyone", summary: "One", params: IdParam, answers: { 200: Vod } }),
    async (c) => c.json(await readVod(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route("get", "/vod/{id}/content", {
      who: "anyone",
      summary: "Play it, with ranges",
      params: IdParam,
      answers: { 200: Bytes, 206: Bytes },
    }),
    (c) => playVod(c.var.ctx, c.req.valid("param").id, c.req.raw),
  )
  .openapi(
    route("delete", "/vod/{id}", {
      who: "user",
      summary: "Delete (its owner, moderators)",
      params: IdParam,
      answers: { 200: Done },
    }),
    async (c) => {
      await deleteVod(c.var.ctx, c.req.valid("param").id);
      return c.json(done("The recording is deleted"), 200);
    },
  );

/** A media server with its proof, or a signed-in user; anyone else is refused before the body is read. */
async function uploader(c: Context<HttpEnv>): Promise<Ctx> {
  const { ctx } = c.var;
  const given = c.req.query("secret") ?? c.req.header("x-webhook-secret");
  if (given !== undefined && (await isMediaSecret(ctx, given))) {
    const asServer = actingAs(ctx, { kind: "mediaServer" });
    c.set("ctx", asServer);
    return asServer;
  }
  if (ctx.actor.kind === "user") return ctx;
  throw new AppError("UNAUTHORIZED", "A token or a media server's proof is required.");
}

async function receive(ctx: Ctx, c: Context): Promise<Uploaded> {
  if (!/^application\/json\b/i.test(c.req.header("content-type") ?? "")) return uploadRecording(ctx, c.req.raw);
  return registerRecording(ctx, readInput(VodByPath, await readJson(c)));
}
