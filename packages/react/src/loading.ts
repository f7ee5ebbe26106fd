/** A read that is tried again until it works, or until the service refuses it. */
import { RoomcastError } from "@roomcast/client";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
const PASSING = ["RATE_LIMIT", "UNAVAILABLE", "INTERNAL_ERROR"];

/** What the network throws is no RoomcastError. */
const isPassing = (error: unknown): boolean => !(error instanceof RoomcastError) || PASSING.includes(error.code);

/** Failures as components show them. */
export const asError = (error: unknown): RoomcastError =>
  error instanceof RoomcastError ? error : new RoomcastError("CONNECTION_LOST", "The service cannot be reached.");

export class Retrying {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waitMs = FIRST_WAIT_MS;
  /** Counts what was begun: an answer that came too late counts no more. */
  #turn = 0;

  /** Ends an earlier run. `onError` hears of each failure. */
  run(work: (isCurrent: () => boolean) => Promise<void>, onError: (error: RoomcastError) => void): void {
    this.stop();
    const turn = this.#turn;
    const isCurrent = () => turn === this.#turn;
    work(isCurrent).then(
      () => {
        if (isCurrent()) this.#waitMs = FIRST_WAIT_MS;
      },
      (error: unknown) => {
        if (!isCurrent()) return;
        onError(asError(error));
        if (!isPassing(error)) return;
        const askedMs = error instanceof RoomcastError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
        this.#timer = setTimeout(() => this.run(work, onError), Math.max(this.#waitMs, askedMs));
        this.#waitMs = Math.min(2 * this.#waitMs, LONGEST_WAIT_MS);
      },
    );
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#turn += 1;
  }
}
