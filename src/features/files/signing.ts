/**
 * Signed links: whoever has one may read that file until it expires. The signature covers the method, the path, whose right
 * it is that the link passes on, and the expiry, and nothing else may be in the query but the width of a thumbnail. That
 * right is looked at again at each use.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { and, type SQL, sql } from "drizzle-orm";
import type { Config } from "../../config.ts";
import { type Ctx, publicOrigin, type UserCtx } from "../../context.ts";
import { one } from "../../db/batch.ts";
import { files } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { type FileRow, isAt, isShown, mayChange, recordFiles, unchangeable } from "./access.ts";
import type { FilePath, SignUrl } from "./contract.ts";
import { pathOf, type Way } from "./info.ts";
import { WIDTH } from "./thumbnails.ts";

/** How long a link in a message lasts, seconds. */
const GRANT_LIFE_SECONDS = 3600;

/** Whose right a link passes on: of a user who may change the file, or of those who read a chat. */
type Right = { by: string; fileId: string } | { grant: string };

/** No part can hold a line break, so no two different links read alike. GET stands for HEAD, too. */
function signatureOf({ FILES_SIGNING_KEY }: Config, path: string, right: Right, expires: string): string {
  // An empty HMAC key would sign, and anybody could sign the same.
  if (FILES_SIGNING_KEY.length < 32) {
    throw new AppError("INTERNAL_ERROR", "FILES_SIGNING_KEY needs at least 32 characters.");
  }
  const whose = "grant" in right ? ["grant", right.grant] : ["by", right.by, right.fileId];
  return createHmac("sha256", FILES_SIGNING_KEY)
    .update(["roomcast-file-2", "GET", path, ...whose, expires].join("\n"))
    .digest("base64url");
}

/** @throws AppError NOT_FOUND · FORBIDDEN somebody else's public file */
export async function signUrl(ctx: UserCtx, { expiresIn, ...path }: SignUrl) {
  const expires = Math.floor(ctx.now.getTime() / 1000) + expiresIn;
  const isMine = and(isAt(path), mayChange(ctx));
  const { row } = await ctx.db.batch({
    row: one(ctx.db.select({ id: files.id }).from(files).where(isMine)),
    audited: recordFiles(ctx, "share", isMine, { expiresAt: new Date(expires * 1000).toISOString() }),
  });
  if (!row) throw await unchangeable(ctx, path);
  const by = String(ctx.actor.id);
  const address = pathOf("download", path);
  const signature = signatureOf(ctx.config, address, { by, fileId: row.id }, String(expires));
  return {
    url: `${publicOrigin(ctx)}${address}?by=${by}&expires=${expires}&signature=${signature}`,
    expiresAt: new Date(expires * 1000).toISOString(),
  };
}

/** The query of a link for the readers of a chat; empty in development without a key. */
export function grantQuery(settings: Config, path: string, grant: string): string {
  if (settings.FILES_SIGNING_KEY === "") return "";
  // To the millisecond: whether somebody has left the room since then is told by it (isOfGrant).
  const expires = (Date.now() / 1000 + GRANT_LIFE_SECONDS).toFixed(3);
  return `?grant=${grant}&expires=${expires}&signature=${signatureOf(settings, path, { grant }, expires)}`;
}

const PARAMETERS = ["by", "grant", "expires", "signature"];

/** Whether a query claims to be signed. */
export const isSigned = (query: URLSearchParams): boolean => PARAMETERS.some((name) => query.has(name));

/** What a signed link says. */
export type Signed = {
  path: FilePath;
  address: string;
  right: "by" | "grant";
  holder: string;
  expires: string;
  signature: string;
};

/** @throws AppError INVALID_REQUEST parameters twice, or others beside them */
export function readSigned(way: Way, path: FilePath, query: URLSearchParams): Signed {
  const right = query.has("grant") ? "grant" : "by";
  const names = [right, "expires", "signature"];
  const [holder = "", expires = "", signature = ""] = names.map((name) => query.get(name) ?? "");
  const isCanonical =
    query.size === names.length + (query.has(WIDTH) ? 1 : 0) && names.every((name) => query.getAll(name).length === 1);
  if (!isCanonical || !/^[1-9]\d{0,11}(\.\d{3})?$/.test(expires) || !/^[\w-]{1,64}$/.test(holder)) {
    throw new AppError("INVALID_REQUEST", "A signed link has its parameters once each, and nothing else.");
  }
  return { path, address: pathOf(way, path), right, holder, expires, signature };
}

/**
 * The file that a signed link opens.
 * @throws AppError FORBIDDEN expired, signed otherwise, or by a right that is no more
 */
export async function findSigned(ctx: Ctx, signed: Signed): Promise<FileRow> {
  const { path, holder, expires } = signed;
  if (Number(expires) * 1000 <= ctx.now.getTime()) throw new AppError("FORBIDDEN", "The link has expired.");
  const isGrant = signed.right === "grant";
  const { named, found } = await ctx.db.batch({
    named: one(ctx.db.select({ id: files.id }).from(files).where(isAt(path))),
    found: one(
      ctx.db
        .select()
        .from(files)
        .where(isGrant ? isOfGrant(holder, Number(expires)) : and(isAt(path), isOfSigner(holder))),
    ),
  });
  const right = isGrant ? { grant: holder } : { by: holder, fileId: named?.id ?? "" };
  const expected = signatureOf(ctx.config, signed.address, right, expires);
  if (!found || !isSame(signed.signature, expected)) throw new AppError("FORBIDDEN", "The link is not valid.");
  return found;
}

/** Whoever signed it is neither banned nor gone, and may change the file still. */
const isOfSigner = (by: string): SQL => sql`EXISTS (SELECT 1 FROM users u WHERE u.id = ${Number(by) || 0}
  AND u.account_status = 'active' AND u.banned_at IS NULL
  AND (u.role = 'admin' OR (u.id = ${files.ownerId} AND ${files.hiddenAt} IS NULL)))`;

/** The message is still there, and nobody has left the room since the link was signed: it may be in their hands. */
const isOfGrant = (grant: string, expires: number): SQL => sql`${isShown} AND EXISTS (
  SELECT 1 FROM file_grants g WHERE g.id = ${grant} AND g.file_id = ${files.id} AND NOT EXISTS (
    SELECT 1 FROM room_departures d WHERE d.room_id = substr(g.place, 6) AND g.place LIKE 'room:%'
    AND d.at > ${Math.round((expires - GRANT_LIFE_SECONDS) * 1000)}))`;

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** In constant time. There is only one spelling: the one that we write. */
const isSame = (given: string, expected: string): boolean =>
  given.length === expected.length && timingSafeEqual(bytesOf(given), bytesOf(expected));
