/** Files that are sent into chats (SPEC 14): who reads the chat reads the file, until the message or the membership ends. */
import { and, eq, sql } from "drizzle-orm";
import { v7 } from "uuid";
import type { FileKeeper, NamedFile } from "../../chat/attachments.ts";
import type { Config } from "../../config.ts";
import type { Ctx } from "../../context.ts";
import { one } from "../../db/batch.ts";
import { isInGoodStanding } from "../../db/standing.ts";
import { fileGrants, files } from "../../db/tables.ts";
import { isAt, isShown } from "./access.ts";
import { FilePath } from "./contract.ts";
import { pathOf, viewPath } from "./info.ts";
import { grantQuery } from "./signing.ts";

/** A file's address as clients write it: where it is, and without what stood in its query. */
type Address = { path: FilePath; address: string };

const PATH = /^\/api\/v1\/files\/(view|download)\/([^/]+)\/([^/]+)$/;

/** Without PUBLIC_URL nothing says what our own address is: then any is, of which only the sender's own file is opened. */
function readAddress({ PUBLIC_URL }: Config, fileUrl: string): Address | null {
  const isRelative = fileUrl.startsWith("/");
  const url = URL.parse(fileUrl, PUBLIC_URL ?? "http://relative.invalid");
  const [, way, folder = "", file = ""] = PATH.exec(url?.pathname ?? "") ?? [];
  if (!url || !way || (!isRelative && PUBLIC_URL !== undefined && url.origin !== PUBLIC_URL)) return null;
  const path = FilePath.safeParse({ folder: decoded(folder), file: decoded(file) });
  if (!path.success) return null;
  const origin = isRelative ? (PUBLIC_URL ?? "") : url.origin;
  return { path: path.data, address: `${origin}${pathOf(way === "view" ? "view" : "download", path.data)}` };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return "";
  }
}

/** What a chat's log keeps: the grant's id, and the address as it was sent. */
const keptAs = (grant: string, address: string): string => `file:${grant}:${address}`;
const readKept = (kept: string): { grant: string; address: string } => {
  const [, grant = "", address = ""] = /^file:([^:]+):(.*)$/.exec(kept) ?? [];
  return { grant, address };
};

type Grant = { place: string; userId: number; file: NamedFile };

/** One row written, in D1 before the message is; none for a file of somebody else, and in a place that is no more. */
async function grant(ctx: Ctx, { place, userId, file }: Grant): Promise<string | null> {
  const named = "fileUrl" in file ? readAddress(ctx.config, file.fileUrl) : null;
  if ("fileUrl" in file && !named) return null;
  const which = named ? isAt(named.path) : eq(files.id, "fileId" in file ? file.fileId : "");
  const isTheirs = and(which, eq(files.ownerId, userId), isShown, isInGoodStanding(userId));
  const id = v7();
  const { row, granted } = await ctx.db.batch({
    row: one(ctx.db.select({ folder: files.folder, name: files.name }).from(files).where(isTheirs)),
    granted: ctx.db
      .insert(fileGrants)
      .select(
        sql`SELECT ${id}, files.id, ${place}, ${ctx.now.getTime()} FROM files WHERE ${isTheirs} AND (
          EXISTS (SELECT 1 FROM rooms r WHERE 'room:' || r.id = ${place} AND r.id = substr(${place}, 6))
          OR EXISTS (SELECT 1 FROM streams s WHERE 'stream:' || s.id = ${place} AND s.id = CAST(substr(${place}, 8) AS INTEGER)))`,
      )
      .returning({ id: fileGrants.id }),
  });
  if (!row || granted.length === 0) return null;
  return keptAs(id, named?.address ?? `${ctx.config.PUBLIC_URL ?? ""}${viewPath(row)}`);
}

async function revoke(ctx: Ctx, kept: string): Promise<void> {
  await ctx.db.delete(fileGrants).where(eq(fileGrants.id, readKept(kept).grant));
}

function addressOf(settings: Config, kept: string, signed: boolean): string {
  const { grant: id, address } = readKept(kept);
  if (!signed) return address;
  const path = address.slice(address.indexOf("/api/v1/files/"));
  return `${address}${grantQuery(settings, path, id)}`;
}

export const fileKeeper: FileKeeper = {
  isAddressOfFile: (settings, fileUrl) => readAddress(settings, fileUrl) !== null,
  grant,
  revoke,
  addressOf,
};
