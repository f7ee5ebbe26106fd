/** What every call goes through, in this order: begin → what is left of a body (drain.ts) → (sockets leave here) → CORS → headers → body limit → sign in → write limit. */
import type { Context, MiddlewareHandler, Next } from "hono";
import { cors } from "hono/cors";
import { routePath } from "hono/route";
import { secureHeaders } from "hono/secure-headers";
import { chargeUser } from "../auth/call-budgets.ts";
import { clientAddress } from "../auth/rate-limit.ts";
import { isAllowedOrigin } from "../config.ts";
import { startContext } from "../context.ts";
import { deliverFactsSoon } from "../db/webhook-facts.ts";
import { AppError } from "../errors.ts";
import { JSON_BODY_MAX_BYTES, SERVER_BODY_MAX_BYTES } from "../limits.ts";
import type { Cost } from "../platform/cost.ts";
import { logEvent, logFailure } from "../platform/log.ts";
import { countCost, countRequest } from "../platform/metrics.ts";
import { callersTraceId, describeCall } from "../platform/trace.ts";
import { byCaller } from "./caller.ts";
import { type HttpEnv, isServerCall, isWrite } from "./env.ts";
import { answerFailure } from "./failures.ts";

/** Makes the call's context; afterwards writes its one log line and, if asked for, its cost. */
export const begin: MiddlewareHandler<HttpEnv> = async (c, next) => {
  const started = Date.now();
  const background: Promise<unknown>[] = [];
  const ctx = startContext({
    env: c.env,
    address: clientAddress(c.req.raw),
    userAgent: c.req.header("user-agent") ?? "",
    acceptLanguage: c.req.header("accept-language") ?? "",
    origin: new URL(c.req.url).origin,
    later: (work) => {
      const safe = work.catch((error) => logFailure(ctx, "later", error));
      background.push(safe);
      c.executionCtx.waitUntil(safe);
    },
  });
  c.set("ctx", ctx);
  c.set("who", "anyone");
  await next();
  deliverFactsSoon(ctx);
  const callersTrace = callersTraceId(c.req.header("traceparent"));
  describeCall(() => `${c.req.method} ${routePath(c)}`, callersTrace);
  // The header must tell the whole truth, so under DEBUG_COST the answer waits for what would run after it.
  if (ctx.config.debugCost) await Promise.all(background);
  const { status } = c.res;
  // The headers of a 101 answer are immutable.
  if (status !== 101) {
    c.res.headers.set("X-Request-Id", ctx.requestId);
    if (ctx.config.debugCost) c.res.headers.set("X-Cost", costHeader(ctx.cost));
  }
  const ms = Date.now() - started;
  countRequest(c.req.method, status, ms);
  countCost(ctx.cost);
  const actor = c.var.ctx.actor;
  logEvent("http.request", {
    requestId: ctx.requestId,
    method: c.req.method,
    path: c.req.path,
    status,
    ms,
    userId: actor.kind === "user" ? actor.id : undefined,
    keyId: actor.kind === "server" ? actor.keyId : undefined,
    callersTraceId: callersTrace,
    ...ctx.cost,
  });
};

const costHeader = (cost: Cost): string =>
  `d1_queries=${cost.d1Queries}, d1_rows_read=${cost.d1RowsRead}, d1_rows_written=${cost.d1RowsWritten}, object_calls=${cost.objectCalls}`;

/** Pages of other origins may call the API, with any headers, if ALLOWED_ORIGINS names them (exact match). */
const pagesOfOthers: MiddlewareHandler<HttpEnv> = cors({
  origin: (origin, c: Context<HttpEnv>) =>
    isAllowedOrigin(c.var.ctx.config, origin, new URL(c.req.url).origin) ? origin : null,
  allowMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
  // For the cookie that reads files (auth/file-cookie.ts): there is no other, and it opens nothing else.
  credentials: true,
  // Whatever a page asks to send: its origin alone decides.
  allowHeaders: [],
  exposeHeaders: [
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Location",
    "Retry-After",
    "Tus-Checksum-Algorithm",
    "Tus-Extension",
    "Tus-Max-Size",
    "Tus-Resumable",
    "Tus-Version",
    "Upload-Expires",
    "Upload-File-Id",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Offset",
    "X-Cost",
    "X-Request-Id",
  ],
  maxAge: 600,
});

/** A backend's calls come from no page: a browser that tries is refused, and told of no origin that it may have. */
export const crossOrigin: MiddlewareHandler<HttpEnv> = async (c, next) => {
  if (!isServerCall(c)) return pagesOfOthers(c, next);
  if (c.req.header("origin") !== undefined) throw new AppError("FORBIDDEN", "A server's key belongs into no page.");
  await next();
};

/** For API answers: nothing in them is a page. Handlers that serve files set stricter or looser ones themselves. */
export const apiHeaders: MiddlewareHandler<HttpEnv> = secureHeaders({
  overwrite: false,
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  crossOriginResourcePolicy: "cross-origin",
  crossOriginOpenerPolicy: false,
  referrerPolicy: "no-referrer",
  strictTransportSecurity: "max-age=31536000; includeSubDomains",
  // `frame-ancestors` says it, and files have one of their own: beside it, DENY would contradict.
  xFrameOptions: false,
});

/** What a signed-in user is answered belongs in no shared cache. */
export const privateByDefault: MiddlewareHandler<HttpEnv> = async (c, next) => {
  await next();
  if (!c.res.headers.has("Cache-Control")) c.res.headers.set("Cache-Control", "private, no-store");
};

/**
 * Refuses a JSON body over its limit before it is read, or as soon as it turns out to be over it. Streams (multipart,
 * tus) have limits of their own where they are read.
 */
export const limitBody: MiddlewareHandler<HttpEnv> = async (c, next) => {
  const { body, headers } = c.req.raw;
  const type = headers.get("content-type") ?? "";
  if (body && !/^(multipart\/|application\/offset\+octet-stream)/i.test(type)) {
    const most = isServerCall(c) ? SERVER_BODY_MAX_BYTES : JSON_BODY_MAX_BYTES;
    const declared = Number(headers.get("content-length") ?? "0");
    if (declared > most) throw new AppError("PAYLOAD_TOO_LARGE", `A body may have ${most} bytes.`);
    if (!headers.has("content-length")) return readCapped(c, body, most, next);
  }
  await next();
};

async function readCapped(
  c: Context<HttpEnv>,
  body: ReadableStream<Uint8Array>,
  most: number,
  next: Next,
): Promise<void> {
  let seen = 0;
  const cap = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      seen += chunk.byteLength;
      if (seen > most) controller.error(new AppError("PAYLOAD_TOO_LARGE"));
      else controller.enqueue(chunk);
    },
  });
  c.req.raw = new Request(c.req.raw, { body: body.pipeThrough(cap) });
  await next();
  // Whatever the reader made of the broken stream, this is what was wrong.
  if (seen > most) c.res = answerFailure(new AppError("PAYLOAD_TOO_LARGE"), c);
}

/** What a signed-in user may change in a minute, whatever it is: counted before anything of the call is read. */
export const limitWrites: MiddlewareHandler<HttpEnv> = async (c, next) => {
  if (isWrite(c.req.method)) await byCaller(c, () => chargeUser(c.var.ctx, "writes"));
  await next();
};
