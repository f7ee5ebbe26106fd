const WINDOW_MS = 60_000;
const MOST_ADDRESSES = 10_000;

/**
 * How many sessions each address has opened: a stranger's handshake costs an object's time, and no row. Counted in this
 * isolate alone, with no database and no object: exact limits begin where a token is shown. An attacker who reaches many
 * isolates gets as many times the limit, and Cloudflare's own rules stand before that.
 */
export class Handshakes {
  #startedAt = 0;
  readonly #counts = new Map<string, number>();

  /** Counts one, of `limit` a minute. An address that is not known (no Cloudflare in front) is not limited. */
  allows(address: string, limit: number, now: number): boolean {
    if (address === "") return true;
    if (now - this.#startedAt >= WINDOW_MS || this.#counts.size >= MOST_ADDRESSES) {
      this.#counts.clear();
      this.#startedAt = now;
    }
    const count = (this.#counts.get(address) ?? 0) + 1;
    this.#counts.set(address, count);
    return count <= limit;
  }
}
