/** What a live room knows about itself and its people besides what they said; kept in its own SQLite. */
import { RoomFacts } from "./facts.ts";

export class Standing {
  readonly #sql: SqlStorage;
  #facts: RoomFacts | null;
  #isClosed: boolean;
  /** User → until when, ms. Few, and asked at every message. */
  readonly #mutes = new Map<number, number>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    const state = sql
      .exec<{ facts: string | null; closed_at: number | null }>("SELECT facts, closed_at FROM state")
      .one();
    this.#facts = state.facts === null ? null : RoomFacts.parse(JSON.parse(state.facts));
    this.#isClosed = state.closed_at !== null;
    for (const row of sql.exec<{ user_id: number; until: number }>("SELECT user_id, until FROM mutes")) {
      this.#mutes.set(row.user_id, row.until);
    }
  }

  /** Null before anybody came. */
  get facts(): RoomFacts | null {
    return this.#facts;
  }

  /** The room was deleted. Whoever was on the way in when that happened is turned away. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(now: number): void {
    this.#sql.exec("UPDATE state SET closed_at = ?", now);
    this.#isClosed = true;
  }

  /** Takes news, unless they are old. Answers whether they were new. */
  learn(facts: RoomFacts): boolean {
    if (this.#facts && facts.version <= this.#facts.version) return false;
    this.#sql.exec("UPDATE state SET facts = ?", JSON.stringify(facts));
    this.#facts = facts;
    return true;
  }

  /** This user is no member any more, as of `version`. */
  noteDeparture(userId: number, version: number): void {
    this.#sql.exec(
      `INSERT INTO departed (user_id, version) VALUES (?, ?)
       ON CONFLICT (user_id) DO UPDATE SET version = max(version, excluded.version)`,
      userId,
      version,
    );
  }

  /** Whether somebody who was found to be a member as of `version` has been removed since. */
  hasDeparted(userId: number, version: number): boolean {
    const [row] = this.#sql
      .exec<{ version: number }>("SELECT version FROM departed WHERE user_id = ?", userId)
      .toArray();
    return row !== undefined && version < row.version;
  }

  /** Until when this user may not write, ms; null if they may. */
  mutedUntil(userId: number, now: number): number | null {
    const until = this.#mutes.get(userId) ?? 0;
    return until > now ? until : null;
  }

  mute(userId: number, until: number): void {
    this.#sql.exec("INSERT OR REPLACE INTO mutes (user_id, until) VALUES (?, ?)", userId, until);
    this.#mutes.set(userId, until);
  }

  unmute(userId: number): void {
    if (!this.#mutes.delete(userId)) return;
    this.#sql.exec("DELETE FROM mutes WHERE user_id = ?", userId);
  }
}
