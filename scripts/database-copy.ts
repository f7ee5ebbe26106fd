/**
 * The database as a backup has it, and the statements that make it so again. Not by D1's own export, which refuses a database
 * with virtual tables (our search indexes): the rows are read as they are, and the indexes are filled again from them.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { D1Database } from "@cloudflare/workers-types";
import { z } from "zod";
import { renewal } from "./renewal.ts";

const Value = z.union([z.string(), z.number(), z.null()]);
const Part = z.object({ type: z.enum(["table", "index", "trigger", "view"]), name: z.string(), sql: z.string() });
type Part = z.infer<typeof Part>;

export const DatabaseCopy = z.object({
  schema: z.array(Part),
  /** How far the numbers of each table have come. */
  sequences: z.record(z.string(), z.number()),
  tables: z.record(z.string(), z.array(z.record(z.string(), Value))),
});
export type DatabaseCopy = z.infer<typeof DatabaseCopy>;

const GENERATION = "database_generation";
const isVirtual = ({ sql }: Part): boolean => /^CREATE VIRTUAL TABLE/i.test(sql);
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const TRIES = 8;
const FIRST_WAIT_MS = 50;

/** Reads, again if that fails: on this machine the server beside us may be writing to the same file, which D1 there does not wait for. */
async function reading<T>(read: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await read();
    } catch (error) {
      if (tries === TRIES || !/D1_ERROR/.test(String(error))) throw error;
      await sleep(FIRST_WAIT_MS * 2 ** tries);
    }
  }
}

/** What the database consists of, without what SQLite, D1 and the search indexes keep for themselves. */
export async function readSchema(db: D1Database): Promise<Part[]> {
  const statement = db.prepare(
    `SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
         AND tbl_name NOT LIKE '\\_cf\\_%' ESCAPE '\\'
         AND tbl_name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')`,
  );
  const { results } = await reading(() => statement.all());
  return z.array(Part).parse(results);
}

export async function readSequences(db: D1Database): Promise<Record<string, number>> {
  const statement = db.prepare("SELECT name, seq FROM sqlite_sequence");
  const { results } = await reading(() => statement.all<{ name: string; seq: number }>());
  return Object.fromEntries(results.map(({ name, seq }) => [name, seq]));
}

/** Reads everything, all rows in one transaction. */
export async function copyDatabase(db: D1Database): Promise<DatabaseCopy> {
  const schema = await readSchema(db);
  const names = schema.filter((part) => part.type === "table" && !isVirtual(part)).map(({ name }) => name);
  const statements = [
    db.prepare("SELECT name, seq FROM sqlite_sequence"),
    ...names.map((name) => db.prepare(`SELECT * FROM ${quoted(name)}`)),
  ];
  const results = await reading(() => db.batch<Record<string, unknown>>(statements));
  const [sequences, ...tables] = results.map(({ results: rows }) => rows);
  return DatabaseCopy.parse({
    schema,
    sequences: Object.fromEntries((sequences ?? []).map(({ name, seq }) => [name, seq])),
    tables: Object.fromEntries(names.map((name, at) => [name, tables[at] ?? []])),
  });
}

/**
 * The statements that make the database what it was, whatever is in it now, and begin another generation. Triggers come
 * last, so that nothing is counted twice; but for those that fill the search indexes.
 * @param now what the database has at present, and how far its numbers have come
 */
export function restoration(copy: DatabaseCopy, now: { schema: Part[]; sequences: Record<string, number> }): string[] {
  if (!copy.tables[GENERATION]) throw new Error("This backup was made by a release that knew no generations.");
  const of = (type: Part["type"], test: (part: Part) => boolean = () => true) =>
    copy.schema.filter((part) => part.type === type && test(part)).map(({ sql }) => sql);
  const indexes = copy.schema.filter(isVirtual);
  const fills = ({ sql }: Part) =>
    /\bAFTER INSERT ON\b/i.test(sql) && indexes.some(({ name }) => new RegExp(`INSERT INTO ${name}\\b`, "i").test(sql));
  return [
    ...removal(now.schema),
    ...of("table", (part) => !isVirtual(part)),
    ...indexes.map(({ sql }) => sql),
    ...of("trigger", fills),
    ...Object.entries(copy.tables).flatMap(([name, rows]) => rows.map((row) => insertion(name, row))),
    ...of("index"),
    ...of("view"),
    ...of("trigger", (part) => !fills(part)),
    "DELETE FROM sqlite_sequence",
    ...Object.entries(copy.sequences).map(
      ([name, seq]) => `INSERT INTO sqlite_sequence (name, seq) VALUES (${literal(name)}, ${seq})`,
    ),
    ...renewal(now.sequences),
  ];
}

/** Search indexes before the tables that they are of, and before what keeps them. */
function removal(schema: Part[]): string[] {
  const rank = (part: Part) =>
    ["trigger", "view", "table"].indexOf(part.type) + (part.type === "table" && !isVirtual(part) ? 1 : 0);
  return schema
    .filter(({ type }) => type !== "index")
    .sort((one, other) => rank(one) - rank(other))
    .map(({ type, name }) => `DROP ${type.toUpperCase()} ${quoted(name)}`);
}

function insertion(table: string, row: Record<string, z.infer<typeof Value>>): string {
  const columns = Object.keys(row).map(quoted).join(", ");
  return `INSERT INTO ${quoted(table)} (${columns}) VALUES (${Object.values(row).map(literal).join(", ")})`;
}

/** As SQL. A NUL would end the statement, so text that has one goes as bytes. */
function literal(value: z.infer<typeof Value>): string {
  if (value === null) return "NULL";
  if (typeof value === "number") return String(value);
  if (value.includes("\0")) return `CAST(X'${Buffer.from(value, "utf8").toString("hex")}' AS TEXT)`;
  return `'${value.replaceAll("'", "''")}'`;
}
