/** Small signs that go out often: sent now and then, and lost without harm. */

/** The service takes ten a minute; others show one for 8 s. */
const TYPING_EVERY_MS = 7000;
const MARK_EVERY_MS = 1000;

/** Answers the promise of a frame that is on its way, if there is a connection. */
type Send = () => Promise<unknown> | undefined;

const unheard = () => undefined;

export class TypingSign {
  readonly #send: Send;
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor(send: Send) {
    this.#send = send;
  }

  type(): void {
    if (Date.now() - this.#sentAt < TYPING_EVERY_MS) return;
    this.#sentAt = Date.now();
    this.#send()?.catch(unheard);
  }

  /** The message is sent: the next key begins another. */
  stop(): void {
    this.#sentAt = Number.NEGATIVE_INFINITY;
  }
}

/** A read mark: the first move goes out at once, those of the next second together. */
export class ReadMark {
  readonly #send: (seq: number) => Promise<unknown> | undefined;
  #sent = 0;
  #due = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(send: (seq: number) => Promise<unknown> | undefined) {
    this.#send = send;
  }

  move(seq: number): void {
    this.#due = Math.max(this.#due, seq);
    if (this.#timer === undefined) this.#flush();
  }

  #flush(): void {
    this.#timer = undefined;
    if (this.#due <= this.#sent) return;
    this.#sent = this.#due;
    // One that is lost is followed by another, at the latest when the room is opened again.
    this.#send(this.#sent)?.catch(unheard);
    this.#timer = setTimeout(() => this.#flush(), MARK_EVERY_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sent = 0;
  }
}
