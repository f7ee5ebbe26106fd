/** JSON and times made by the database, for what only a batch knows (the id of the row that it has just inserted). */
import { SQL, type SQLWrapper, sql } from "drizzle-orm";

type Value = SQL | SQLWrapper | string | number | boolean | null | { [key: string]: Value };

/** A `json_object(…)`; nested objects, booleans and SQL are taken as such. */
export function jsonObject(fields: { [key: string]: Value }): SQL {
  const parts = Object.entries(fields).map(([key, value]) => sql`${sql.raw(`'${key}'`)}, ${jsonValue(value)}`);
  return sql`json_object(${sql.join(parts, sql`, `)})`;
}

function jsonValue(value: Value): SQL {
  if (typeof value === "boolean") return value ? sql`json('true')` : sql`json('false')`;
  if (value === null) return sql`NULL`;
  if (typeof value !== "object") return sql`${value}`;
  return isSql(value) ? sql`${value}` : jsonObject(value);
}

const isSql = (value: object): value is SQL | SQLWrapper => value instanceof SQL || "getSQL" in value;

/** A column of milliseconds as ISO 8601 UTC with milliseconds. */
export const iso = (ms: SQLWrapper): SQL => sql`strftime('%Y-%m-%dT%H:%M:%fZ', ${ms} / 1000.0, 'unixepoch')`;

/** The numbers of a list as a table, however many there are: one bound parameter instead of a hundred and more. */
export const inList = (column: SQLWrapper, values: readonly (number | string)[]): SQL =>
  inJson(column, sql`${JSON.stringify(values)}`);

/** The same of a list that is JSON already, or a placeholder for it. */
export const inJson = (column: SQLWrapper, list: SQL): SQL => sql`${column} IN (SELECT value FROM json_each(${list}))`;
