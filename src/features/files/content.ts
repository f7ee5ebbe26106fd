/** The bytes of a file, for whoever may see it. */
import { askedAgain } from "../../auth/authenticate.ts";
import { readerByCookie } from "../../auth/file-cookie.ts";
import { type Served, serveObject } from "../../bytes/serve.ts";
import type { Ctx } from "../../context.ts";
import { type Found, lookFor, unseen } from "./access.ts";
import type { FilePath } from "./contract.ts";
import { servedAs, type Way } from "./info.ts";
import { findSigned, isSigned, readSigned } from "./signing.ts";
import { serveThumbnail, wantedWidth } from "./thumbnails.ts";

/** A file that opens, and whether it would still. */
type Readable = Found & { isStillAllowed: () => Promise<boolean> };

/** @throws AppError UNAUTHORIZED · FORBIDDEN · NOT_FOUND · INVALID_REQUEST */
export async function downloadFile(ctx: Ctx, request: Request, path: FilePath): Promise<Response> {
  return serve(ctx, request, await find(ctx, request, "download", path), "attachment");
}

/** As a download, but shown in the browser where that is safe. @throws AppError as downloadFile */
export async function viewFile(ctx: Ctx, request: Request, path: FilePath): Promise<Response> {
  const width = wantedWidth(new URL(request.url).searchParams);
  const found = await find(ctx, request, "view", path);
  const thumbnail = width === null ? null : await serveThumbnail(ctx, request, served(found, "inline"), width);
  return thumbnail ?? serve(ctx, request, found, "inline");
}

/** By the link's signature, or by the caller's own right. */
async function find(ctx: Ctx, request: Request, way: Way, path: FilePath): Promise<Readable> {
  const query = new URL(request.url).searchParams;
  if (!isSigned(query)) return findForReader(ctx, request, path);
  const signed = readSigned(way, path, query);
  try {
    const again = () => findSigned(ctx, signed);
    return { row: await again(), isOpen: true, isStillAllowed: () => again().then(() => true) };
  } catch (error) {
    // A link in a message that has become too old opens for who may read the file anyway.
    if (signed.right !== "grant") throw error;
    return await findForReader(ctx, request, path).catch(() => {
      throw error;
    });
  }
}

/** By token, or by the cookie, which no other call looks at. @throws AppError UNAUTHORIZED · NOT_FOUND */
async function findForReader(ctx: Ctx, request: Request, path: FilePath): Promise<Readable> {
  const found = await lookFor(ctx, path);
  if (found) return { ...found, isStillAllowed: () => mayStillRead(ctx, path) };
  const reader = ctx.actor.kind === "anonymous" ? await readerByCookie(ctx, request) : null;
  const foundByCookie = reader && (await lookFor(reader, path));
  if (!foundByCookie) throw unseen(reader ?? ctx);
  return { ...foundByCookie, isStillAllowed: () => mayStillRead(reader, path) };
}

/** The reader is still signed in and not banned, and the file still theirs to read. */
async function mayStillRead(ctx: Ctx, path: FilePath): Promise<boolean> {
  return (await lookFor(await askedAgain(ctx), path)) !== undefined;
}

const served = ({ row, isOpen, isStillAllowed }: Readable, disposition: Served["disposition"]): Served => ({
  ...servedAs(row, disposition),
  isSameSiteOnly: !isOpen,
  isStillAllowed,
});

const serve = (ctx: Ctx, request: Request, found: Readable, disposition: Served["disposition"]): Promise<Response> =>
  serveObject(ctx, request, served(found, disposition));
