/** Roomcast on workerd without wrangler's proxy in front: what benchmarks and the chaos run start. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Miniflare } from "miniflare";
import { unstable_splitSqlQuery } from "wrangler";
import { root, runWrangler } from "./tools.ts";

export const COMPATIBILITY = {
  compatibilityDate: "2026-10-23",
  compatibilityFlags: ["no_web_socket_compression"],
};

/** The Worker as it is deployed, built into `folder`. @returns the path of its script */
export function buildWorker(folder: string): string {
  runWrangler(["deploy", "--dry-run", "--outdir", folder]);
  return join(folder, "index.js");
}

/** As wrangler.toml binds them. */
export function durableObjects(): Record<string, { className: string; useSQLite: true }> {
  const toml = readFileSync(join(root, "wrangler.toml"), "utf8");
  const bindings = toml.matchAll(/name = "(\w+)"\nclass_name = "(\w+)"/g);
  return Object.fromEntries(
    [...bindings].map(([, name, className]) => [name, { className: className ?? "", useSQLite: true }]),
  );
}

/** Makes an empty database ours. */
export async function migrate(database: Awaited<ReturnType<Miniflare["getD1Database"]>>): Promise<void> {
  const folder = join(root, "migrations");
  for (const file of readdirSync(folder).sort()) {
    const statements = unstable_splitSqlQuery(readFileSync(join(folder, file), "utf8"));
    await database.batch(statements.map((statement) => database.prepare(statement)));
  }
}
