/** A chat's own SQLite. Steps are append-only: a room may sleep through any number of releases. */
import type { MigrationStep, ObjectSchema } from "../realtime/migrations.ts";
import { USER_REFERENCES_SCHEMA } from "../realtime/user-references.ts";
import { reactionKey } from "./reactions.ts";

/**
 * nr: how many messages the log had by this row, so that what lies between two positions is a subtraction.
 * target: what an edit, deletion or reaction is about; of a message, what it replies to.
 */
const LOG = `
   CREATE TABLE log (
     seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, nr INTEGER NOT NULL, user_id INTEGER, target INTEGER,
     type TEXT, content TEXT, file_url TEXT, client_id TEXT, edited_at INTEGER, deleted_at INTEGER,
     action TEXT, count INTEGER
   );
   CREATE UNIQUE INDEX log_once ON log (user_id, client_id) WHERE client_id IS NOT NULL;
   CREATE INDEX log_rare ON log (type, seq) WHERE type <> 'text';
   CREATE INDEX log_deletions ON log (target) WHERE kind = 'deletion';`;

const STEPS: readonly MigrationStep[] = [
  `${LOG}
   CREATE TABLE people (
     user_id INTEGER PRIMARY KEY, username TEXT NOT NULL, avatar_url TEXT, is_recorded INTEGER NOT NULL DEFAULT 0
   );
   CREATE TABLE reactions (
     message INTEGER NOT NULL, emoji TEXT NOT NULL, user_id INTEGER NOT NULL, PRIMARY KEY (message, emoji, user_id)
   ) WITHOUT ROWID;
   CREATE TABLE mutes (user_id INTEGER PRIMARY KEY, until INTEGER NOT NULL);
   CREATE TABLE departed (user_id INTEGER PRIMARY KEY, version INTEGER NOT NULL);
   CREATE TABLE state (
     epoch TEXT NOT NULL, facts TEXT, synced_seq INTEGER NOT NULL DEFAULT 0, indexed_seq INTEGER NOT NULL DEFAULT 0,
     closed_at INTEGER
   );`,
  `CREATE VIRTUAL TABLE search USING fts5(content, content='', columnsize=0, detail=none, tokenize='trigram');
   CREATE TABLE counts (
     day TEXT NOT NULL, user_id INTEGER NOT NULL, type TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (day, user_id, type)
   ) WITHOUT ROWID;`,
  // Whoever a row names, the database is told of by one mechanism; before, of authors alone.
  `${USER_REFERENCES_SCHEMA}
   INSERT INTO user_references (user_id, is_recorded) SELECT user_id, is_recorded FROM people;
   INSERT OR IGNORE INTO user_references (user_id)
     SELECT user_id FROM log WHERE user_id IS NOT NULL UNION SELECT user_id FROM reactions
     UNION SELECT user_id FROM mutes UNION SELECT user_id FROM departed;
   ALTER TABLE people DROP COLUMN is_recorded;
   ALTER TABLE state RENAME COLUMN facts TO info;
   ALTER TABLE state ADD COLUMN crowd_told INTEGER;`,
  // Messages are searched, and reactions counted, by what folding makes of them: the index is filled anew.
  `DROP TABLE search;
   CREATE VIRTUAL TABLE search
     USING fts5(content, content='', columnsize=0, detail=none, tokenize='trigram case_sensitive 1');
   CREATE VIRTUAL TABLE search_terms USING fts5vocab(search, row);
   DELETE FROM counts;
   UPDATE state SET indexed_seq = 0;
   ALTER TABLE reactions RENAME TO reactions_unfolded;
   CREATE TABLE reactions (
     message INTEGER NOT NULL, key TEXT NOT NULL, user_id INTEGER NOT NULL, emoji TEXT NOT NULL,
     PRIMARY KEY (message, key, user_id)
   ) WITHOUT ROWID;`,
  foldReactions,
  // What only rooms with members have (a stream's chat takes the steps above): what their members' lists were last told.
  `ALTER TABLE state ADD COLUMN activity_seq INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE state ADD COLUMN activity_at INTEGER NOT NULL DEFAULT 0;
   UPDATE state SET activity_seq = coalesce((SELECT max(seq) FROM log), 0);
   CREATE TABLE pending_mentions (seq INTEGER PRIMARY KEY);`,
  // What was said before anybody outside could hear of it is not told.
  `ALTER TABLE state ADD COLUMN told_seq INTEGER NOT NULL DEFAULT 0;
   UPDATE state SET told_seq = coalesce((SELECT max(seq) FROM log), 0);`,
];

/** A stream's chat takes the steps up to here. */
export const SHARED_STEPS = STEPS.slice(0, 5);

/** A new chat's tables; `more`: columns of its kind's state, a comma before each. */
export const chatTables = (more: string): string => `
   ${LOG}
   CREATE TABLE people (user_id INTEGER PRIMARY KEY, username TEXT NOT NULL, avatar_url TEXT);
   CREATE TABLE reactions (
     message INTEGER NOT NULL, key TEXT NOT NULL, user_id INTEGER NOT NULL, emoji TEXT NOT NULL,
     PRIMARY KEY (message, key, user_id)
   ) WITHOUT ROWID;
   CREATE TABLE mutes (user_id INTEGER PRIMARY KEY, until INTEGER NOT NULL);
   CREATE TABLE departed (user_id INTEGER PRIMARY KEY, version INTEGER NOT NULL);
   CREATE TABLE state (
     epoch TEXT NOT NULL, info TEXT, synced_seq INTEGER NOT NULL DEFAULT 0, indexed_seq INTEGER NOT NULL DEFAULT 0,
     closed_at INTEGER, crowd_told INTEGER${more}
   );
   CREATE VIRTUAL TABLE search
     USING fts5(content, content='', columnsize=0, detail=none, tokenize='trigram case_sensitive 1');
   CREATE VIRTUAL TABLE search_terms USING fts5vocab(search, row);
   CREATE TABLE counts (
     day TEXT NOT NULL, user_id INTEGER NOT NULL, type TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (day, user_id, type)
   ) WITHOUT ROWID;
   ${USER_REFERENCES_SCHEMA}`;

/** Group, private and course rooms. */
export const CHAT_ROOM_SCHEMA: ObjectSchema = {
  steps: STEPS,
  latest: `${chatTables(`, activity_seq INTEGER NOT NULL DEFAULT 0, activity_at INTEGER NOT NULL DEFAULT 0,
     told_seq INTEGER NOT NULL DEFAULT 0`)}
   CREATE TABLE pending_mentions (seq INTEGER PRIMARY KEY);`,
};

/** Reactions that look the same become one: whoever gave both has given one, and it is shown as it came first. */
function foldReactions(sql: SqlStorage): void {
  type Row = { message: number; emoji: string; user_id: number };
  for (const { message, emoji, user_id } of sql.exec<Row>("SELECT * FROM reactions_unfolded").toArray()) {
    const key = reactionKey(emoji);
    sql.exec(
      `INSERT OR IGNORE INTO reactions (message, key, user_id, emoji) VALUES (?1, ?2, ?3,
         coalesce((SELECT emoji FROM reactions WHERE message = ?1 AND key = ?2 LIMIT 1), ?4))`,
      message,
      key,
      user_id,
      emoji,
    );
  }
  sql.exec("DROP TABLE reactions_unfolded");
}
