/**
 * Whether a client reads what it is sent. workerd has no bufferedAmount: the only sign is the answer to a ping, which comes
 * after everything that was sent before it. So a ping goes out with every PROBE_LENGTH that is sent, whoever sees to the
 * heartbeat, and what is sent since the last one that was answered may still lie in the object's memory.
 *
 * Lengths are UTF-16 units, which is near enough to bytes.
 */

const PROBE_LENGTH = 1024 * 1024;
/** More than this is not held for one connection: it is closed with 4009. */
export const UNREAD_LENGTH = 16 * 1024 * 1024;

/** A ping that was not answered yet. `sent`: all that had been sent by then. */
type Ping = { timestamp: string; at: number; sent: number };

export class Reader {
  #sent = 0;
  #read = 0;
  /** In the order of sending. */
  #pings: Ping[] = [];
  #probedAt = 0;
  /** Its pongs name the ping that they answer: those that do not are no answers. */
  #isExact = false;

  /** @returns whether it is time to ping */
  send(length: number): boolean {
    this.#sent += length;
    return this.#sent - this.#probedAt >= PROBE_LENGTH;
  }

  /** A ping is sent, for whatever reason. */
  ping(timestamp: string, now: number): void {
    this.#probedAt = this.#sent;
    this.#pings.push({ timestamp, at: now, sent: this.#sent });
  }

  /**
   * A pong has come. One without a ping's timestamp counts for the oldest ping.
   * @returns false when no ping asked for it
   */
  pong(timestamp: string | undefined): boolean {
    const named = this.#pings.findIndex((ping) => ping.timestamp === timestamp);
    if (named >= 0) this.#isExact = true;
    const at = named < 0 && !this.#isExact ? 0 : named;
    const answered = this.#pings[at];
    if (!answered) {
      this.#isExact = true;
      return false;
    }
    this.#read = answered.sent;
    this.#pings.splice(0, at + 1);
    return true;
  }

  /** What may not have been read yet. */
  get unread(): number {
    return this.#sent - this.#read;
  }

  /** Since when a ping has been waiting for its answer, ms; null when none is. */
  get waitingSince(): number | null {
    return this.#pings[0]?.at ?? null;
  }
}
