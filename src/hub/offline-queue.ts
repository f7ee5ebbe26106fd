/**
 * What came while a user had no connection at all, for a client that does not say what it has (SPEC 14). The frames are those
 * of the log; kept is only where they begin: one row written when the last connection ends, none while there is one.
 */
import type { Connection } from "../realtime/connection.ts";
import type { FrameLog } from "../realtime/log.ts";

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
   * `others`, the connections that are open, were sent since they were last heard of may have reached nobody: who vanished
   * may be who comes back.
   */
  startBeside(others: Connection[]): number | undefined {
    if (!this.#isOn) return undefined;
    return Math.max(this.#storedStart, this.#log.tail - 1, ...others.map((other) => this.#lastHeard(other)));
  }

  get #storedStart(): number {
    return this.#sql.exec<{ seq: number }>("SELECT seq FROM queue_start").one().seq;
  }

  /**
   * The user's last connection is gone. What was sent after the last sign of a client that did not close may not have
   * arrived: it is queued as well, and where there never was a sign, so is what the connection began with.
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

  #lastHeard({ lastHeardAt, state }: Connection): number {
    if (state.replay) return 0;
    return lastHeardAt > state.openedAt ? this.#log.headBefore(lastHeardAt) : 0;
  }
}
