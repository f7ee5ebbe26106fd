/**
 * A stream room's own SQLite: the log of its frames, who is muted, and the room's settings. One row per message, two more for
 * an author who is new (realtime/user-references.ts).
 */
import { LAST_DELIVERY_SCHEMA } from "../../realtime/deliveries.ts";
import type { Replay, ReplayLog } from "../../realtime/log.ts";
import { migrate } from "../../realtime/migrations.ts";
import { encodeFrame, type Frame } from "../../realtime/protocol.ts";
import { RENAMED_TRACES, TRACES_SCHEMA } from "../../realtime/user-references.ts";

const SCHEMA = [
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
];

/** Who wrote the messages of an erased user. No account has this id. */
const NOBODY = 0;

/** Who has missed more than this reads the history instead: thousands may come back at once. */
const REPLAY_FRAMES = 2000;
/** How far back slow mode looks for somebody's last message after the object has slept. */
const SLOW_MODE_FRAMES = 2000;

/** What a room remembers besides its log. `shown`: to its viewers; `told`: to the database. */
type Settings = {
  epoch: string;
  owner_id: number | null;
  slow_seconds: number;
  shown_viewers: number;
  told_viewers: number;
};
export type StoredMessage = { frame: string; isDeleted: boolean };
type Author = { userId: number; clientId: string | undefined };
export type HistoryPart = { before?: number | undefined; after?: number | undefined; rows: number };

export class StreamStore implements ReplayLog {
  readonly #sql: SqlStorage;
  readonly #settings: Settings;
  #head: number;

  constructor(storage: DurableObjectStorage) {
    migrate(storage, SCHEMA);
    this.#sql = storage.sql;
    this.#settings = this.#load();
    this.#head = this.#sql.exec<{ head: number | null }>("SELECT max(seq) AS head FROM log").one().head ?? 0;
  }

  #load(): Settings {
    const [row] = this.#sql.exec<Settings>("SELECT * FROM room").toArray();
    if (row) return row;
    const epoch = crypto.randomUUID().slice(0, 13);
    return this.#sql.exec<Settings>("INSERT INTO room (epoch) VALUES (?) RETURNING *", epoch).one();
  }

  get settings(): Readonly<Settings> {
    return this.#settings;
  }

  change<K extends Exclude<keyof Settings, "epoch">>(setting: K, value: Settings[K]): void {
    if (this.#settings[setting] === value) return;
    this.#sql.exec(`UPDATE room SET ${setting} = ?`, value);
    this.#settings[setting] = value;
  }

  get head(): number {
    return this.#head;
  }

  get epoch(): string {
    return this.#settings.epoch;
  }

  since(seq: number, epoch: string | undefined): Replay {
    if (epoch !== undefined && epoch !== this.epoch) return { resync: true };
    if (seq > this.#head || this.#head - seq > REPLAY_FRAMES) return { resync: true };
    const rows = this.#sql.exec<{ frame: string }>("SELECT frame FROM log WHERE seq > ? ORDER BY seq", seq);
    return { frames: [...rows].map((row) => row.frame) };
  }

  /** Logs a frame under the next seq. Returns it encoded. Nothing may fail after this in a command. */
  append(at: number, frame: Frame, author?: Author): string {
    const seq = this.#head + 1;
    const encoded = encodeFrame(frame, seq);
    this.#sql.exec(
      "INSERT INTO log (seq, at, frame, user_id, client_id) VALUES (?, ?, ?, ?, ?)",
      seq,
      at,
      encoded,
      author?.userId ?? null,
      author?.clientId ?? null,
    );
    this.#head = seq;
    return encoded;
  }

  /** The message that this author has already sent under this name. */
  sentAs(userId: number, clientId: string): StoredMessage | null {
    return this.#find("user_id = ? AND client_id = ?", userId, clientId);
  }

  message(seq: number): StoredMessage | null {
    return this.#find("seq = ? AND user_id IS NOT NULL", seq);
  }

  #find(where: string, ...values: (string | number)[]): StoredMessage | null {
    type Row = { frame: string; is_deleted: number };
    const [row] = this.#sql.exec<Row>(`SELECT frame, is_deleted FROM log WHERE ${where}`, ...values).toArray();
    return row ? { frame: row.frame, isDeleted: row.is_deleted === 1 } : null;
  }

  /** Takes a message's text out of the log. The news of it stands in its place, so that no position goes missing. */
  erase(seq: number, instead: Frame): void {
    this.#sql.exec("UPDATE log SET frame = ?, is_deleted = 1 WHERE seq = ?", encodeFrame(instead, seq), seq);
  }

  /**
   * What this user wrote is nobody's any more, and shown under `name`. One row written for each: erasing is rare.
   */
  anonymise(userId: number, name: string): void {
    this.#sql.exec(
      `UPDATE log SET user_id = ?, client_id = NULL, frame = CASE WHEN is_deleted = 1 THEN frame
         ELSE json_set(frame, '$.data.userId', NULL, '$.data.username', ?) END
       WHERE user_id = ?`,
      NOBODY,
      name,
      userId,
    );
    this.#sql.exec("DELETE FROM mutes WHERE user_id = ?", userId);
  }

  /** Everything that was said. */
  clear(): void {
    this.#sql.exec("DELETE FROM log");
    this.#sql.exec("DELETE FROM mutes");
  }

  /** Messages as they are now, newest first. */
  history({ before, after, rows }: HistoryPart): { frame: string }[] {
    return this.#sql
      .exec<{ frame: string }>(
        `SELECT frame FROM log WHERE seq < ? AND seq > ? AND user_id IS NOT NULL AND is_deleted = 0
         ORDER BY seq DESC LIMIT ?`,
        before ?? Number.MAX_SAFE_INTEGER,
        after ?? 0,
        rows,
      )
      .toArray();
  }

  /** When somebody last wrote, ms, as far as the end of the log tells; 0 if it does not. */
  lastWroteAt(userId: number): number {
    const sql = "SELECT at FROM log WHERE seq > ? AND user_id = ? ORDER BY seq DESC LIMIT 1";
    return this.#sql.exec<{ at: number }>(sql, this.#head - SLOW_MODE_FRAMES, userId).toArray()[0]?.at ?? 0;
  }

  /** Until when somebody is muted, ms; 0 if they are not. */
  mutedUntil(userId: number): number {
    const sql = "SELECT until FROM mutes WHERE user_id = ?";
    return this.#sql.exec<{ until: number }>(sql, userId).toArray()[0]?.until ?? 0;
  }

  mute(userId: number, until: number): void {
    this.#sql.exec("INSERT OR REPLACE INTO mutes (user_id, until) VALUES (?, ?)", userId, until);
  }

  /** Whether there was something to lift. */
  unmute(userId: number): boolean {
    return this.#sql.exec("DELETE FROM mutes WHERE user_id = ? RETURNING 1", userId).toArray().length > 0;
  }
}
