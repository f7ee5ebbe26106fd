import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { getTableColumns, getTableName, is } from "drizzle-orm";
import { SQLiteTable } from "drizzle-orm/sqlite-core";
import { beforeAll, expect, it } from "vitest";
import { type SchemaRow, schemaText } from "../scripts/schema-text.ts";
import page from "../src/db/schema.sql?raw";
import * as tables from "../src/db/tables.ts";

const readSchema = (database: D1Database) =>
  database.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema").all<SchemaRow>();

beforeAll(() => applyD1Migrations(env.EMPTY_DB, env.TEST_MIGRATIONS));

const declared = Object.values(tables).filter((table) => is(table, SQLiteTable));

it("src/db/tables.ts names exactly the columns that the migrations make", async () => {
  expect(declared.length).toBeGreaterThan(15);
  for (const table of declared) {
    const name = getTableName(table);
    const { results } = await env.EMPTY_DB.prepare("SELECT name, [notnull] FROM pragma_table_info(?)").bind(name).all();
    const made = results.map((column) => column.name).sort();
    const wanted = Object.values(getTableColumns(table)).map((column) => column.name);
    expect({ [name]: wanted.sort() }).toEqual({ [name]: made });
  }
});

it("src/db/schema.sql shows what the migrations make: after a new one, run `npm run schema`", async () => {
  const { results } = await readSchema(env.EMPTY_DB);
  expect(schemaText(results)).toBe(page);
});

it("the database of all other tests is the one that the migrations make", async () => {
  const { results } = await readSchema(env.DB);
  expect(schemaText(results)).toBe(page);
});

it("src/db/schema.sql says what each table's triggers do elsewhere, and whom they tell", () => {
  const section = page.slice(page.indexOf("-- ── videos ──"), page.indexOf("-- ── videos_search ──"));
  expect(section).toContain("-- On DELETE: updates users, deletes from likes");
  expect(section).toContain("tells orphans:… (videos_delete)");
  expect(section).toContain("-- Written by triggers on: comments, likes, video_views");
  expect(section).toContain("CREATE INDEX videos_owner");
  // Of all that is told, nothing is told in silence.
  expect(page.match(/^-- On .*tells/gm)).toHaveLength(page.match(/INSERT INTO outbox/g)?.length ?? 0);
});
