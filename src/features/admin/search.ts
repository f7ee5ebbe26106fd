/**
 * Finds rows by a part of their text, at a bounded cost where there is a bound to be had. Three characters and more go
 * through the trigram index; shorter texts have no trigram and are looked for row by row.
 */
import { type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { Ctx } from "../../context.ts";
import { one } from "../../db/batch.ts";
import { fold } from "../../text.ts";

/** What can be searched: a table, and the FTS5 index over it (migrations/0007_admin.sql). */
export type Searchable = {
  table: SQLWrapper;
  id: SQLWrapper;
  index: "users_search" | "videos_search";
  /** What the index has, as it compares it. */
  columns: SQLWrapper[];
};

type Page = { filter: SQL | undefined; order: SQL; limit: number; offset: number };

/** Matches are counted up to here: "more than that" tells an admin as much, and counting a million would not be free. */
export const COUNTED_MATCHES = 10_000;
/** The same, for the docs of a list. */
export const HOW_COUNTED = `Of more than ${COUNTED_MATCHES} matches, ${COUNTED_MATCHES} are counted.`;
const TRIGRAM = 3;

/** A quoted FTS5 string: nothing in it is syntax, a quote is doubled (SQLite docs, FTS5, 3.1). */
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

/**
 * The ids on a page of the rows that contain `search`, as a subquery, and how many there are (COUNTED_MATCHES at most).
 * Few matches are sorted. Many are not: they lie so close that walking the list in its own order soon fills a page.
 */
export async function searchPage(ctx: Ctx, what: Searchable, search: string, page: Page) {
  const { table, id } = what;
  const text = fold(search);
  const filter = page.filter ?? sql`true`;
  const hasTrigrams = [...text].length >= TRIGRAM;
  const matches = hasTrigrams
    ? sql`${sql.raw(what.index)} s CROSS JOIN ${table} ON ${id} = s.rowid
        WHERE ${sql.raw(what.index)} MATCH ${quoted(text)} AND ${filter}`
    : sql`${table} WHERE ${contains(what.columns, text)} AND ${filter}`;
  const { counted } = await ctx.db.batch({ counted: countMatches(ctx, matches) });
  const total = counted?.total ?? 0;
  // Nothing matches: looking for a page of it would read everything again.
  if (total === 0) return { ids: sql`(NULL)`, total };
  const isSorted = hasTrigrams && total < COUNTED_MATCHES;
  const walk = hasTrigrams
    ? sql`${table} WHERE ${filter} AND EXISTS
        (SELECT 1 FROM ${sql.raw(what.index)} s WHERE s.rowid = ${id} AND ${sql.raw(what.index)} MATCH ${quoted(text)})`
    : matches;
  const ids = sql`(SELECT ${id} FROM ${isSorted ? matches : walk} ORDER BY ${page.order}
    LIMIT ${page.limit} OFFSET ${page.offset})`;
  return { ids, total };
}

/** `instr` has neither wildcards nor the 50 bytes that D1 allows a LIKE pattern. */
const contains = (columns: SQLWrapper[], text: string): SQL =>
  sql`(${sql.join(
    columns.map((column) => sql`instr(lower(${column}), ${text}) > 0`),
    sql` OR `,
  )})`;

/** Letters of a search that are compared without case; SQLite nests an expression only so deep. */
const LETTERS_FOLDED = 20;

/** Letters of living languages that `fold` makes into others than their small one. */
const FOLDED_OTHERWISE = [..."ßẞςıİ"];

/** U+0001, which no stored text has: no search matches across two columns. */
const BETWEEN = sql`char(1)`;

/**
 * Whether one of the columns has the text in it, for columns that have no folded twin; undefined for an empty text. Reads row
 * by row. Case counts for no letter: SQL's `lower()` knows ASCII alone, so each other letter of the search, and only those can
 * make a match, is folded by a `replace()` of its own.
 */
export function hasPart(columns: SQLWrapper[], search: string): SQL | undefined {
  if (search === "") return undefined;
  const text = fold(search);
  const texts = sql`lower(concat_ws(${BETWEEN}, ${sql.join(columns, sql`, `)}))`;
  const capitals = [...new Set(text)].filter(hasCapital).slice(0, LETTERS_FOLDED);
  const letters = [...FOLDED_OTHERWISE, ...capitals.map((letter) => letter.toUpperCase())];
  // Letters alone are written into the statement: there is room for 100 bound values.
  const folded = letters.reduce(
    (inner, letter) => sql`replace(${inner}, ${literal(letter)}, ${literal(fold(letter))})`,
    texts,
  );
  return sql`instr(${folded}, ${text}) > 0`;
}

const hasCapital = (letter: string): boolean => /^\P{ASCII}$/u.test(letter) && /^\p{Lu}$/u.test(letter.toUpperCase());
const literal = (letter: string): SQL => sql.raw(`'${letter}'`);

/** How many rows `matches` (what stands after FROM) has, COUNTED_MATCHES at most; for a batch. */
export const countMatches = (ctx: Ctx, matches: SQL) =>
  one(
    ctx.db
      .select({ total: sql<number>`count(*)` })
      .from(sql`(SELECT 1 FROM ${matches} LIMIT ${sql.raw(String(COUNTED_MATCHES))})`),
  );
