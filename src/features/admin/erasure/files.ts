/** Rows that own bytes put `file:<key>` into the outbox when they go (triggers); this has the bytes follow at once. */
import { asc, sql } from "drizzle-orm";
import type { Ctx } from "../../../context.ts";
import { outbox } from "../../../db/tables.ts";

/** More than any one act deletes at once; the sweep takes the rest. */
const PENDING_ROWS = 100;

/** Reads the deletions of files that are pending, for the end of a batch that deletes what owns them. */
export const pendingFileDeletions = (ctx: Ctx) =>
  ctx.db
    .select({ id: outbox.id, target: outbox.target, payload: outbox.payload })
    .from(outbox)
    // `;` is the character after `:`, so this is a range of the index on target.
    .where(sql`${outbox.target} >= 'file:' AND ${outbox.target} < 'file;'`)
    .orderBy(asc(outbox.id))
    .limit(PENDING_ROWS);
