/** The bytes of a file, for whoever may see it. */
import { type Served, serveObject } from "../../bytes/serve.ts";
import type { Ctx } from "../../context.ts";
import { type FileRow, findReadable } from "./access.ts";
import type { FilePath } from "./contract.ts";
import { findSigned, isSigned } from "./signing.ts";

/** Public files may be kept for a while; private ones by nobody but their reader, who asks again each time. */
const cacheControl = ({ visibility }: FileRow): string =>
  visibility === "public" ? "public, max-age=300" : "private, no-cache";

export const servedAs = (row: FileRow, disposition: Served["disposition"]): Served => ({
  key: row.key,
  size: row.size,
  etag: row.sha256,
  mimeType: row.mimeType,
  filename: row.originalName,
  disposition,
  modifiedAt: row.createdAt,
  cacheControl: cacheControl(row),
});

/** @throws AppError UNAUTHORIZED · FORBIDDEN · NOT_FOUND · INVALID_REQUEST, see findSigned */
export async function downloadFile(ctx: Ctx, request: Request, path: FilePath): Promise<Response> {
  const query = new URL(request.url).searchParams;
  const row = isSigned(query) ? await findSigned(ctx, path, query) : await findReadable(ctx, path);
  return serveObject(ctx, request, servedAs(row, "attachment"));
}

/** As a download, but shown in the browser where that is safe. */
export async function viewFile(ctx: Ctx, request: Request, path: FilePath): Promise<Response> {
  return serveObject(ctx, request, servedAs(await findReadable(ctx, path), "inline"));
}
