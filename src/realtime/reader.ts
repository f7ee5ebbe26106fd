/**
 * Whether a client reads what it is sent. workerd has no bufferedAmount: the only sign is the answer to a ping, which comes
 * after everything that was sent before it. So a ping goes out with every PROBE_BYTES that are sent, whoever sees to the
 * heartbeat, and what was sent since the last one that was answered may still lie in the object's memory.
 */

const PROBE_BYTES = 512 * 1024;

/** A ping that was not answered yet. `sent`: all that had been sent by then. */
type Ping = { timestamp: string; at: number; sent: number };

export class Reader {
  #sent = 0;
  #read = 0;
  /** In the order of sending. */
  #pings: Ping[] = [];
  #probedAt = 0;
  /** Its pongs name the ping that they answer: nothing else is an answer. */
  #isExact = false;

  /** @returns whether it is time to ping */
  send(bytes: number): boolean {
    this.#sent += bytes;
    return this.#sent - this.#probedAt >= PROBE_BYTES;
  }

  /** A ping is sent, for whatever reason. */
  ping(timestamp: string, now: number): void {
    this.#probedAt = this.#sent;
    this.#pings.push({ timestamp, at: now, sent: this.#sent });
  }

  /**
   * A pong has come.
   * @returns false when no ping asked for it: then only pongs that name a ping count from now on
   */
  pong(timestamp: string | undefined): boolean {
    const named = this.#pings.findIndex((ping) => ping.timestamp === timestamp);
    if (named >= 0) this.#isExact = true;
    else if (this.frame()) return true;
    this.#isExact = true;
    return this.#answered(named);
  }

  /**
   * Another frame has come, or a pong that names no ping. Of a client that never named one it counts for the oldest ping:
   * many read without answering pings. A flood of them is no way out, since frames are limited.
   */
  frame(): boolean {
    return !this.#isExact && this.#answered(0);
  }

  #answered(at: number): boolean {
    const ping = this.#pings[at];
    if (!ping) return false;
    this.#read = ping.sent;
    this.#pings.splice(0, at + 1);
    return true;
  }

  /** What may not have been read yet, bytes. */
  get unread(): number {
    return this.#sent - this.#read;
  }

  /** Since when a ping has been waiting for its answer, ms; null when none is. */
  get waitingSince(): number | null {
    return this.#pings[0]?.at ?? null;
  }
}
