/** What a user's object holds in its SQLite. Append-only: each step is one release's. */
import { FRAME_LOG_SCHEMA, FRAME_PEOPLE_SCHEMA } from "../realtime/log.ts";
import type { MigrationStep, ObjectSchema } from "../realtime/migrations.ts";
import { peopleIn } from "../realtime/people.ts";
import { USER_REFERENCES_SCHEMA } from "../realtime/user-references.ts";
import { PUSHES_SCHEMA } from "./pushes.ts";

const STEPS: readonly MigrationStep[] = [
  FRAME_LOG_SCHEMA,
  `CREATE TABLE places (kind TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID;
   CREATE TABLE errands (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, errand TEXT NOT NULL);
   CREATE TABLE cut_offs (at INTEGER NOT NULL, cut TEXT NOT NULL);
   CREATE TABLE last_delivery (id INTEGER NOT NULL);`,
  `ALTER TABLE places RENAME TO room_references;
   ALTER TABLE errands RENAME TO pending_notices;
   ALTER TABLE pending_notices RENAME COLUMN errand TO notice;
   UPDATE pending_notices SET notice = json_remove(json_set(notice, '$.revocation', json_extract(notice, '$.cut')), '$.cut')
   WHERE json_extract(notice, '$.cut') IS NOT NULL;
   ALTER TABLE cut_offs RENAME TO revocations;
   ALTER TABLE revocations RENAME COLUMN cut TO revocation;`,
  // Ordered by counters instead of clocks. Revocations matter for minutes: those of the release before are forgotten.
  `ALTER TABLE room_references ADD COLUMN visit INTEGER NOT NULL DEFAULT 0;
   DROP TABLE revocations;
   CREATE TABLE revocations (as_of INTEGER NOT NULL, at INTEGER NOT NULL, revocation TEXT NOT NULL);`,
  `${FRAME_PEOPLE_SCHEMA} ${USER_REFERENCES_SCHEMA}`,
  referToPeople,
  // Up to here the user's connections have been sent everything; what an earlier release logged counts as sent.
  `CREATE TABLE queue_start (seq INTEGER NOT NULL);
   INSERT INTO queue_start SELECT coalesce(max(seq), 0) FROM log;`,
  // Whether friends were last told that the user is online, and when.
  `CREATE TABLE presence_told (is_online INTEGER NOT NULL, at INTEGER NOT NULL);
   INSERT INTO presence_told (is_online, at) VALUES (0, 0);`,
  PUSHES_SCHEMA,
];

const LATEST = `
  CREATE TABLE log (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, frame TEXT NOT NULL, delivery_id INTEGER, people TEXT);
  CREATE TABLE log_epoch (epoch TEXT NOT NULL);
  CREATE TABLE room_references (
    kind TEXT NOT NULL, name TEXT NOT NULL, visit INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (kind, name)
  ) WITHOUT ROWID;
  CREATE TABLE pending_notices (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, notice TEXT NOT NULL);
  CREATE TABLE last_delivery (id INTEGER NOT NULL);
  CREATE TABLE revocations (as_of INTEGER NOT NULL, at INTEGER NOT NULL, revocation TEXT NOT NULL);
  CREATE TABLE queue_start (seq INTEGER NOT NULL);
  INSERT INTO queue_start (seq) VALUES (0);
  CREATE TABLE presence_told (is_online INTEGER NOT NULL, at INTEGER NOT NULL);
  INSERT INTO presence_told (is_online, at) VALUES (0, 0);
  ${USER_REFERENCES_SCHEMA} ${PUSHES_SCHEMA}`;

export const HUB_SCHEMA: ObjectSchema = { steps: STEPS, latest: LATEST };

/** Whom the frames of earlier releases name. */
function referToPeople(sql: SqlStorage): void {
  for (const { seq, frame } of sql.exec<{ seq: number; frame: string }>("SELECT seq, frame FROM log").toArray()) {
    const people = JSON.stringify(peopleIn(JSON.parse(frame)));
    sql.exec("UPDATE log SET people = ? WHERE seq = ?", people, seq);
    sql.exec("INSERT OR IGNORE INTO user_references (user_id) SELECT value FROM json_each(?)", people);
  }
}
