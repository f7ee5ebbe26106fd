/** Serves an object from R2 as HTTP wants it, and so that nothing in it can act on our origin. */
import type { CallContext } from "../db/call-context.ts";
import { AppError, errorBody } from "../errors.ts";
import { contentDisposition } from "./disposition.ts";
import { precondition, rangeApplies, wantedRange } from "./ranges.ts";
import { readPart } from "./slices.ts";

export type Served = {
  key: string;
  /** In bytes; must be the object's own. */
  size: number;
  /** Changes whenever the bytes do: a hash of them. Without quotes. */
  etag: string;
  mimeType: string;
  filename: string;
  disposition: "inline" | "attachment";
  modifiedAt: Date;
  cacheControl: string;
  /** Whether the caller may go on reading, asked for each slice of a long read; one that throws says no. */
  isStillAllowed?: () => Promise<boolean>;
  /** Pages of other sites may not even embed it: who reads it is known by a cookie or token. */
  isSameSiteOnly?: boolean;
};

/** No scripts, no origin of its own, no loads: for what a browser may take for a page. `*`: who embeds it is no matter. */
const LOCKED = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors *";
/** Media play in a page that the browser makes around them. */
const MEDIA =
  "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors *";

/** Types that may show in the browser, and under which policy; all others are downloads (SECURITY 30). */
function policyFor(mimeType: string): { csp: string; mayShow: boolean } {
  if (mimeType === "image/svg+xml") return { csp: LOCKED, mayShow: true };
  if (/^(image|audio|video)\//.test(mimeType) || mimeType === "application/pdf") return { csp: MEDIA, mayShow: true };
  return { csp: LOCKED, mayShow: false };
}

/**
 * Answers GET and HEAD: whole (200), a part (206), unchanged (304), precondition failed (412), out of range (416).
 * @throws AppError NOT_FOUND when the object is gone
 */
export async function serveObject(
  ctx: Pick<CallContext, "env">,
  request: Pick<Request, "method" | "headers">,
  object: Served,
): Promise<Response> {
  const validators = { etag: `"${object.etag}"`, modifiedAt: object.modifiedAt };
  const headers = headersFor(object, validators.etag);
  const state = precondition(request.headers, validators);
  if (state === "unchanged") return new Response(null, { status: 304, headers: unchangedHeaders(headers) });
  if (state === "failed") return new Response(null, { status: 412, headers: unchangedHeaders(headers) });
  const { size } = object;
  // Ranges are defined for GET alone (RFC 9110, 14.2).
  if (request.method === "HEAD") {
    headers.set("Content-Length", String(size));
    return new Response(null, { headers });
  }
  const asked = rangeApplies(request.headers, validators) ? request.headers.get("range") : null;
  const wanted = wantedRange(asked, size);
  if (wanted.kind === "unsatisfiable") return outOfRange(size);
  const [first, last] = wanted.kind === "part" ? [wanted.first, wanted.last] : [0, size - 1];
  const length = last - first + 1;
  const body = await readPart(ctx.env.FILES, object.key, { offset: first, length }, object.isStillAllowed);
  if (!body) throw new AppError("NOT_FOUND");
  headers.set("Content-Length", String(length));
  if (wanted.kind !== "part") return new Response(body, { headers });
  headers.set("Content-Range", `bytes ${first}-${last}/${size}`);
  return new Response(body, { status: 206, headers });
}

/** The headers of an answer with all of it. */
export const servedHeaders = (object: Served): Headers => headersFor(object, `"${object.etag}"`);

/** Whether the caller has it already. */
export const isNotModified = (asked: Headers, { etag, modifiedAt }: Served): boolean =>
  precondition(asked, { etag: `"${etag}"`, modifiedAt }) === "unchanged";

function headersFor(object: Served, etag: string): Headers {
  const { csp, mayShow } = policyFor(object.mimeType);
  return new Headers({
    "Accept-Ranges": "bytes",
    "Cache-Control": object.cacheControl,
    "Content-Disposition": contentDisposition(mayShow ? object.disposition : "attachment", object.filename),
    "Content-Security-Policy": csp,
    "Content-Type": object.mimeType,
    ...(object.isSameSiteOnly && { "Cross-Origin-Resource-Policy": "same-site" }),
    ETag: etag,
    "Last-Modified": object.modifiedAt.toUTCString(),
    "X-Content-Type-Options": "nosniff",
  });
}

/** What a 304 says (RFC 9110, 15.4.5): the validators and how to cache, nothing of the content. */
function unchangedHeaders(full: Headers): Headers {
  const headers = new Headers();
  for (const name of ["Cache-Control", "ETag", "Last-Modified"]) headers.set(name, full.get(name) ?? "");
  return headers;
}

function outOfRange(size: number): Response {
  return Response.json(
    { error: errorBody(new AppError("RANGE_NOT_SATISFIABLE")) },
    { status: 416, headers: { "Content-Range": `bytes */${size}`, "Cache-Control": "no-store" } },
  );
}
