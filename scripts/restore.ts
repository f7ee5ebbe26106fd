/**
 * `npm run restore -- --from FOLDER`: makes the database what it was when the backup was made, and puts back the files. With
 * `--remote`, production's. `--renew` instead of `--from`: only what has to follow when the database was set back by other
 * means (docs/backup.md).
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ObjectList, restoreBucket } from "./bucket-copy.ts";
import { DatabaseCopy, readSchema, readSequences, restoration } from "./database-copy.ts";
import { renewal } from "./renewal.ts";
import { withStorage } from "./storage.ts";
import { option, runWrangler, whereOf } from "./tools.ts";

const args = process.argv.slice(2);
const where = whereOf(args);
const from = option(args, "from");
if ((from === undefined) !== args.includes("--renew")) {
  console.error("Usage: npm run restore -- --from FOLDER | --renew [--remote] [--persist-to FOLDER]");
  process.exit(2);
}
const read = (name: string): unknown => JSON.parse(readFileSync(join(from ?? "", name), "utf8"));

/** All of them take effect, or none does (platform docs, D1 "Import data"). */
function execute(statements: string[]): void {
  const folder = mkdtempSync(join(tmpdir(), "roomcast-restore-"));
  const file = join(folder, "restore.sql");
  writeFileSync(file, `${statements.join(";\n")};\n`, { mode: 0o600 });
  try {
    runWrangler(["d1", "execute", "DB", ...where, "--yes", "--file", file]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const now = await withStorage(args, async ({ DB }) => {
  const schema = await readSchema(DB);
  const isNew = !schema.some(({ sql }) => /AUTOINCREMENT/i.test(sql));
  return { schema, sequences: isNew ? {} : await readSequences(DB) };
});
if (from === undefined) {
  execute(renewal(now.sequences));
  console.log("The database has a new generation: every client comes back, and refetches.");
} else {
  execute(restoration(DatabaseCopy.parse(read("database.json")), now));
  runWrangler(["d1", "migrations", "apply", "DB", ...where]);
  const objects = ObjectList.parse(read("objects.json"));
  const { restored, newer } = await withStorage(args, ({ FILES }) => restoreBucket(FILES, from, objects));
  console.log(
    `The database is what it was, with a new generation. ${restored} of ${objects.length} files were put back.`,
  );
  if (newer > 0) console.log(`${newer} files that came since the backup are still in the bucket; no row names them.`);
}
