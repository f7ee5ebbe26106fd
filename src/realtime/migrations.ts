/** Append-only schema changes of an object's own SQLite. */

/** SQL, or what SQL cannot do. */
export type MigrationStep = string | ((sql: SqlStorage) => void);

/** Whether an object has a table that is made when it is first needed. */
export const hasTable = (sql: SqlStorage, name: string): boolean =>
  sql.exec("SELECT 1 FROM sqlite_master WHERE name = ?", name).toArray().length > 0;

/**
 * Brings the object's database up to date. `steps` only ever grows: an object may sleep through any number of releases.
 * Runs in the constructor; costs one row read when there is nothing to do.
 */
export function migrate(storage: DurableObjectStorage, steps: readonly MigrationStep[]): void {
  const { sql } = storage;
  sql.exec("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)");
  const [row] = sql.exec<{ version: number }>("SELECT version FROM schema_version").toArray();
  const done = row?.version ?? 0;
  if (done >= steps.length) return;
  storage.transactionSync(() => {
    for (const step of steps.slice(done)) {
      if (typeof step === "string") sql.exec(step);
      else step(sql);
    }
    sql.exec(
      row ? "UPDATE schema_version SET version = ?" : "INSERT INTO schema_version (version) VALUES (?)",
      steps.length,
    );
  });
}
