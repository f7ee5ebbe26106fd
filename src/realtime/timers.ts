/**
 * Any number of timers over the one alarm an object has. A timer's due time is computed from state that survives
 * (attachments, SQLite), so nothing is stored for it, and the alarm is only set when it must ring earlier: each
 * `setAlarm` is a row written.
 */
import { logFailure } from "../platform/log.ts";

export interface Timer {
  /** When it wants to ring next, ms; null when it does not. */
  due(now: number): number | null;
  ring(now: number): void | Promise<void>;
}

/** A timer that threw is tried again after this time, and holds up no other. */
const RETRY_MS = 10_000;

export class Timers {
  readonly #storage: DurableObjectStorage;
  readonly #timers: Timer[] = [];
  /** Those that threw, until when, ms. After hibernation: at once. */
  readonly #failed = new Map<Timer, number>();
  #setFor: number | null = null;
  #addRest: (() => void) | undefined;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Learns what an earlier life of the object had set. Called once, before any event. */
  async restore(): Promise<void> {
    this.#setFor = await this.#storage.getAlarm();
  }

  /** When the alarm is set to ring, ms; null while it is not set, or has just rung. */
  get next(): number | null {
    return this.#setFor;
  }

  /** The object's storage is cleared, and the alarm with it. */
  forget(): void {
    this.#setFor = null;
  }

  add(timer: Timer): void {
    this.#timers.push(timer);
  }

  /**
   * Timers that are not made before they are needed: `make` adds them when the alarm rings. Until then nothing becomes due
   * earlier than what the alarm was set for in the life before.
   */
  addLater(make: () => void): void {
    this.#addRest = make;
  }

  /** Makes sure that the alarm rings in time. An alarm that rings too early finds nothing due, and sets the next. */
  arm(now: number): void {
    const times = this.#timers.flatMap((timer) => this.#due(timer, now) ?? []);
    if (times.length === 0) return;
    const next = Math.max(Math.min(...times), now);
    if (this.#setFor !== null && this.#setFor <= next) return;
    this.#setFor = next;
    void this.#storage.setAlarm(next);
  }

  /** The alarm rang. */
  async ring(now: number): Promise<void> {
    this.#setFor = null;
    this.#addRest?.();
    for (const timer of this.#timers) {
      const due = this.#due(timer, now);
      if (due !== null && due <= now) await this.#ring(timer, now);
    }
    this.arm(now);
  }

  async #ring(timer: Timer, now: number): Promise<void> {
    this.#failed.delete(timer);
    try {
      await timer.ring(now);
    } catch (thrown) {
      this.#failed.set(timer, now + RETRY_MS);
      logFailure({ requestId: "" }, "timer.ring", thrown);
    }
  }

  #due(timer: Timer, now: number): number | null {
    const due = timer.due(now);
    return due === null ? null : Math.max(due, this.#failed.get(timer) ?? 0);
  }
}
