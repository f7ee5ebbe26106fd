const WINDOW_MS = 60_000;

/** What one session sent in the current minute. Hibernation starts it anew. */
export class Traffic {
  #windowStartedAt = 0;
  #packets = 0;
  #chars = 0;

  /** Engine.IO packets of every kind. */
  get packets(): number {
    return this.#isCurrent() ? this.#packets : 0;
  }

  /** Characters of text and bytes of binary. */
  get chars(): number {
    return this.#isCurrent() ? this.#chars : 0;
  }

  /** Counts one packet. */
  count(size: number): void {
    if (!this.#isCurrent()) {
      this.#windowStartedAt = Date.now();
      this.#packets = 0;
      this.#chars = 0;
    }
    this.#packets += 1;
    this.#chars += size;
  }

  #isCurrent(): boolean {
    return Date.now() - this.#windowStartedAt < WINDOW_MS;
  }
}
