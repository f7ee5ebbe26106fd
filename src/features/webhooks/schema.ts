/** The steps of a sender's SQLite. */
import type { MigrationStep } from "../../realtime/migrations.ts";
import { USER_REFERENCES_SCHEMA } from "../../realtime/user-references.ts";
import { EventBody } from "./contract.ts";
import { peopleOf } from "./people.ts";

export const SENDER_SCHEMA: readonly MigrationStep[] = [
  // call: the webhook-id under which it was first sent; events of one call share it. due_at: of what waits.
  `CREATE TABLE queue (
     n INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL UNIQUE, subject TEXT NOT NULL, body TEXT NOT NULL,
     at INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'waiting', call TEXT, due_at INTEGER NOT NULL,
     attempts INTEGER NOT NULL DEFAULT 0, failing_since INTEGER, settled_at INTEGER, status INTEGER, reason TEXT
   );`,
  // people: whose event it is, a JSON array. is_last: of somebody who was erased; it goes once it was sent or given up.
  (sql) => {
    sql.exec(`ALTER TABLE queue ADD COLUMN people TEXT NOT NULL DEFAULT '[]';
      ALTER TABLE queue ADD COLUMN is_last INTEGER NOT NULL DEFAULT 0;
      CREATE INDEX queue_last ON queue (n) WHERE is_last = 1;
      ${USER_REFERENCES_SCHEMA}`);
    const known = Array.from(sql.exec<{ n: number; body: string }>("SELECT n, body FROM queue"), ({ n, body }) => {
      const { type, data } = EventBody.parse(JSON.parse(body));
      return { n, people: JSON.stringify(peopleOf(type, data)) };
    });
    for (const { n, people } of known) sql.exec("UPDATE queue SET people = ? WHERE n = ?", people, n);
    sql.exec("INSERT OR IGNORE INTO user_references (user_id) SELECT p.value FROM queue, json_each(queue.people) p");
  },
];
