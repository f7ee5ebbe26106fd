/** tus 1.0 at `/files/tus` (SPEC 10): unmodified clients, such as tus-js-client, speak it. */
import type { Context, MiddlewareHandler } from "hono";
import { requireUser } from "../../../context.ts";
import { AppError, errorBody } from "../../../errors.ts";
import { askCaller } from "../../../http/caller.ts";
import type { HttpEnv } from "../../../http/env.ts";
import { router } from "../../../http/route.ts";
import { append, ChecksumMismatch } from "./append.ts";
import type { Upload } from "./lock.ts";
import {
  notOffered,
  PIECE,
  parseChecksum,
  refuseExtensions,
  TUS_ABILITIES,
  TUS_VERSION,
  wholeNumber,
} from "./protocol.ts";
import { createUpload, readUpload, terminate } from "./uploads.ts";

/** Goes before CORS, which answers OPTIONS by itself. */
export const tusHeaders: MiddlewareHandler<HttpEnv> = async (c, next) => {
  await next();
  c.res.headers.set("Tus-Resumable", TUS_VERSION);
  if (c.req.method !== "OPTIONS" && c.res.status !== 412) return;
  for (const [name, value] of Object.entries(TUS_ABILITIES)) c.res.headers.set(name, value);
};

/** tus, "Core protocol": another version is 412. */
const requireVersion: MiddlewareHandler<HttpEnv> = async (c, next) => {
  if (c.req.header("Tus-Resumable") === TUS_VERSION) return next();
  const error = new AppError("INVALID_REQUEST", `Tus-Resumable must be ${TUS_VERSION}.`);
  return c.json({ error: errorBody(error) }, 412);
};

/** When an upload ends unfinished; and of a finished one, which file it has become, as messages take it for `fileId`. */
const about = ({ expiresAt, fileId }: Pick<Upload, "expiresAt" | "fileId">) => ({
  "Upload-Expires": expiresAt.toUTCString(),
  ...(fileId === null ? {} : { "Upload-File-Id": fileId }),
});

/** What a header asks for that is not offered is refused before anything is done, and so is a body nobody would take. */
const requireOffered: MiddlewareHandler<HttpEnv> = async (c, next) => {
  const { headers } = c.req.raw;
  const isCreation = /\/tus\/?$/.test(c.req.path);
  refuseExtensions(headers);
  if (isCreation && headers.get("content-type") === PIECE) throw notOffered("Content-Type", "creation-with-upload");
  if (!isCreation && headers.has("Upload-Length")) throw notOffered("Upload-Length", "creation-defer-length");
  await next();
};

async function create(c: Context<HttpEnv>): Promise<Response> {
  const ctx = requireUser(c.var.ctx);
  const { headers } = c.req.raw;
  const upload = await createUpload(ctx, wholeNumber(headers, "Upload-Length"), headers.get("Upload-Metadata") ?? "");
  return c.body(null, 201, { Location: `/api/v1/files/tus/${upload.id}`, ...about(upload) });
}

async function head(c: Context<HttpEnv, "/:id">): Promise<Response> {
  const upload = await readUpload(requireUser(c.var.ctx), c.req.param("id"));
  return c.body(null, 200, {
    "Cache-Control": "no-store",
    "Upload-Offset": String(upload.offset),
    "Upload-Length": String(upload.length),
    "Upload-Metadata": upload.metadata,
    ...about(upload),
  });
}

async function patch(c: Context<HttpEnv, "/:id">): Promise<Response> {
  const ctx = requireUser(c.var.ctx);
  const { headers, body } = c.req.raw;
  if (headers.get("content-type") !== PIECE) {
    throw new AppError("UNSUPPORTED_MEDIA_TYPE", "Send application/offset+octet-stream.");
  }
  const id = c.req.param("id");
  const checksum = parseChecksum(headers.get("Upload-Checksum"));
  try {
    const offset = await append(ctx, { id, offset: wholeNumber(headers, "Upload-Offset"), checksum, body });
    return c.body(null, 204, { "Upload-Offset": String(offset), ...about(await readUpload(ctx, id)) });
  } catch (error) {
    if (!(error instanceof ChecksumMismatch)) throw error;
    const failure = new AppError("INVALID_REQUEST", "The bytes do not hash to the checksum.");
    // 460 is tus's own ("Checksum" extension), which Hono's types do not know.
    return new Response(JSON.stringify({ error: errorBody(failure) }), { status: 460 });
  }
}

async function end(c: Context<HttpEnv, "/:id">): Promise<Response> {
  await terminate(requireUser(c.var.ctx), c.req.param("id"));
  return c.body(null, 204);
}

export const tusRoutes = router();
tusRoutes.use("/files/tus/*", askCaller, requireVersion, requireOffered);
tusRoutes.post("/files/tus", create);
// Hono answers HEAD with the GET handler.
tusRoutes.get("/files/tus/:id", head);
tusRoutes.patch("/files/tus/:id", patch);
tusRoutes.delete("/files/tus/:id", end);
/** For clients whose network lets no PATCH and DELETE through (tus, "X-HTTP-Method-Override"). */
tusRoutes.post("/files/tus/:id", (c) => {
  const method = c.req.header("X-HTTP-Method-Override")?.toUpperCase();
  if (method === "PATCH") return patch(c);
  if (method === "DELETE") return end(c);
  throw new AppError("NOT_FOUND");
});
