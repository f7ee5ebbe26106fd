/**
 * The database's generation: random, and made anew by a restore (scripts/restore.ts). Objects are not restored with the
 * database: what they know of it may be of a life that is no more. So whatever the Worker tells them of the database comes
 * with the generation that it was read in, by the same query: that is never stale, and costs a row read.
 */
import { eq, sql } from "drizzle-orm";
import type { CallContext } from "./call-context.ts";
import { databaseGeneration, streams, users } from "./tables.ts";

/** For a column of a query. */
export const generationColumn = sql<string>`(SELECT generation FROM database_generation)`;

const NUMBERED = { users, streams };
/** Tables whose rows are known by a number, and when each was made. */
export type NumberedTable = keyof typeof NUMBERED;

/** What the database says now: its generation, and when the row of this number was made, ms; null: there is none. */
export async function readOrigin(ctx: CallContext, name: NumberedTable | null, id: number) {
  const born = name && (await readBirth(ctx, name, id));
  return { generation: await readGeneration(ctx), born };
}

/** No other row ever had the number from then on. */
async function readBirth(ctx: CallContext, name: NumberedTable, id: number): Promise<number | null> {
  const table = NUMBERED[name];
  const [row] = await ctx.db.select({ at: table.createdAt }).from(table).where(eq(table.id, id));
  return row?.at.getTime() ?? null;
}

async function readGeneration(ctx: CallContext): Promise<string> {
  const [row] = await ctx.db.select({ generation: databaseGeneration.generation }).from(databaseGeneration);
  if (!row) throw new Error("The database has no generation.");
  return row.generation;
}
