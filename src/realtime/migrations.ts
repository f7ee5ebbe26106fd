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

const VERSION_SCHEMA = "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL);";

const SET_VERSION = "INSERT INTO schema_version (version) VALUES (?)";

/** How many steps an object's database has had; undefined: it is new. One row read, and one statement to keep in memory. */
export const versionOf = (sql: SqlStorage): number | undefined =>
  sql.exec<{ version: number }>(`${VERSION_SCHEMA} SELECT version FROM schema_version`).toArray()[0]?.version;

/**
 * Brings the object's database up to date. Runs in the constructor; costs one row read when there is nothing to do, or none if
 * `done` has been read: the version that the database has.
 */
export function migrate(storage: DurableObjectStorage, { steps, latest }: ObjectSchema, done = versionOf(storage.sql)) {
  const { sql } = storage;
  if (done !== undefined && done >= steps.length) return;
  storage.transactionSync(() => {
    if (done === undefined && latest !== undefined) {
      sql.exec(`${latest}; ${SET_VERSION}`, steps.length);
      return;
    }
    for (const step of steps.slice(done)) {
      if (typeof step === "string") sql.exec(step);
      else step(sql);
    }
    sql.exec(done === undefined ? SET_VERSION : "UPDATE schema_version SET version = ?", steps.length);
  });
}
