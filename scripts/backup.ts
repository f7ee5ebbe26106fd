/** `npm run backup -- --to FOLDER`: the database and the files. With `--remote`, production's (docs/backup.md). */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyBucket } from "./bucket-copy.ts";
import { copyDatabase } from "./database-copy.ts";
import { withStorage } from "./storage.ts";
import { option } from "./tools.ts";

const args = process.argv.slice(2);
const folder = option(args, "to");
if (!folder || existsSync(join(folder, "database.json"))) {
  console.error("Usage: npm run backup -- --to FOLDER [--remote] [--persist-to FOLDER]; FOLDER has no backup yet.");
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
// For nobody else on this machine: it has everybody's private messages.
const write = (name: string, value: unknown) =>
  writeFileSync(join(folder, name), JSON.stringify(value), { mode: 0o600 });

await withStorage(args, async ({ DB, FILES }) => {
  const database = await copyDatabase(DB);
  // The files come after the rows that name them, so that none is missing but what was deleted meanwhile.
  const objects = await copyBucket(FILES, folder);
  write("objects.json", objects);
  write("database.json", database);
  const rows = Object.values(database.tables).reduce((sum, table) => sum + table.length, 0);
  console.log(`${rows} rows and ${objects.length} files are in ${folder}.`);
});
