import { env } from "cloudflare:workers";
import { getTableColumns, getTableName, is } from "drizzle-orm";
import { SQLiteTable } from "drizzle-orm/sqlite-core";
import { expect, it } from "vitest";
import * as tables from "../src/db/tables.ts";

const declared = Object.values(tables).filter((table) => is(table, SQLiteTable));

it("src/db/tables.ts names exactly the columns that the migrations make", async () => {
  expect(declared.length).toBeGreaterThan(15);
  for (const table of declared) {
    const name = getTableName(table);
    const { results } = await env.DB.prepare("SELECT name, [notnull] FROM pragma_table_info(?)").bind(name).all();
    const made = results.map((column) => column.name).sort();
    const wanted = Object.values(getTableColumns(table)).map((column) => column.name);
    expect({ [name]: wanted.sort() }).toEqual({ [name]: made });
  }
});
