/**
 * Tells the members of a room who are online and not in it that something was said (SPEC 14), for their lists of rooms: at
 * most once in ACTIVITY_EVERY_MS, gathered. Who is online, one read of the database says; who is away costs nothing.
 *
 * While nobody would hear it, it sets no alarm of its own, and looks again when the room tells the database of the news
 * (directory-sync.ts), which a busy room does every 10 s anyway.
 */
import { logFailure } from "../platform/log.ts";
import type { Timer, Timers } from "../realtime/timers.ts";

const ACTIVITY_EVERY_MS = 5000;

type Host = {
  sql: SqlStorage;
  timers: Timers;
  head: () => number;
  /** Whether lists of rooms show this kind of room, and it is still there. */
  isListed: () => boolean;
  /** Tells all who are to hear it. Answers how many that were. */
  tell: () => Promise<number>;
  later: (work: Promise<unknown>) => void;
};

export class RoomActivity implements Timer {
  readonly #host: Host;
  /** The newest seq that was told, and when, ms. */
  #toldSeq: number;
  #toldAt: number;
  /** Whether somebody heard it the last time; yes, as long as that is not known. */
  #isHeard = true;
  #isTelling = false;

  constructor(host: Host) {
    this.#host = host;
    const told = host.sql
      .exec<{ seq: number; at: number }>("SELECT activity_seq AS seq, activity_at AS at FROM state")
      .one();
    this.#toldSeq = told.seq;
    this.#toldAt = told.at;
    host.timers.add(this);
  }

  /** The log has gone on. */
  noteChange(now: number): void {
    if (this.#isTelling || !this.#host.isListed()) return;
    if (now - this.#toldAt >= ACTIVITY_EVERY_MS) this.ring(now);
    else if (this.#isHeard) this.#host.timers.arm(now);
  }

  /** The database has the news. Where nobody heard the last time, nothing was sent that this could follow too soon. */
  synced(now: number): void {
    if (!this.#isHeard && !this.#isTelling) this.ring(now);
  }

  due(): number | null {
    const isPlanned = this.#isHeard && !this.#isTelling && this.#isPending;
    return isPlanned ? this.#toldAt + ACTIVITY_EVERY_MS : null;
  }

  ring(now: number): void {
    if (!this.#isPending) {
      this.#toldSeq = this.#host.head();
      return;
    }
    this.#toldAt = now;
    this.#isTelling = true;
    this.#host.later(this.#tell());
  }

  /** Whether something was said, changed or deleted since. What else is logged, lists of rooms do not show. */
  get #isPending(): boolean {
    if (this.#host.head() <= this.#toldSeq || !this.#host.isListed()) return false;
    const [row] = this.#host.sql.exec(
      "SELECT 1 FROM log WHERE seq > ? AND kind IN ('message', 'edit', 'deletion') LIMIT 1",
      this.#toldSeq,
    );
    return row !== undefined;
  }

  async #tell(): Promise<void> {
    // After this event, so that one frame tells of all that was gathered; never from within a transaction.
    await Promise.resolve();
    this.#toldSeq = this.#host.head();
    this.#host.sql.exec("UPDATE state SET activity_seq = ?, activity_at = ?", this.#toldSeq, this.#toldAt);
    try {
      this.#isHeard = (await this.#host.tell()) > 0;
    } catch (error) {
      logFailure({ requestId: "" }, "room.activity", error);
    } finally {
      this.#isTelling = false;
      this.#host.timers.arm(Date.now());
    }
  }
}
