/** Append-only schema changes of an object's own SQLite. */

/** SQL, or what SQL cannot do. */
export type MigrationStep = string | ((sql: SqlStorage) => void);

/** What an object's database is to be. */
export type ObjectSchema = {
  /** Only ever grows: an object may sleep through any number of releases. */
  steps: readonly MigrationStep[];
  /** What the steps lead to, for a new object: that takes one statement instead of years of them. */
  latest?: string;
};

/** Whether an object has a table that is made when it is first needed. */
export const hasTable = (sql: SqlStorage, name: string): boolean =>
  sql.exec("SELECT 1 FROM sqlite_master WHERE name = ?", name).toArray().length > 0;

/** Brings the object's database up to date. Runs in the constructor; costs one row read when there is nothing to do. */
export function migrate(storage: DurableObjectStorage, { steps, latest }: ObjectSchema): void {
  const { sql } = storage;
  sql.exec("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)");
  const [row] = sql.exec<{ version: number }>("SELECT version FROM schema_version").toArray();
  const done = row?.version ?? 0;
  if (done >= steps.length) return;
  storage.transactionSync(() => {
    const due = latest !== undefined && !row ? [latest] : steps.slice(done);
    for (const step of due) {
      if (typeof step === "string") sql.exec(step);
      else step(sql);
    }
    sql.exec(
      row ? "UPDATE schema_version SET version = ?" : "INSERT INTO schema_version (version) VALUES (?)",
      steps.length,
    );
  });
}
