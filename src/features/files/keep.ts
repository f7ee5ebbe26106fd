/** From a stored object to a file. */
import { type SQL, sql } from "drizzle-orm";
import { v7 } from "uuid";
import type { Kind } from "../../bytes/kinds.ts";
import { ifPending, requireSettled, settle } from "../../bytes/store.ts";
import type { Received } from "../../bytes/store-form.ts";
import type { Ctx, UserCtx } from "../../context.ts";
import { one } from "../../db/batch.ts";
import { isInGoodStanding } from "../../db/standing.ts";
import { files } from "../../db/tables.ts";
import { fold } from "../../text.ts";
import type { FileInfo, UploadFields } from "./contract.ts";
import { toInfo } from "./info.ts";
import { type Naming, namingsFor, safeStem } from "./names.ts";

type Place = { folder: string; visibility: "private" | "public" };

type Options = {
  /** Holds as long as nobody has given the object up. */
  isWanted?: SQL;
  /** Called by its id, which nobody has to know: `nameById`. */
  isNamedById?: boolean;
};

export const nameById = (id: string, { extension }: Pick<Kind, "extension">): string => `${id}.${extension}`;

/**
 * The statements that make a stored object a file, for the batch of what else depends on it. `insert` returns the row, or
 * none if the upload was swept or its owner is gone or banned by now; `record` keeps its path from all other files.
 */
export async function keepFile(
  ctx: UserCtx,
  received: Omit<Received, "field">,
  { folder, visibility }: Place,
  { isWanted = ifPending(received.key), isNamedById = false }: Options = {},
) {
  const { key, size, sha256, originalName, kind } = received;
  const id = v7();
  const namings = await namingsFor(folder, isNamedById ? id : safeStem(originalName), kind);
  const [wanted, other] = namings;
  const insert = ctx.db
    .insert(files)
    .select(
      sql`SELECT ${id}, ${ctx.actor.id}, ${folder}, iif(path.is_used, ${other.name}, ${wanted.name}), ${originalName},
        ${kind.category}, ${kind.mimeType}, ${size}, ${sha256}, ${visibility}, ${key}, ${ctx.now.getTime()}, ${fold(folder)},
        iif(path.is_used, ${other.folded}, ${wanted.folded}), 1, NULL
        FROM (SELECT ${isUsed(folder, wanted)} AS is_used) path
        WHERE ${isInGoodStanding(ctx.actor.id)} AND ${isWanted}`,
    )
    .returning();
  return { id, insert, record: recordPath(ctx, namings, sql`f.id = ${id}`), settle: settle(ctx, key) };
}

/** A file has the path, or had it. */
const isUsed = (folder: string, { name, folded, hash }: Naming): SQL => sql`(
  EXISTS (SELECT 1 FROM file_paths p WHERE p.hash = ${hash})
  OR EXISTS (SELECT 1 FROM files f WHERE (f.folder = ${folder} AND f.name = ${name})
    OR (f.folder_folded = ${fold(folder)} AND f.name_folded = ${folded})))`;

/** Keeps the path of `which` file (`f`), of those that it may have got, from all others. */
export const recordPath = (ctx: Ctx, [first, second]: [Naming, Naming?], which: SQL) =>
  ctx.db.run(
    sql`INSERT INTO file_paths (hash, file_id)
      SELECT iif(f.name = ${first.name}, ${first.hash}, ${(second ?? first).hash}), f.id FROM files f WHERE ${which}
      ON CONFLICT DO NOTHING`,
  );

/** @throws AppError CONFLICT the upload was swept, or its owner is gone; nothing is left of it then */
export async function makeFile(ctx: UserCtx, received: Received, fields: UploadFields): Promise<FileInfo> {
  const { folder, visibility = ctx.config.FILES_DEFAULT_VISIBILITY } = fields;
  const kept = await keepFile(ctx, received, { folder, visibility });
  const { row } = await ctx.db.batch({ row: one(kept.insert), recorded: kept.record, settled: kept.settle });
  return toInfo(ctx, await requireSettled(ctx, received.key, row));
}
