/** Thumbnails of images (`?w=320`), where the Images binding is there; without it an image comes as it is (SPEC 14). */
import { isNotModified, type Served, servedHeaders } from "../../bytes/serve.ts";
import type { Ctx } from "../../context.ts";
import { logFailure } from "../../platform/log.ts";

/** The parameter of the query. */
export const WIDTH = "w";
/** Each width of each image is paid for: what is asked for is the next one up, so that nobody makes a thousand of them. */
const WIDTHS: readonly number[] = [160, 320, 640, 1280];
/** What can be made smaller. */
const FORMATS = { "image/jpeg": "image/jpeg", "image/png": "image/png", "image/webp": "image/webp" } as const;
type Raster = keyof typeof FORMATS;
const isRaster = (mimeType: string): mimeType is Raster => Object.hasOwn(FORMATS, mimeType);

/** The width to make for what is asked for; null: none is, or more than any. */
export function wantedWidth(query: URLSearchParams): number | null {
  const asked = Number(query.get(WIDTH) || Number.NaN);
  return WIDTHS.find((width) => width >= asked) ?? null;
}

/** Null: there is none of this file, or none can be made here or now; then the image itself is served. */
export async function serveThumbnail(
  { env, requestId }: Ctx,
  request: Request,
  image: Served,
  width: number,
): Promise<Response | null> {
  const { IMAGES } = env;
  if (!IMAGES || request.method !== "GET" || !isRaster(image.mimeType)) return null;
  const smaller = { ...image, etag: `${image.etag}-w${width}` };
  const headers = servedHeaders(smaller);
  headers.delete("Accept-Ranges");
  if (isNotModified(request.headers, smaller)) return new Response(null, { status: 304, headers });
  const object = await env.FILES.get(image.key);
  if (!object) return null;
  try {
    const made = await IMAGES.input(object.body)
      .transform({ width, fit: "scale-down" })
      .output({ format: image.mimeType });
    return new Response(made.image(), { headers });
  } catch (error) {
    logFailure({ requestId }, "files.thumbnail", error);
    return null;
  }
}
