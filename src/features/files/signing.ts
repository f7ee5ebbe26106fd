/**
 * Signed URLs: whoever has one may download that file until it expires. The signature covers the method, the path, the
 * file's id (a file made later under the same name is another one) and the expiry, and nothing else may be in the query.
 */
import { and } from "drizzle-orm";
import { base64url } from "../../auth/digest.ts";
import { type Ctx, publicOrigin, type UserCtx } from "../../context.ts";
import { files } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { type FileRow, isAt, mayChange, unchangeable } from "./access.ts";
import type { FilePath, SignUrl } from "./contract.ts";

const PARAMETERS = ["expires", "signature"];

async function keyOf(ctx: Ctx): Promise<CryptoKey> {
  const secret = ctx.config.FILES_SIGNING_KEY;
  // An empty HMAC key would sign, and anybody could sign the same.
  if (secret.length < 32) throw new AppError("INTERNAL_ERROR", "FILES_SIGNING_KEY needs at least 32 characters.");
  const raw = new TextEncoder().encode(secret);
  return crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}

const pathOf = ({ folder, file }: FilePath): string =>
  `/api/v1/files/download/${encodeURIComponent(folder)}/${encodeURIComponent(file)}`;

/** No part can hold a line break, so no two different URLs read alike. GET stands for HEAD, too. */
const signedText = (path: FilePath, fileId: string, expires: string): Uint8Array =>
  new TextEncoder().encode(["roomcast-file-1", "GET", pathOf(path), fileId, expires].join("\n"));

/** @throws AppError NOT_FOUND · FORBIDDEN somebody else's public file */
export async function signUrl(ctx: UserCtx, { expiresIn, ...path }: SignUrl) {
  const [row] = await ctx.db
    .select({ id: files.id })
    .from(files)
    .where(and(isAt(path), mayChange(ctx)));
  if (!row) throw await unchangeable(ctx, path);
  const expires = Math.floor(ctx.now.getTime() / 1000) + expiresIn;
  const signature = await crypto.subtle.sign("HMAC", await keyOf(ctx), signedText(path, row.id, String(expires)));
  return {
    url: `${publicOrigin(ctx)}${pathOf(path)}?expires=${expires}&signature=${base64url(new Uint8Array(signature))}`,
    expiresAt: new Date(expires * 1000).toISOString(),
  };
}

/** Whether a query claims to be signed; then it must be, whoever asks. */
export const isSigned = (query: URLSearchParams): boolean => PARAMETERS.some((name) => query.has(name));

/**
 * The file that a signed URL opens.
 * @throws AppError INVALID_REQUEST parameters twice, or others beside them · FORBIDDEN expired, or signed otherwise
 */
export async function findSigned(ctx: Ctx, path: FilePath, query: URLSearchParams): Promise<FileRow> {
  const isCanonical = query.size === PARAMETERS.length && PARAMETERS.every((name) => query.getAll(name).length === 1);
  const expires = query.get("expires") ?? "";
  if (!isCanonical || !/^[1-9]\d{0,11}$/.test(expires)) {
    throw new AppError("INVALID_REQUEST", "A signed URL has `expires` and `signature`, once each, and nothing else.");
  }
  if (Number(expires) * 1000 <= ctx.now.getTime()) throw new AppError("FORBIDDEN", "The link has expired.");
  const [row] = await ctx.db.select().from(files).where(isAt(path));
  const text = signedText(path, row?.id ?? "", expires);
  // verify compares in constant time.
  const isGood = await crypto.subtle.verify("HMAC", await keyOf(ctx), bytesOf(query.get("signature") ?? ""), text);
  if (!row || !isGood) throw new AppError("FORBIDDEN", "The link is not valid.");
  return row;
}

/** Only the one spelling that we write: base64url has several for the same bytes. */
function bytesOf(signature: string): Uint8Array {
  try {
    const bytes = Uint8Array.fromBase64(signature, { alphabet: "base64url", lastChunkHandling: "loose" });
    if (base64url(bytes) === signature) return bytes;
  } catch {
    // Not base64url at all.
  }
  return new Uint8Array();
}
