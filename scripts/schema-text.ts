/** The schema as one page, made from what SQLite itself says of a migrated database: each table with all that hangs on it. */

/** A row of `sqlite_schema`. */
export type SchemaRow = { type: string; name: string; tbl_name: string; sql: string | null };

const HEADER = `-- Every table of the database with its indexes and its triggers, as the migrations leave it, by name.
-- Generated: \`npm run schema\` writes it after a migration. Never applied; migrations/ is what counts.
-- "On INSERT: updates users" names what triggers do in the same transaction; "tells stream:…" is a row in the outbox.
`;

/** SQLite's, D1's and Miniflare's own tables. */
const IS_INTERNAL = /^(?:sqlite_|d1_|_cf_|_mf_)/;

/** A full-text index keeps its own tables, named after it. */
function isShadow({ type, name }: SchemaRow, rows: SchemaRow[]): boolean {
  return type === "table" && rows.some((row) => isVirtual(row) && name.startsWith(`${row.name}_`));
}

const isVirtual = ({ type, sql }: SchemaRow): boolean => type === "table" && /^create virtual table/i.test(sql ?? "");

/** The whole page, from `SELECT type, name, tbl_name, sql FROM sqlite_schema`. */
export function schemaText(rows: SchemaRow[]): string {
  const shown = rows
    .filter((row) => row.sql !== null && !IS_INTERNAL.test(row.name) && !isShadow(row, rows))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const triggers = shown.filter(({ type }) => type === "trigger");
  const parts = (type: string) => shown.filter((row) => row.type === type);
  const sections = parts("table").map((table) => {
    const own = (type: string) => parts(type).filter(({ tbl_name }) => tbl_name === table.name);
    const title = [`-- ── ${table.name} ──`, ...effects(own("trigger")), ...writers(table.name, triggers)].join("\n");
    return [title, ...[table, ...own("index"), ...own("trigger")].map(statement)].join("\n");
  });
  const views = parts("view").map((view) => [`-- ── ${view.name} (a view) ──`, statement(view)].join("\n"));
  return `${[HEADER.trimEnd(), ...sections, ...views].join("\n\n")}\n`;
}

const statement = ({ sql }: SchemaRow): string => `${sql};`;

const EVENT = /\b(?:before|after|instead of)\s+(insert|delete|update)(?:\s+of\s+([\w\s,]+?))?\s+on\b/i;

/** One line for each trigger: `On DELETE: …`. */
function effects(triggers: SchemaRow[]): string[] {
  const lines = triggers.map(({ name, sql }) => {
    const [, event = "", columns] = EVENT.exec(sql ?? "") ?? [];
    const when = event.toUpperCase() + (columns ? ` OF ${columns.replace(/\s+/g, " ")}` : "");
    return `-- On ${when}: ${[...new Set(deeds(sql ?? "").map(said))].join(", ")} (${name})`;
  });
  return lines.sort();
}

/** Whose triggers write to this table. */
function writers(table: string, triggers: SchemaRow[]): string[] {
  const names = triggers.filter(({ sql }) => deeds(sql ?? "").some((deed) => deed.table === table));
  if (names.length === 0 || table === "outbox") return [];
  return [`-- Written by triggers on: ${[...new Set(names.map(({ tbl_name }) => tbl_name))].sort().join(", ")}`];
}

type Deed = { verb: string; table: string; told: string[] };

const DEED = /\b(?:(insert)\s+(?:or\s+\w+\s+)?into|(update)(?:\s+or\s+\w+)?|(delete)\s+from)\s+"?(\w+)"?/gi;
const VERBS: Record<string, string> = { insert: "inserts into", update: "updates", delete: "deletes from" };

/** The statements in a trigger's body. */
function deeds(sql: string): Deed[] {
  const body = sql.slice(sql.search(/\bbegin\b/i)).replace(/--[^\n]*/g, "");
  const found = [...body.matchAll(DEED)].filter(([, , update, , table]) => !(update && table?.toLowerCase() === "set"));
  return found.map((match, at) => {
    const [, insert, update, , table = ""] = match;
    const own = body.slice(match.index, found[at + 1]?.index);
    const told = table === "outbox" ? [...own.matchAll(/'(\w+):'/g)].map(([, kind]) => `${kind}:…`) : [];
    return { verb: VERBS[insert ? "insert" : update ? "update" : "delete"] ?? "", table, told };
  });
}

const said = ({ verb, table, told }: Deed): string =>
  table === "outbox" ? `tells ${[...new Set(told)].join(" and ")}` : `${verb} ${table}`;
