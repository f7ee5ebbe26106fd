/** Migrations of a database on a disk: those that are missing, each as a whole, noted in the table that wrangler has for it. */
import type { D1Database } from "@cloudflare/workers-types";

export type Migration = { name: string; statements: string[] };

/** What `npm run bundle` leaves for the server beside the Worker. */
export type Bundle = {
  compatibility: { compatibilityDate: string; compatibilityFlags: string[] };
  durableObjects: Record<string, { className: string; useSQLite: true }>;
  migrations: Migration[];
};

const APPLIED =
  "CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)";

/** @returns the names of those that were applied now */
export async function migrate(
  database: Pick<D1Database, "prepare" | "batch">,
  migrations: Migration[],
): Promise<string[]> {
  await database.prepare(APPLIED).run();
  const { results } = await database.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const known = new Set(results.map(({ name }) => name));
  const missing = migrations.filter(({ name }) => !known.has(name));
  for (const { name, statements } of missing) {
    const note = database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name);
    // One transaction: a crash leaves all of it, or nothing.
    await database.batch([...statements.map((statement) => database.prepare(statement)), note]);
  }
  return missing.map(({ name }) => name);
}
