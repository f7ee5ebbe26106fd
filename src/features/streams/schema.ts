/** The SQLite of a stream's room: a chat's, and how many viewers were last told. Steps are append-only. */
import { chatTables, SHARED_STEPS } from "../../chat/schema.ts";
import { LAST_DELIVERY_SCHEMA } from "../../realtime/deliveries.ts";
import type { MigrationStep, ObjectSchema } from "../../realtime/migrations.ts";
import { RENAMED_TRACES, TRACES_SCHEMA } from "../../realtime/user-references.ts";
import { AUDIENCES_SCHEMA } from "./audience/audiences.ts";

/** What a chat's tables get in the way of. */
const MAKE_WAY = `
  DROP INDEX log_once;
  DROP INDEX user_references_unrecorded;
  ALTER TABLE log RENAME TO frames;
  ALTER TABLE mutes RENAME TO old_mutes;
  ALTER TABLE user_references RENAME TO old_references;`;

/** A frame of the log that has an author is a message; one that was deleted had the news of it in its place. */
const TAKE_OVER = `
  INSERT INTO log (seq, at, kind, nr, user_id, target, type, content, client_id, deleted_at)
    SELECT seq, at, kind, sum(kind = 'message') OVER (ORDER BY seq), nullif(user_id, 0),
      iif(kind = 'deletion', CAST(json_extract(frame, '$.data.messageId') AS INTEGER), NULL),
      CASE kind WHEN 'message' THEN 'text' WHEN 'notice' THEN json_extract(frame, '$.type') END,
      CASE kind WHEN 'message' THEN iif(is_deleted, '', json_extract(frame, '$.data.message'))
        WHEN 'notice' THEN json_extract(frame, '$.data') END,
      client_id, iif(is_deleted, at, NULL)
    FROM (SELECT *, CASE WHEN user_id IS NOT NULL THEN 'message'
      WHEN json_extract(frame, '$.type') = 'chat_message_deleted' THEN 'deletion' ELSE 'notice' END AS kind FROM frames);
  INSERT INTO people (user_id, username)
    SELECT user_id, username FROM (
      SELECT user_id, json_extract(frame, '$.data.username') AS username, max(seq) FROM frames
      WHERE user_id > 0 AND NOT is_deleted GROUP BY user_id);
  INSERT INTO mutes (user_id, until) SELECT user_id, until FROM old_mutes;
  INSERT INTO user_references (user_id, is_recorded) SELECT user_id, is_recorded FROM old_references;
  INSERT OR IGNORE INTO user_references (user_id) SELECT user_id FROM mutes;
  ALTER TABLE state ADD COLUMN shown_viewers INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE state ADD COLUMN told_viewers INTEGER NOT NULL DEFAULT 0;
  INSERT INTO state (epoch, info, shown_viewers, told_viewers)
    SELECT epoch, iif(owner_id IS NULL, NULL, json_object('version', 0, 'kind', 'stream', 'courseId', NULL, 'name', NULL,
      'ownerId', owner_id, 'slowModeSeconds', slow_seconds, 'isBlocked', json('false'))), shown_viewers, told_viewers
    FROM room;
  DROP TABLE frames;
  DROP TABLE old_mutes;
  DROP TABLE old_references;
  DROP TABLE room;`;

const STEPS: readonly MigrationStep[] = [
  // Only rows of messages have an author; only those that a client named have an index entry.
  `CREATE TABLE log (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, frame TEXT NOT NULL,
     user_id INTEGER, client_id TEXT, is_deleted INTEGER NOT NULL DEFAULT 0);
   CREATE UNIQUE INDEX log_once ON log (user_id, client_id) WHERE client_id IS NOT NULL;
   CREATE TABLE mutes (user_id INTEGER PRIMARY KEY, until INTEGER NOT NULL);
   CREATE TABLE room (epoch TEXT NOT NULL, owner_id INTEGER, slow_seconds INTEGER NOT NULL DEFAULT 0,
     shown_viewers INTEGER NOT NULL DEFAULT 0, told_viewers INTEGER NOT NULL DEFAULT 0,
     last_delivery INTEGER NOT NULL DEFAULT 0);`,
  `${TRACES_SCHEMA}
   INSERT INTO traces (user_id) SELECT DISTINCT user_id FROM log WHERE user_id IS NOT NULL;`,
  RENAMED_TRACES,
  // What was delivered last is the base's to keep (realtime/deliveries.ts).
  `${LAST_DELIVERY_SCHEMA}
   INSERT INTO last_delivery (id) SELECT last_delivery FROM room WHERE last_delivery > 0;
   ALTER TABLE room DROP COLUMN last_delivery;`,
  // From here on it is a chat as any other. What all chats are given later comes after all that stand here.
  MAKE_WAY,
  ...SHARED_STEPS,
  TAKE_OVER,
  // How many play the stream from the media server.
  "ALTER TABLE state ADD COLUMN players INTEGER NOT NULL DEFAULT 0;",
  AUDIENCES_SCHEMA,
];

export const STREAM_ROOM_SCHEMA: ObjectSchema = {
  steps: STEPS,
  latest: `${chatTables(`, shown_viewers INTEGER NOT NULL DEFAULT 0, told_viewers INTEGER NOT NULL DEFAULT 0,
     players INTEGER NOT NULL DEFAULT 0`)}
   ${LAST_DELIVERY_SCHEMA} ${AUDIENCES_SCHEMA}`,
};
