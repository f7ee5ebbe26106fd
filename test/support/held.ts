/** Calls between objects that arrive late: held on their way until a test lets them go. */
import { vi } from "vitest";

/** A gate that calls of any object can wait at; a promise of another request's must not be awaited there. */
export class Gate {
  /** How many calls have come to it. */
  arrivals = 0;
  #isOpen = false;

  open(): void {
    this.#isOpen = true;
  }

  async pass(): Promise<void> {
    this.arrivals += 1;
    while (!this.#isOpen) await scheduler.wait(1);
  }

  /** Resolves when so many calls have come. */
  async reached(count = 1): Promise<void> {
    await vi.waitFor(() => {
      if (this.arrivals < count) throw new Error(`${this.arrivals} of ${count} calls have come to the gate.`);
    });
  }
}
