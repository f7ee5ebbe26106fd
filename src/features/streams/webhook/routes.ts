/** `POST /webhook/stream-event`: the door of media servers (MEDIA.md 3). No CORS, no tokens, no user limits. */

import type { Context } from "hono";
import { isMediaSecret } from "../../../auth/media-server.ts";
import { actingAs, type Ctx } from "../../../context.ts";
import { AppError } from "../../../errors.ts";
import type { HttpEnv } from "../../../http/env.ts";
import { route, router } from "../../../http/route.ts";
import { logEvent } from "../../../platform/log.ts";
import { HookAnswer, HookCode, HookQuery } from "../contract.ts";
import { takeEvent } from "./events.ts";
import { isOfNow, isSignedBy, signatureMark, signatureOf } from "./proof.ts";
import { type Body, readEvent } from "./read-event.ts";

const BODY_MAX_BYTES = 64 * 1024;

export const webhookRoutes = router().openapi(
  route("post", "/webhook/stream-event", {
    who: "anyone",
    summary: "An event of a media server",
    description:
      "nginx-rtmp's form, JSON of SRS, node-media-server, MediaMTX and OvenMediaEngine, or a signed " +
      "`{event, streamKey, sessionId}`. Proof: `?secret=`, `X-Webhook-Secret`, " +
      '`X-Signature: t=…,v1=hex(HMAC-SHA256(secret, t + "." + body))`, or `X-OME-Signature`.',
    query: HookQuery,
    answers: { 200: HookAnswer, 403: HookCode },
  }),
  async (c) => {
    const ctx = actingAs(c.var.ctx, { kind: "mediaServer" });
    c.set("ctx", ctx);
    const { relay, ...query } = c.req.valid("query");
    const { event, mark } = await receive(ctx, c, query);
    const { accepted, streamId } = await takeEvent(ctx, event, mark);
    if (event.answers === "empty") return c.json({}, 200);
    if (event.answers === "admission") return c.json(accepted ? { allowed: true } : DENIED, 200);
    if (!accepted) return c.json({ code: 1 as const }, 403);
    // To nginx-rtmp a redirect is the order to relay the publisher into another application, under another name.
    if (relay && event.kind === "publish") c.header("Location", `${relay}/${streamId}`);
    return relay && event.kind === "publish"
      ? (c.json({ code: 0 as const }, 302) as never)
      : c.json({ code: 0 as const }, 200);
  },
);

// Nothing else is answered there: no page's preflight, and none of the calls that nginx' `notify_method get` would mangle.
webhookRoutes.all("/webhook/stream-event", () => {
  throw new AppError("NOT_FOUND");
});

/** OvenMediaEngine keeps the reason in its log. */
const DENIED = { allowed: false, reason: "The key is unknown, in use, or of an account that may not broadcast." };

/** Proof, then type, then body: without a proof not a byte of it is read. */
async function receive(ctx: Ctx, c: Context<HttpEnv>, query: HookQuery) {
  const isKnown = await isMediaSecret(ctx, query.secret ?? c.req.header("x-webhook-secret"));
  const signature = isKnown ? null : signatureOf(ctx, (name) => c.req.header(name));
  if (!isKnown && !signature) return refuse(ctx, new AppError("UNAUTHORIZED", "A valid proof of origin is required."));
  const type = bodyType(c.req.header("content-type"));
  if (!type) return refuse(ctx, new AppError("UNSUPPORTED_MEDIA_TYPE"));
  const bytes = await readCapped(ctx, c);
  if (signature && !(await isSignedBy(ctx, signature, bytes))) {
    return refuse(ctx, new AppError("UNAUTHORIZED", "The signature does not fit."));
  }
  const event = readEvent({ type, text: new TextDecoder().decode(bytes) }, query);
  if (signature && !isOfNow(ctx, signature, event.sentAt)) {
    return refuse(ctx, new AppError("UNAUTHORIZED", "The signature is not of now."));
  }
  return { event, mark: signature ? await signatureMark(signature) : undefined };
}

/** node-media-server sends its JSON as text/plain. */
function bodyType(contentType: string | undefined): Body["type"] | null {
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType ?? "")) return "form";
  return /^(application\/json|text\/plain)\b/i.test(contentType ?? "") ? "json" : null;
}

function refuse(ctx: Ctx, error: AppError): never {
  logEvent("webhook.refused", { requestId: ctx.requestId, address: ctx.address, code: error.code });
  throw error;
}

async function readCapped(ctx: Ctx, c: Context): Promise<Uint8Array> {
  const tooLarge = new AppError("PAYLOAD_TOO_LARGE", `An event may have ${BODY_MAX_BYTES} bytes.`);
  if (Number(c.req.header("content-length") ?? 0) > BODY_MAX_BYTES) return refuse(ctx, tooLarge);
  const bytes = new Uint8Array(BODY_MAX_BYTES);
  let length = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    if (length + chunk.byteLength > BODY_MAX_BYTES) return refuse(ctx, tooLarge);
    bytes.set(chunk, length);
    length += chunk.byteLength;
  }
  return bytes.subarray(0, length);
}
