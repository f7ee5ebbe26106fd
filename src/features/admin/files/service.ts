/** Files as admins see them: the list, and the end of one with its copies. */
import { and, eq, getTableColumns, type SQL, sql } from "drizzle-orm";
import { logEach, recordEach } from "../../../auth/audit.ts";
import { pendingDeletions } from "../../../bytes/deletions.ts";
import type { UserCtx } from "../../../context.ts";
import { one } from "../../../db/batch.ts";
import { jsonObject } from "../../../db/json.ts";
import { deliverSoon } from "../../../db/outbox.ts";
import { offsetOf, pagination } from "../../../db/page.ts";
import { files, users } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import { auditedFile, fileWithCopies, toInfo } from "../../files/service.ts";
import { countMatches, hasPart } from "../search.ts";
import type { FileListQuery } from "./contract.ts";

const NAMES = [files.folder, files.name, files.folderFolded, files.nameFolded, files.originalName, users.username];

/** Ids sort by the time they were made. */
const SORTS: Record<FileListQuery["sort_by"], SQL> = { created_at: sql`${files.id}`, size: sql`${files.size}` };

/** One round trip. */
export async function listFiles(ctx: UserCtx, query: FileListQuery) {
  const { category, visibility, search } = query;
  const where =
    and(
      category === "all" ? undefined : eq(files.category, category),
      visibility === "all" ? undefined : eq(files.visibility, visibility),
      hasPart(NAMES, search),
    ) ?? sql`true`;
  const direction = sql.raw(query.order);
  const { rows, counted } = await ctx.db.batch({
    rows: ctx.db
      .select({ file: getTableColumns(files), ownerUsername: users.username })
      .from(files)
      .leftJoin(users, eq(users.id, files.ownerId))
      .where(where)
      .orderBy(sql`${SORTS[query.sort_by]} ${direction}, ${files.id} ${direction}`)
      .limit(query.limit)
      .offset(offsetOf(query)),
    counted: countMatches(ctx, sql`${files} LEFT JOIN ${users} ON ${users.id} = ${files.ownerId} WHERE ${where}`),
  });
  const items = rows.map(({ file, ownerUsername }) => ({
    ...toInfo(ctx, file),
    ownerId: file.ownerId,
    ownerUsername,
    isHidden: file.hiddenAt !== null,
  }));
  return { files: items, pagination: pagination(query, counted?.total ?? 0) };
}

/** @throws AppError NOT_FOUND · CONFLICT a video shows it: delete the video */
export async function deleteFile(ctx: UserCtx, id: string, reason: string): Promise<string> {
  const which = fileWithCopies(id);
  const { known, deleted, pending } = await ctx.db.batch({
    known: one(ctx.db.select({ id: files.id }).from(files).where(eq(files.id, id))),
    audited: recordEach(ctx, {
      action: "delete",
      targetType: "file",
      id: files.id,
      from: sql`${files} WHERE ${which}`,
      reason,
      details: jsonObject(auditedFile),
    }),
    deleted: ctx.db.delete(files).where(which).returning({ id: files.id }),
    pending: pendingDeletions(ctx),
  });
  if (!known) throw new AppError("NOT_FOUND");
  if (deleted.length === 0) throw new AppError("CONFLICT", "A video shows this file: delete the video.");
  logEach(
    ctx,
    "delete",
    "file",
    deleted.map((row) => row.id),
  );
  deliverSoon(ctx, pending);
  return "File deleted";
}
