/**
 * The end of objects. Rows that own bytes are deleted by whoever likes; triggers (migrations/0004_files.sql) put
 * `file:<key>` into the outbox in the same transaction, and this erases the object, again and again until it is gone.
 */
import { asc, sql } from "drizzle-orm";
import { z } from "zod";
import type { CallContext } from "../db/call-context.ts";
import { type Delivery, pendingColumns } from "../db/outbox.ts";
import { outbox } from "../db/tables.ts";
import { erase } from "./store.ts";

const Deletion = z.object({ uploadId: z.string().nullish() });

/** Delivers to `file:<key>`. */
export async function deliverDeletion(ctx: CallContext, key: string, deliveries: Delivery[]): Promise<void> {
  for (const { payload } of deliveries) await erase(ctx, key, Deletion.parse(payload).uploadId ?? null);
}

/** More than any one act deletes at once; the sweep takes the rest. */
const PENDING_ROWS = 100;

/** Reads the deletions that are pending: the last statement of a batch that deletes owners of bytes. */
export const pendingDeletions = (ctx: CallContext) =>
  ctx.db
    .select(pendingColumns)
    .from(outbox)
    // `;` is the character after `:`, so this is a range of the index on target.
    .where(sql`${outbox.target} >= 'file:' AND ${outbox.target} < 'file;'`)
    .orderBy(asc(outbox.id))
    .limit(PENDING_ROWS);
