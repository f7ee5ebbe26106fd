/** Makes an object's SQLite what an earlier release had left: the first steps of its schema, and the rows of `fill`. */
export function setBack(sql: SqlStorage, steps: readonly unknown[], fill: () => void): void {
  sql.exec("DROP TABLE IF EXISTS search_terms");
  const own = sql.exec<{ name: string }>(
    `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%'
       AND name NOT LIKE 'search_%'`,
  );
  for (const { name } of own.toArray()) sql.exec(`DROP TABLE IF EXISTS ${name}`);
  for (const step of steps) sql.exec(String(step));
  sql.exec("CREATE TABLE schema_version (version INTEGER NOT NULL)");
  sql.exec("INSERT INTO schema_version (version) VALUES (?)", steps.length);
  fill();
}
