/** What the migrations leave behind, as the shortest way there: for tests that need a migrated database, not the way to it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";

const Schema = z.array(z.object({ type: z.string(), name: z.string(), sql: z.string() }));
const Names = z.array(z.object({ name: z.string() }));

const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** SQL of one row's value. */
function literal(value: unknown): string {
  if (value === null) return "NULL";
  if (typeof value === "number") return String(value);
  return `'${z.string().parse(value).replaceAll("'", "''")}'`;
}

/**
 * Statements that make the database as all migrations in `folder` leave it: its tables, the rows in them, and then, so that
 * those rows set off nothing, its indexes, views and triggers. Applying the migrations one by one takes a test file seconds.
 */
export function migratedDatabase(folder: string): string[] {
  const database = new DatabaseSync(":memory:");
  for (const file of readdirSync(folder).sort()) database.exec(readFileSync(join(folder, file), "utf8"));
  const made = Schema.parse(
    database.prepare("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid").all(),
  );
  const virtual = made.filter(({ sql }) => /^create virtual table/i.test(sql)).map(({ name }) => name);
  // SQLite's own, and those in which a full-text index keeps its words.
  const isOwn = ({ name }: { name: string }): boolean =>
    name.startsWith("sqlite_") || virtual.some((table) => name.startsWith(`${table}_`));
  const tables = made.filter((one) => one.type === "table" && !isOwn(one));
  const rest = made.filter(({ type }) => type !== "table");
  const filled = [...tables, { name: "sqlite_sequence" }].filter(({ name }) => !virtual.includes(name));
  return [
    ...tables.map(({ sql }) => sql),
    ...filled.flatMap(({ name }) => rowsOf(database, name)),
    ...rest.map(({ sql }) => sql),
  ];
}

function rowsOf(database: DatabaseSync, table: string): string[] {
  const columns = Names.parse(
    database.prepare("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0").all(table),
  ).map(({ name }) => name);
  return database
    .prepare(`SELECT ${columns.map(identifier).join(", ")} FROM ${identifier(table)}`)
    .all()
    .map((row) => {
      const values = columns.map((column) => literal(row[column]));
      return `INSERT INTO ${identifier(table)} (${columns.map(identifier).join(", ")}) VALUES (${values.join(", ")})`;
    });
}
