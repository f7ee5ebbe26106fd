/** The rooms that a user is in, each with its number of their visit. */
import type { RoomKind, RoomRef } from "../realtime/room-ref.ts";

export class RoomReferences {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The user has come into a room. */
  track({ kind, name }: RoomRef, visit: number): void {
    this.#sql.exec(
      `INSERT INTO room_references (kind, name, visit) VALUES (?, ?, ?)
       ON CONFLICT (kind, name) DO UPDATE SET visit = excluded.visit WHERE excluded.visit > visit`,
      kind,
      name,
      visit,
    );
  }

  /** The visit is over. Of a later one, that says nothing. */
  untrack({ kind, name }: RoomRef, visit: number): void {
    this.#sql.exec("DELETE FROM room_references WHERE kind = ? AND name = ? AND visit <= ?", kind, name, visit);
  }

  /** Where the user is, at most so many places. */
  list(most: number): RoomRef[] {
    return this.#sql
      .exec<RoomRef>("SELECT kind, name FROM room_references ORDER BY kind, name LIMIT ?", most)
      .toArray();
  }

  has(kind: RoomKind): boolean {
    return this.#sql.exec("SELECT 1 FROM room_references WHERE kind = ? LIMIT 1", kind).toArray().length > 0;
  }
}
