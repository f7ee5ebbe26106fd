/** Rows of D1 as pages of JSON for the export of oneself: each reads a bounded number of rows. */
import { type SQL, sql } from "drizzle-orm";
import { iso, jsonObject } from "../../db/json.ts";

/** Rows of a page. */
export const PAGE = 500;

/** Rows of (cursor, item): an item is JSON, and the next page goes on after the cursor of the last. */
export type Pages = { start: string | number; after: (cursor: string | number) => SQL };
export type Section = { name: string; pages: Pages[] };

/**
 * What to read. `columns` of a table as they are, `times` as ISO 8601, `flags` as booleans, each under its name in camelCase; `as`:
 * others, by their SQL. `cursor`: what the rows are ordered by, a text if `start` is one.
 */
export type Read = {
  from: string;
  where: SQL;
  cursor?: string;
  start?: string;
  columns?: readonly string[];
  times?: readonly string[];
  flags?: readonly string[];
  as?: Record<string, string>;
};

/** `v.created_at` → `createdAt` */
const nameOf = (column: string): string =>
  (column.split(".").at(-1) ?? "").replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

function fieldsOf({ columns = [], times = [], flags = [], as = {} }: Read): Record<string, SQL> {
  return Object.fromEntries([
    ...columns.map((column): [string, SQL] => [nameOf(column), sql.raw(column)]),
    ...Object.entries(as).map(([name, text]): [string, SQL] => [name, sql.raw(text)]),
    ...times.map((column): [string, SQL] => [nameOf(column), iso(sql.raw(column))]),
    ...flags.map((column): [string, SQL] => [nameOf(column), sql.raw(`json(iif(${column}, 'true', 'false'))`)]),
  ]);
}

export function pages(read: Read): Pages {
  const cursor = sql.raw(read.cursor ?? "id");
  const item = jsonObject(fieldsOf(read));
  return {
    start: read.start ?? 0,
    after: (last) => sql`SELECT ${cursor} AS cursor, ${item} AS item FROM ${sql.raw(read.from)}
      WHERE ${read.where} AND ${cursor} > ${last} ORDER BY ${cursor} LIMIT ${PAGE}`,
  };
}

/** A list of the document that one table has. */
export const section = (name: string, read: Read): Section => ({ name, pages: [pages(read)] });
