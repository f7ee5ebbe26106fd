/**
 * Who is in a session and who was, in the object's own SQLite: three rows written each time somebody is there, two more for a
 * guest who is new (realtime/user-references.ts), none while it lasts.
 */
import { migrate } from "../../realtime/migrations.ts";
import { RENAMED_TRACES, TRACES_SCHEMA } from "../../realtime/user-references.ts";

/** `state` is the participant as the room keeps them, for when no attachment does. */
const SCHEMA = [
  `CREATE TABLE present (
     user_id INTEGER PRIMARY KEY, joined_at INTEGER NOT NULL, state TEXT NOT NULL, away_at INTEGER, leaves_at INTEGER
   );
   CREATE TABLE stays (user_id INTEGER NOT NULL, joined_at INTEGER NOT NULL, left_at INTEGER NOT NULL);
   CREATE TABLE session (alive_at INTEGER NOT NULL, ended_at INTEGER);
   INSERT INTO session (alive_at) VALUES (0);`,
  `${TRACES_SCHEMA}
   INSERT INTO traces (user_id) SELECT user_id FROM stays UNION SELECT user_id FROM present;`,
  RENAMED_TRACES,
  `ALTER TABLE session ADD COLUMN public_id TEXT;
   ALTER TABLE session ADD COLUMN ends_by_itself INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE session ADD COLUMN is_end_told INTEGER NOT NULL DEFAULT 0;`,
  "CREATE TABLE expelled (user_id INTEGER PRIMARY KEY, as_of INTEGER NOT NULL)",
];

/** Whom an erased user's attendance records name. No account has this id. */
const NOBODY = 0;

/** Somebody without a connection: since when, and when that counts as having left; ms. */
export type Absence = { awayAt: number; leavesAt: number };

/** Times in ms; `leftAt` null: still there. `until` is what counts as attended. */
export type StoredRecord = { userId: number | null; joinedAt: number; leftAt: number | null; until: number };

type SessionRow = {
  alive_at: number;
  ended_at: number | null;
  public_id: string | null;
  ends_by_itself: number;
  is_end_told: number;
};
type PresentRow = { user_id: number; state: string; away_at: number | null; leaves_at: number | null };
type RecordRow = { user_id: number; joined_at: number; left_at: number | null; away_at: number | null };

export class AttendanceStore {
  readonly #sql: SqlStorage;
  #aliveAt: number;
  #endedAt: number | null;
  #publicId: string | null;
  #endsByItself: boolean;
  #isEndTold: boolean;

  constructor(storage: DurableObjectStorage) {
    migrate(storage, { steps: SCHEMA });
    this.#sql = storage.sql;
    const row = this.#sql.exec<SessionRow>("SELECT * FROM session").one();
    this.#aliveAt = row.alive_at;
    this.#endedAt = row.ended_at;
    this.#publicId = row.public_id;
    this.#endsByItself = row.ends_by_itself === 1;
    this.#isEndTold = row.is_end_told === 1;
  }

  /** When the session was last seen to be going on, ms; all that is known of the time of a crash. */
  get aliveAt(): number {
    return this.#aliveAt;
  }

  get endedAt(): number | null {
    return this.#endedAt;
  }

  /** What clients call the session; null: by its object's name. */
  get publicId(): string | null {
    return this.#publicId;
  }

  /** It was made by its first use, and ends with its last participant. */
  get endsByItself(): boolean {
    return this.#endsByItself;
  }

  /** The database knows that it has ended by itself. */
  get isEndTold(): boolean {
    return this.#isEndTold;
  }

  recordEndTold(): void {
    this.#sql.exec("UPDATE session SET is_end_told = 1");
    this.#isEndTold = true;
  }

  /** Keeps what the Worker says of the session, which never changes: one row written, once. */
  learn(publicId: string, endsByItself: boolean): void {
    if (this.#publicId !== null) return;
    this.#sql.exec("UPDATE session SET public_id = ?, ends_by_itself = ?", publicId, endsByItself ? 1 : 0);
    this.#publicId = publicId;
    this.#endsByItself = endsByItself;
  }

  /** Everybody who is in, connected or not. */
  present(): { userId: number; state: unknown; absence: Absence | null }[] {
    const rows = this.#sql.exec<PresentRow>("SELECT user_id, state, away_at, leaves_at FROM present").toArray();
    return rows.map((row) => ({
      userId: row.user_id,
      state: JSON.parse(row.state),
      absence: row.away_at !== null && row.leaves_at !== null ? { awayAt: row.away_at, leavesAt: row.leaves_at } : null,
    }));
  }

  enter(userId: number, joinedAt: number, state: unknown): void {
    this.#sql.exec(
      "INSERT INTO present (user_id, joined_at, state) VALUES (?, ?, ?)",
      userId,
      joinedAt,
      JSON.stringify(state),
    );
  }

  /** The connection is gone. What its attachment knew is kept here. */
  suspend(userId: number, { awayAt, leavesAt }: Absence, state: unknown): void {
    this.#sql.exec(
      "UPDATE present SET away_at = ?, leaves_at = ?, state = ? WHERE user_id = ?",
      awayAt,
      leavesAt,
      JSON.stringify(state),
      userId,
    );
  }

  resume(userId: number): void {
    this.#sql.exec("UPDATE present SET away_at = NULL, leaves_at = NULL WHERE user_id = ?", userId);
  }

  leave(userId: number, leftAt: number): void {
    this.#sql.exec(
      `INSERT INTO stays (user_id, joined_at, left_at)
       SELECT user_id, joined_at, max(joined_at, ?) FROM present WHERE user_id = ?`,
      leftAt,
      userId,
    );
    this.#sql.exec("DELETE FROM present WHERE user_id = ?", userId);
  }

  /** This user may not be here, as the database knew at the outbox's id `asOf`. */
  recordExpulsion(userId: number, asOf: number): void {
    this.#sql.exec(
      `INSERT INTO expelled (user_id, as_of) VALUES (?, ?)
       ON CONFLICT (user_id) DO UPDATE SET as_of = max(as_of, excluded.as_of)`,
      userId,
      asOf,
    );
  }

  /** Whether who was allowed in at the outbox's id `asOf` was expelled after that. */
  isExpelled(userId: number, asOf: number): boolean {
    return this.#sql.exec("SELECT 1 FROM expelled WHERE user_id = ? AND as_of > ?", userId, asOf).toArray().length > 0;
  }

  /** The attendance records of this user, who is not present, are nobody's any more. */
  anonymise(userId: number): void {
    this.#sql.exec("DELETE FROM expelled WHERE user_id = ?", userId);
    this.#sql.exec("UPDATE stays SET user_id = ? WHERE user_id = ?", NOBODY, userId);
  }

  recordAlive(now: number): void {
    this.#sql.exec("UPDATE session SET alive_at = ?", now);
    this.#aliveAt = now;
  }

  end(endedAt: number): void {
    this.#sql.exec("UPDATE session SET ended_at = ?", endedAt);
    this.#endedAt = endedAt;
  }

  /** What the database says of its end counts. */
  reopen(): void {
    this.#sql.exec("UPDATE session SET ended_at = NULL");
    this.#endedAt = null;
  }

  /** The attendance records of all, in the order of joining. */
  records(now: number): StoredRecord[] {
    const rows = this.#sql.exec<RecordRow>(
      `SELECT user_id, joined_at, left_at, NULL AS away_at FROM stays
       UNION ALL SELECT user_id, joined_at, NULL, away_at FROM present ORDER BY joined_at, user_id`,
    );
    return [...rows].map((row) => ({
      userId: row.user_id === NOBODY ? null : row.user_id,
      joinedAt: row.joined_at,
      leftAt: row.left_at,
      until: Math.max(row.joined_at, row.left_at ?? row.away_at ?? now),
    }));
  }
}
