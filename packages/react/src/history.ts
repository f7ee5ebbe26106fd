/** What was said, as far as it is loaded: pages of history joined with live frames, so that nothing is missing and nothing is twice. */

type Item = { id: string; seq: number };

export class History<M extends Item> {
  readonly #messages = new Map<string, M>();
  /** What became of messages while a page was on its way: done to it once it is here. */
  #waiting: (() => void)[] | undefined = [];
  #older: string | undefined;
  #isLoaded = false;

  /** Where older messages go on; undefined before the first page, and at the beginning. */
  get older(): string | undefined {
    return this.#older;
  }

  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Oldest first. */
  get messages(): M[] {
    return [...this.#messages.values()].sort((a, b) => a.seq - b.seq);
  }

  get lastSeq(): number {
    return Math.max(0, ...[...this.#messages.values()].map(({ seq }) => seq));
  }

  /** A page is asked for: what happens from now on is done to it, too, once it is here. */
  hold(): void {
    this.#waiting ??= [];
  }

  /** The page is here, or did not come. */
  release(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const change of waiting) change();
  }

  /** A live change: at once, or after the page that is on its way. Each may be done again without harm. */
  apply(change: () => void): void {
    if (this.#waiting) this.#waiting.push(change);
    else change();
  }

  get(id: string): M | undefined {
    return this.#messages.get(id);
  }

  put(message: M): void {
    this.#messages.set(message.id, message);
  }

  update(id: string, change: (message: M) => M): void {
    const message = this.#messages.get(id);
    if (message) this.#messages.set(id, change(message));
  }

  remove(id: string): void {
    this.#messages.delete(id);
  }

  addPage({ messages, nextCursor }: { messages: readonly M[]; nextCursor: string | number | null }): void {
    for (const message of messages) this.put(message);
    this.#older = nextCursor === null ? undefined : String(nextCursor);
    this.#isLoaded = true;
    this.release();
  }

  /** Too much was missed: all is read anew. */
  clear(): void {
    this.#messages.clear();
    this.#older = undefined;
    this.#isLoaded = false;
    this.#waiting = [];
  }
}
