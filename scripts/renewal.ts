/** What has to be done to a database that was set back, however that was done (docs/backup.md). */

/** Numbers that may have been given after the backup, and are lost: none of them is given again. */
const MARGIN = 1_000_000;

/** Tables whose rows have numbers. */
const NUMBERED = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'";

/**
 * The statements, in order. `given`: how far each table's numbers had come in the database that was lost, as far as that is
 * known.
 */
export function renewal(given: Record<string, number>): string[] {
  const json = JSON.stringify(given).replaceAll("'", "''");
  return [
    `INSERT INTO sqlite_sequence (name, seq) SELECT name, 0 FROM (${NUMBERED})
      WHERE name NOT IN (SELECT name FROM sqlite_sequence)`,
    `UPDATE sqlite_sequence SET seq = max(seq, coalesce('${json}' ->> name, 0)) + ${MARGIN}
      WHERE name IN (${NUMBERED})`,
    // What was being uploaded is not in the bucket, or not as far as these rows say.
    "DELETE FROM resumable_uploads WHERE file_id IS NULL",
    "DELETE FROM uploads",
    "UPDATE database_generation SET generation = lower(hex(randomblob(16)))",
  ];
}
