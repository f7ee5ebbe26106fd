/**
 * Answers kept in an isolate's memory, each held against a version in D1 whenever it is asked for. A shared cache cannot
 * do this: the Cache API keeps one copy per data centre, cannot be purged from elsewhere, and does nothing on workers.dev.
 * So a hit costs one read of one row, and a change shows at once everywhere; the time to live bounds what does not count
 * as a change (viewer counts). What is saved is the list itself: its rows, its total, its joins.
 */
type Entry<T> = { version: number; until: number; answer: T };

type Source<T> = {
  /** The version that is true now. */
  version: () => Promise<number>;
  /** The answer, with the version read before it or in the same transaction. */
  load: () => Promise<{ version: number; answer: T }>;
};

export class VersionedCache<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #most: number;

  /** Keeps at most so many answers; the oldest go first. */
  constructor(most: number) {
    this.#most = most;
  }

  /** With `ttlSeconds` 0 nothing is kept. */
  async get(now: Date, key: string, ttlSeconds: number, { version, load }: Source<T>): Promise<T> {
    const known = this.#entries.get(key);
    if (known && known.until > now.getTime() && known.version === (await version())) return known.answer;
    const loaded = await load();
    if (ttlSeconds > 0) this.#keep(key, { ...loaded, until: now.getTime() + ttlSeconds * 1000 });
    return loaded.answer;
  }

  #keep(key: string, entry: Entry<T>): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#most && oldest !== undefined) this.#entries.delete(oldest);
  }
}
