/** What a hook reads: lives while somebody looks at it, and is let go of a moment after the last one has left. */

/** React's strict mode leaves and comes again at once, and so does who goes back and forth between two pages. */
const LINGER_MS = 1000;

/**
 * A store opens nothing before it is subscribed to, so that one that was only rendered, on a server too, leaves nothing behind.
 * Its state is replaced, never changed.
 */
export abstract class Store<State> {
  #state: State;
  readonly #initial: State;
  readonly #listeners = new Set<() => void>();
  #isLive = false;
  #linger: ReturnType<typeof setTimeout> | undefined;

  constructor(initial: State) {
    this.#state = initial;
    this.#initial = initial;
  }

  protected abstract start(): void;
  /** Closes all that `start` opened. */
  protected abstract stop(): void;

  /** @returns a function that stops listening */
  readonly subscribe = (listener: () => void): (() => void) => {
    // One function may subscribe twice, and each leaves by itself.
    const listen = () => listener();
    this.#listeners.add(listen);
    clearTimeout(this.#linger);
    if (!this.#isLive) {
      this.#isLive = true;
      this.start();
    }
    return () => {
      this.#listeners.delete(listen);
      if (this.#listeners.size === 0) this.#linger = setTimeout(() => this.#end(), LINGER_MS);
    };
  };

  readonly getState = (): State => this.#state;
  /** As a server renders it, and the browser at first. */
  readonly getInitialState = (): State => this.#initial;

  protected get isLive(): boolean {
    return this.#isLive;
  }

  protected become(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of [...this.#listeners]) listener();
  }

  #end(): void {
    this.#isLive = false;
    this.stop();
    this.#state = this.#initial;
  }
}
