/**
 * What came while a user had no connection at all, for a client that does not say what it has (SPEC 14). The frames are those
 * of the log; kept is only where they begin: one row written when the last connection ends, none while there is one. Who is
 * silent for long has a connection: it is sent what happens.
 */
import type { Connection } from "../realtime/connection.ts";
import type { FrameLog } from "../realtime/log.ts";

/** By then a client that was never heard of either has what it began with, or would be gone if it answered pings (SPEC 2). */
const ARRIVES_WITHIN_MS = 75_000;

export class OfflineQueue {
  readonly #sql: SqlStorage;
  readonly #log: FrameLog;
  readonly #isOn: boolean;

  constructor(sql: SqlStorage, log: FrameLog, isOn: boolean) {
    this.#sql = sql;
    this.#log = log;
    this.#isOn = isOn;
  }

  /**
   * The position before the first frame that waits, as far as frames are kept; undefined: nothing is queued. What the user's
   * `others`, the connections that have not ended, were sent since they were last heard of may have reached nobody: who
   * vanished may be who comes back. What such a one began with comes once more only while it is new.
   */
  startBeside(others: Connection[], now: number): number | undefined {
    if (!this.#isOn) return undefined;
    const had = others.map((other) => Math.max(this.#lastHeard(other), this.#hadAtFirst(other, now)));
    return Math.max(this.#storedStart, this.#log.tail - 1, ...had);
  }

  get #storedStart(): number {
    return this.#sql.exec<{ seq: number }>("SELECT seq FROM queue_start").one().seq;
  }

  /**
   * The user's last connection has ended. What was sent to a client that did not close, after it was last heard of, may not have
   * arrived: it is queued as well, and if it never was heard of, so is what the connection began with.
   */
  begin(last: Connection): void {
    if (!this.#isOn) return;
    const seq = last.hasLeft ? this.#hadBy(last) : this.#lastHeard(last);
    this.#sql.exec("UPDATE queue_start SET seq = ?1 WHERE seq < ?1", seq);
  }

  /** A client that left in the middle of a replay had what it had been sent. */
  #hadBy({ state }: Connection): number {
    return state.replay?.at ?? this.#log.head;
  }

  #hadAtFirst({ state }: Connection, now: number): number {
    if (state.replay || now - state.openedAt <= ARRIVES_WITHIN_MS) return 0;
    return this.#log.headBefore(state.openedAt);
  }

  #lastHeard({ lastHeardAt, state }: Connection): number {
    if (state.replay) return 0;
    return lastHeardAt > state.openedAt ? this.#log.headBefore(lastHeardAt) : 0;
  }
}
