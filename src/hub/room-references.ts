/** The rooms that a user is in, each with its number of their visit. */
import type { RoomKind, RoomRef } from "../realtime/room-ref.ts";

/**
 * Where they stand in a hub that has kept nothing else yet. The script that makes its other tables ends with the version's row,
 * and this moves them over: also if it is the release before that makes them.
 */
const FIRST_ROOMS = `
  CREATE TABLE IF NOT EXISTS first_rooms (
    kind TEXT NOT NULL, name TEXT NOT NULL, visit INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (kind, name)
  ) WITHOUT ROWID;
  CREATE TRIGGER IF NOT EXISTS first_rooms_move AFTER INSERT ON schema_version BEGIN
    INSERT INTO room_references (kind, name, visit) SELECT kind, name, visit FROM first_rooms;
    DELETE FROM first_rooms;
  END;`;

/** They were moved. */
export const DROP_FIRST_ROOMS = "DROP TRIGGER IF EXISTS first_rooms_move; DROP TABLE IF EXISTS first_rooms";

export class RoomReferences {
  readonly #sql: SqlStorage;
  readonly #isOpen: () => boolean;

  /** `isOpen`: whether the hub has kept anything else. */
  constructor(sql: SqlStorage, isOpen: () => boolean) {
    this.#sql = sql;
    this.#isOpen = isOpen;
  }

  /** `query` of the table. A table that is not there yet is made in the same statement: each has its price in memory. */
  #exec<T extends Record<string, SqlStorageValue>>(query: (table: string) => string, ...values: unknown[]): T[] {
    const text = this.#isOpen() ? query("room_references") : `${FIRST_ROOMS} ${query("first_rooms")}`;
    return this.#sql.exec<T>(text, ...values).toArray();
  }

  /** The user has come into a room. */
  track({ kind, name }: RoomRef, visit: number): void {
    this.#exec(
      (table) => `INSERT INTO ${table} (kind, name, visit) VALUES (?, ?, ?)
       ON CONFLICT (kind, name) DO UPDATE SET visit = excluded.visit WHERE excluded.visit > visit`,
      kind,
      name,
      visit,
    );
  }

  /** The visit is over. Of a later one, that says nothing. */
  untrack({ kind, name }: RoomRef, visit: number): void {
    this.#exec((table) => `DELETE FROM ${table} WHERE kind = ? AND name = ? AND visit <= ?`, kind, name, visit);
  }

  /** Where the user is, at most so many places. */
  list(most: number): RoomRef[] {
    return this.#exec<RoomRef>((table) => `SELECT kind, name FROM ${table} ORDER BY kind, name LIMIT ?`, most);
  }

  has(kind: RoomKind): boolean {
    return this.#exec((table) => `SELECT 1 FROM ${table} WHERE kind = ? LIMIT 1`, kind).length > 0;
  }
}
