/**
 * Whether the version that runs may go on while the database has the schema of the next one (docs/deploys.md). Whatever it may say is
 * made from its own schema, and prepared against the new one; what would only fail when it runs is compared.
 */
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";

const Tables = z.array(z.object({ name: z.string(), type: z.enum(["table", "view", "virtual"]) }));
const Columns = z.array(
  z.object({ name: z.string(), type: z.string(), notnull: z.number(), dflt_value: z.unknown(), pk: z.number() }),
);
const Indexes = z.array(z.object({ name: z.string(), unique: z.number(), sql: z.string().nullable() }));
const IndexColumns = z.array(z.object({ name: z.string().nullable() }));
const Triggers = z.array(z.object({ name: z.string(), tbl_name: z.string(), sql: z.string() }));

/** Made by the platform, or by SQLite for a full-text index. */
const OWN = "name NOT LIKE 'sqlite_%' AND name NOT LIKE 'd1_%' AND name NOT LIKE '_cf_%'";

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const list = (names: string[]): string => names.map(quoted).join(", ");

const tablesOf = (database: DatabaseSync) =>
  Tables.parse(
    database
      .prepare(`SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type <> 'shadow' AND ${OWN}`)
      .all(),
  );
const columnsOf = (database: DatabaseSync, table: string) =>
  Columns.parse(database.prepare("SELECT * FROM pragma_table_info(?)").all(table));
const uniqueIndexesOf = (database: DatabaseSync, table: string) =>
  Indexes.parse(
    database
      .prepare(
        "SELECT l.name, l.[unique], s.sql FROM pragma_index_list(?) l LEFT JOIN sqlite_schema s ON s.name = l.name WHERE l.[unique] = 1",
      )
      .all(table),
  );
const columnsOfIndex = (database: DatabaseSync, index: string): string[] =>
  IndexColumns.parse(database.prepare("SELECT name FROM pragma_index_info(?)").all(index)).flatMap(
    ({ name }) => name ?? [],
  );
const triggersOf = (database: DatabaseSync) =>
  Triggers.parse(database.prepare("SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger'").all());

/** `(a, b COLLATE NOCASE) WHERE …` of an index' own SQL: what ON CONFLICT has to name. */
const targetOf = (sql: string): string => sql.slice(sql.indexOf("(", sql.search(/\bON\b/i)));

/** All that a program which knows this schema may do with a table: read and write each column, and run into each unique index. */
function statementsOn(
  database: DatabaseSync,
  { name, type }: { name: string; type: string },
  retired: string[],
): string[] {
  const columns = columnsOf(database, name)
    .map((column) => column.name)
    .filter((column) => !retired.includes(`${name}.${column}`));
  const table = quoted(name);
  const reads = [`SELECT ${list(columns)} FROM ${table}`];
  if (type === "view") return reads;
  const insert = `INSERT INTO ${table} (${list(columns)}) SELECT ${columns.map(() => "NULL").join(", ")}`;
  const changes = columns.map((column) => `${quoted(column)} = ${quoted(column)}`).join(", ");
  const writes = [insert, `UPDATE ${table} SET ${changes}`, `DELETE FROM ${table}`];
  const conflicts = uniqueIndexesOf(database, name).map((index) => {
    const target = index.sql ? targetOf(index.sql) : `(${list(columnsOfIndex(database, index.name))})`;
    return `${insert} WHERE true ON CONFLICT ${target} DO NOTHING`;
  });
  return [...reads, ...writes, ...(type === "virtual" ? [] : conflicts)];
}

/** What prepares on the old schema, and does not on the new one. */
function unprepared(old: DatabaseSync, next: DatabaseSync, retired: string[]): string[] {
  return tablesOf(old)
    .filter(({ name }) => !retired.includes(name))
    .flatMap((table) => statementsOn(old, table, retired))
    .flatMap((statement) => {
      try {
        next.prepare(`EXPLAIN ${statement}`).all();
        return [];
      } catch (error) {
        return [`${error instanceof Error ? error.message : error}: ${statement}`];
      }
    });
}

/** Rows that the old version writes, and the new schema would not take. */
function unwritable(old: DatabaseSync, next: DatabaseSync): string[] {
  return tablesOf(old)
    .filter(({ type }) => type === "table")
    .flatMap(({ name }) => {
      const before = new Map(columnsOf(old, name).map((column) => [column.name, column]));
      const required = columnsOf(next, name)
        .filter((column) => column.notnull === 1 && column.dflt_value === null && column.pk === 0)
        .filter((column) => before.get(column.name)?.notnull !== 1)
        .map((column) => `${name}.${column.name} must be written, which the version before does not`);
      const retyped = columnsOf(next, name)
        .filter(({ name: column, type }) => before.has(column) && before.get(column)?.type !== type)
        .map((column) => `${name}.${column.name} has another type`);
      const known = new Set(uniqueIndexesOf(old, name).map((index) => index.sql ?? index.name));
      const unique = uniqueIndexesOf(next, name)
        .filter((index) => !known.has(index.sql ?? index.name))
        .filter((index) => columnsOfIndex(next, index.name).every((column) => before.has(column)))
        .map((index) => `${index.name} makes unique what the version before may write twice`);
      return [...required, ...retyped, ...unique];
    });
}

/** Triggers that refuse what was not refused before. */
function refusing(old: DatabaseSync, next: DatabaseSync): string[] {
  const known = new Set(triggersOf(old).map(({ sql }) => sql));
  const tables = new Set(tablesOf(old).map(({ name }) => name));
  return triggersOf(next)
    .filter(({ sql, tbl_name }) => tables.has(tbl_name) && /\bRAISE\s*\(/i.test(sql) && !known.has(sql))
    .map(({ name, tbl_name }) => `${name} refuses writes to ${tbl_name} that the version before makes`);
}

/** `-- retired: table` or `-- retired: table.column` in a migration: what the version that runs uses no more. */
const retiredIn = (migrations: string): string[] =>
  [...migrations.matchAll(/^--\s*retired:\s*([\w.]+)/gm)].flatMap(([, name]) => name ?? []);

/**
 * @param released the schema of the version that runs, as SQL
 * @param migrations all migrations of the next version, as SQL
 * @returns what would break in the version that runs; nothing, if it may go on
 */
export function incompatibilities(released: string, migrations: string): string[] {
  const [old, next] = [new DatabaseSync(":memory:"), new DatabaseSync(":memory:")];
  old.exec(released);
  next.exec(migrations);
  return [...unprepared(old, next, retiredIn(migrations)), ...unwritable(old, next), ...refusing(old, next)];
}
