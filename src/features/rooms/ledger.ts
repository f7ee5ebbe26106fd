/**
 * What the database does not know yet: read marks that moved, authors who are new, and how far the log was summarised.
 * A mark takes no row here: it lives in its owner's sockets (attachments) and, for who wrote, in the log itself.
 */
import type { Entry, RoomStore } from "./store.ts";
import { DELETIONS_KEPT, type Mark, type Summary } from "./summary.ts";

export class Ledger {
  readonly #store: RoomStore;
  readonly #describe: (entry: Entry) => Record<string, unknown>;
  #syncedSeq: number;
  readonly #marks = new Map<number, number>();
  readonly #unsaved = new Set<number>();
  /** When the first of the unsaved marks moved, ms. */
  #unsavedSince: number | null = null;

  constructor(store: RoomStore, describe: (entry: Entry) => Record<string, unknown>) {
    this.#store = store;
    this.#describe = describe;
    this.#syncedSeq = store.sql.exec<{ seq: number }>("SELECT synced_seq AS seq FROM state").one().seq;
    // Sending counts as having read; what was sent since the last summary tells by whom.
    for (const row of store.sql.exec<{ userId: number; seq: number }>(
      `SELECT user_id AS userId, max(seq) AS seq FROM log
       WHERE seq > ? AND kind = 'message' AND user_id IS NOT NULL GROUP BY user_id`,
      this.#syncedSeq,
    )) {
      this.moveMark(row.userId, row.seq, 0);
    }
  }

  /** How far this user is known to have read; 0 if they were not here lately. */
  mark(userId: number): number {
    return this.#marks.get(userId) ?? 0;
  }

  /** What the database, or an attachment that was saved, says of a user's mark. */
  recall(userId: number, seq: number): void {
    if (seq > this.mark(userId)) this.#marks.set(userId, seq);
  }

  /** A mark goes forward, or nothing happens. */
  moveMark(userId: number, seq: number, now: number): boolean {
    if (seq <= this.mark(userId)) return false;
    this.#marks.set(userId, seq);
    this.#unsaved.add(userId);
    this.#unsavedSince ??= now;
    return true;
  }

  isUnsaved(userId: number): boolean {
    return this.#unsaved.has(userId);
  }

  /** The log or a mark went on since the last summary. */
  get isBehind(): boolean {
    return this.#store.head > this.#syncedSeq || this.#unsaved.size > 0;
  }

  /** Since when the database has been behind, ms; null when it is not. */
  behindSince(): number | null {
    const [row] = this.#store.sql
      .exec<{ at: number }>("SELECT at FROM log WHERE seq = ?", this.#syncedSeq + 1)
      .toArray();
    const times = [row?.at, this.#unsavedSince].filter((time) => typeof time === "number");
    return times.length > 0 ? Math.min(...times) : null;
  }

  summary(): Summary {
    const last = this.#store.lastMessage();
    const deletions = this.#store.sql.exec<{ seq: number }>(
      "SELECT target AS seq FROM log WHERE kind = 'deletion' ORDER BY target DESC LIMIT ?",
      DELETIONS_KEPT,
    );
    return {
      head: this.#store.head,
      messageCount: this.#store.messageCount,
      deletedSeqs: [...deletions].map(({ seq }) => seq),
      lastMessage: last ? this.#describe(last) : null,
      lastAt: last?.at ?? null,
    };
  }

  markOf(userId: number): Mark {
    const seq = this.mark(userId);
    return { userId, seq, count: this.#store.countAt(seq) };
  }

  /** The marks and authors that the database has to be told of. */
  news(): { marks: Mark[]; authors: number[] } {
    const marks = [...this.#unsaved].map((userId) => this.markOf(userId));
    const people = this.#store.sql.exec<{ id: number }>("SELECT user_id AS id FROM people WHERE is_recorded = 0");
    return { marks, authors: [...people].map(({ id }) => id) };
  }

  /** The database has this. Answers whose marks are saved now. */
  saved(summary: Summary, marks: Mark[], authors: number[]): number[] {
    this.#syncedSeq = summary.head;
    this.#store.sql.exec("UPDATE state SET synced_seq = ?", summary.head);
    if (authors.length > 0) {
      const json = JSON.stringify(authors);
      this.#store.sql.exec("UPDATE people SET is_recorded = 1 WHERE user_id IN (SELECT value FROM json_each(?))", json);
    }
    const settled = marks.filter(({ userId, seq }) => this.mark(userId) === seq).map(({ userId }) => userId);
    for (const userId of settled) this.#unsaved.delete(userId);
    if (this.#unsaved.size === 0) this.#unsavedSince = null;
    return settled;
  }

  /** The newest message changed without a new seq. */
  invalidate(): void {
    this.#syncedSeq = Math.min(this.#syncedSeq, this.#store.head - 1);
    this.#store.sql.exec("UPDATE state SET synced_seq = ?", this.#syncedSeq);
  }
}
