/** The bytes of a file, for whoever may see it. */
import { readerByCookie } from "../../auth/file-cookie.ts";
import { type Served, serveObject } from "../../bytes/serve.ts";
import type { Ctx } from "../../context.ts";
import { type Found, lookFor, unseen } from "./access.ts";
import type { FilePath } from "./contract.ts";
import { servedAs } from "./info.ts";
import { findSigned, isSigned } from "./signing.ts";

/** @throws AppError UNAUTHORIZED · FORBIDDEN · NOT_FOUND · INVALID_REQUEST, see findSigned */
export async function downloadFile(ctx: Ctx, request: Request, path: FilePath): Promise<Response> {
  const query = new URL(request.url).searchParams;
  const found = isSigned(query)
    ? { row: await findSigned(ctx, path, query), isOpen: true }
    : await findForReader(ctx, request, path);
  return serve(ctx, request, found, "attachment");
}

/** As a download, but shown in the browser where that is safe. */
export async function viewFile(ctx: Ctx, request: Request, path: FilePath): Promise<Response> {
  return serve(ctx, request, await findForReader(ctx, request, path), "inline");
}

/** By token, or by the cookie, which no other call looks at. @throws AppError UNAUTHORIZED · NOT_FOUND */
async function findForReader(ctx: Ctx, request: Request, path: FilePath): Promise<Found> {
  const found = await lookFor(ctx, path);
  if (found) return found;
  const reader = ctx.actor.kind === "anonymous" ? await readerByCookie(ctx, request) : null;
  const foundByCookie = reader && (await lookFor(reader, path));
  if (!foundByCookie) throw unseen(reader ?? ctx);
  return foundByCookie;
}

function serve(ctx: Ctx, request: Request, { row, isOpen }: Found, disposition: Served["disposition"]) {
  return serveObject(ctx, request, { ...servedAs(row, disposition), isSameSiteOnly: !isOpen });
}
