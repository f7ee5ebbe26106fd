/** `npm run schema`: writes src/db/schema.sql from the migrations. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { schemaText } from "./schema-text.ts";
import { root } from "./tools.ts";

const Rows = z.array(
  z.object({ type: z.string(), name: z.string(), tbl_name: z.string(), sql: z.string().nullable() }),
);

const database = new DatabaseSync(":memory:");
const folder = join(root, "migrations");
for (const file of readdirSync(folder).sort()) database.exec(readFileSync(join(folder, file), "utf8"));
const rows = database.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema").all();
writeFileSync(join(root, "src/db/schema.sql"), schemaText(Rows.parse(rows)));
