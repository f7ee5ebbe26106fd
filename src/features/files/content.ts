/** The bytes of a file, for whoever may see it. */
import { serveObject } from "../../bytes/serve.ts";
import type { Ctx } from "../../context.ts";
import { findReadable } from "./access.ts";
import type { FilePath } from "./contract.ts";
import { servedAs } from "./info.ts";
import { findSigned, isSigned } from "./signing.ts";

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
