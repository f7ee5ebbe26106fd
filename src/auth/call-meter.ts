/**
 * Limits that need no exactness across the world, counted where a call comes in. An isolate counts in memory, and tells whoever
 * counts for all (the caller's hub, a row in D1) of many at once, after the answer. So a call waits for nobody, and few calls
 * cost anything. Each isolate may let through what it has not told, more than there is; once it seems to be too many,
 * every call is told and waits for the answer.
 */

/** What whoever counts for all has answered. */
export type Counted = {
  /** How many more there may be; below 0: over. */
  left: number;
  /** Until it begins anew. */
  endsInMs: number;
};

export type Limit = { most: number; windowMs: number };

type Window = {
  endsAt: number;
  /** As it was answered last. What was not told, or is on the way, is not in it. */
  left: number;
  untold: number;
  onTheWay: number;
};

const MOST_KEYS = 20_000;

export class CallMeter {
  readonly #windows = new Map<string, Window>();

  /** Counts one call here. @returns false: not counted, as that seems to be one too many */
  admits(key: string, limit: Limit): boolean {
    const window = this.#windowOf(key, limit);
    if (window.untold + window.onTheWay >= window.left) return false;
    window.untold += 1;
    return true;
  }

  untold(key: string): number {
    return this.#windows.get(key)?.untold ?? 0;
  }

  /** Tells of all that was not told, and `more`. */
  async tell<T extends Counted>(
    key: string,
    limit: Limit,
    more: number,
    tell: (count: number) => Promise<T>,
  ): Promise<T> {
    const window = this.#windowOf(key, limit);
    const count = window.untold + more;
    window.untold = 0;
    window.onTheWay += count;
    try {
      const answer = await tell(count);
      window.left = answer.left;
      window.endsAt = Date.now() + answer.endsInMs;
      return answer;
    } catch (error) {
      window.left -= count;
      throw error;
    } finally {
      window.onTheWay -= count;
    }
  }

  #windowOf(key: string, { most, windowMs }: Limit): Window {
    const now = Date.now();
    const known = this.#windows.get(key);
    if (known && known.endsAt > now) return known;
    const window = { endsAt: now + windowMs, left: most, untold: 0, onTheWay: 0 };
    this.#windows.delete(key);
    this.#windows.set(key, window);
    const [oldest] = this.#windows.keys();
    if (this.#windows.size > MOST_KEYS && oldest !== undefined) this.#windows.delete(oldest);
    return window;
  }
}

/** Seconds to wait; 0: not over. */
export const secondsOver = ({ left, endsInMs }: Counted): number =>
  left < 0 ? Math.max(1, Math.ceil(endsInMs / 1000)) : 0;
