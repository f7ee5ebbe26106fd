/** Where a client stands in a log, so that each frame reaches the app once, whatever the connection did. */

export type Position = { seq: number; epoch: string };

/** Where to go on from; 0: from the beginning of what is kept. */
export type Start = Position | 0;

export class Cursor {
  #position: Position | undefined;
  readonly #isFromBeginning: boolean;

  constructor(start?: Start) {
    this.#isFromBeginning = start === 0;
    this.#position = start === 0 ? undefined : start;
  }

  get position(): Position | undefined {
    return this.#position && { ...this.#position };
  }

  /** The first frame of a connection. A first connection starts at the head, or at 0; a later one goes on where it was. */
  connected({ seq, epoch }: Position): void {
    this.#position ??= { seq: this.#isFromBeginning ? 0 : seq, epoch };
  }

  /** What was missed is gone: the app fetches anew, and the log goes on from its head. */
  resync({ seq, epoch }: Position): void {
    this.#position = { seq, epoch };
  }

  /** Whether a frame is new. Frames without a seq are of the moment and always are. */
  take(seq: number | undefined): boolean {
    if (seq === undefined || !this.#position) return true;
    if (seq <= this.#position.seq) return false;
    this.#position.seq = seq;
    return true;
  }

  /** Adds to a socket's address what it needs to go on from here. */
  addTo(query: URLSearchParams): void {
    if (this.#position) {
      query.set("since", String(this.#position.seq));
      query.set("epoch", this.#position.epoch);
    } else if (this.#isFromBeginning) query.set("since", "0");
  }
}
