/**
 * The database's generation: random, and made anew by a restore (scripts/restore.ts). Objects are not restored with the
 * database: what they know of it may be of a life that is no more. So whatever the Worker tells them of the database comes
 * with the generation that it was read in, by the same query: that is never stale, and costs a row read.
 */
import { type SQL, sql } from "drizzle-orm";
import type { CallContext } from "./call-context.ts";
import { databaseGeneration, streams, users } from "./tables.ts";

/** For a column of a query. */
export const generationColumn = sql<string>`(SELECT generation FROM database_generation)`;

const NUMBERED = { users, streams };
/** Tables whose rows are known by a number, and when each was made. */
export type NumberedTable = keyof typeof NUMBERED;

/** What the database says now: its generation, and when the row of this number was made, ms; null: there is none. */
export async function readOrigin(ctx: CallContext, name: NumberedTable | null, id: number) {
  const born = name === null ? sql<null>`NULL` : birthOf(name, id);
  const [row] = await ctx.db.select({ generation: databaseGeneration.generation, born }).from(databaseGeneration);
  if (!row) throw new Error("The database has no generation.");
  return row;
}

/** No other row ever had the number from then on. */
function birthOf(name: NumberedTable, id: number): SQL<number | null> {
  const table = NUMBERED[name];
  return sql`(SELECT ${table.createdAt} FROM ${table} WHERE ${table.id} = ${id})`;
}
