/**
 * How far members have read. A mark takes no row here: it lives in its owner's connections (their state survives
 * hibernation) and, for who wrote, in the log itself; the database gets it with the next summary (directory-sync.ts).
 */
import { z } from "zod";
import type { Mark } from "./directory.ts";
import type { ChatLog } from "./log.ts";

/** What a connection keeps of its user's mark. `isSaved`: the database knows. */
export const KeptMark = z.object({ readSeq: z.number().int(), isSaved: z.boolean() });
export type KeptMark = z.infer<typeof KeptMark>;

export class ReadMarks {
  readonly #log: ChatLog;
  readonly #marks = new Map<number, number>();
  readonly #unsaved = new Set<number>();
  /** When the first of the unsaved marks moved, ms. */
  #unsavedSince: number | null = null;

  /** `syncedSeq`: up to where the database has the log. */
  constructor(log: ChatLog, syncedSeq: number) {
    this.#log = log;
    // Sending counts as having read; what was sent since the last summary tells by whom.
    for (const row of log.sql.exec<{ userId: number; seq: number }>(
      `SELECT user_id AS userId, max(seq) AS seq FROM log
       WHERE seq > ? AND kind = 'message' AND user_id IS NOT NULL GROUP BY user_id`,
      syncedSeq,
    )) {
      this.move(row.userId, row.seq, 0);
    }
  }

  /** How far this user is known to have read; 0 if they were not here lately. */
  at(userId: number): number {
    return this.#marks.get(userId) ?? 0;
  }

  /** With how many messages there were by then. */
  of(userId: number): Mark {
    const seq = this.at(userId);
    return { userId, seq, count: this.#log.countAt(seq) };
  }

  /** What the database says of a user's mark. */
  recall(userId: number, seq: number): void {
    if (seq > this.at(userId)) this.#marks.set(userId, seq);
  }

  /** A mark goes forward, or nothing happens. */
  move(userId: number, seq: number, now: number): boolean {
    if (seq <= this.at(userId)) return false;
    this.#marks.set(userId, seq);
    this.#unsaved.add(userId);
    this.#unsavedSince ??= now;
    return true;
  }

  /** What a connection has to keep. */
  keep(userId: number): KeptMark {
    return { readSeq: this.at(userId), isSaved: !this.#unsaved.has(userId) };
  }

  /** What a connection has kept through hibernation. */
  restore(userId: number, { readSeq, isSaved }: KeptMark, now: number): void {
    if (isSaved) this.recall(userId, readSeq);
    else this.move(userId, readSeq, now);
  }

  isUnsaved(userId: number): boolean {
    return this.#unsaved.has(userId);
  }

  /** Since when the database has not known a mark, ms; null when it knows all. */
  get unsavedSince(): number | null {
    return this.#unsavedSince;
  }

  /** The marks that the database does not know. */
  unsaved(): Mark[] {
    return [...this.#unsaved].map((userId) => this.of(userId));
  }

  /** The database has these. Answers whose marks have not moved on since. */
  saved(marks: Mark[]): number[] {
    const settled = marks.filter(({ userId, seq }) => this.at(userId) === seq).map(({ userId }) => userId);
    for (const userId of settled) this.#unsaved.delete(userId);
    if (this.#unsaved.size === 0) this.#unsavedSince = null;
    return settled;
  }

  forget(userId: number): void {
    this.#marks.delete(userId);
    this.#unsaved.delete(userId);
    if (this.#unsaved.size === 0) this.#unsavedSince = null;
  }
}
