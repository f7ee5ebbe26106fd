/**
 * Tells something at most once in a while: at once if the last time is long enough ago, otherwise by the object's alarm, and
 * the object may sleep until then.
 */
import type { Timer, Timers } from "../realtime/timers.ts";

type Host = {
  timers: Timers;
  everyMs: () => number;
  /** Whether there is something that was not told. */
  isPending: () => boolean;
  tell: (now: number) => void;
};

export class Throttle implements Timer {
  readonly #host: Host;
  #toldAt = 0;

  constructor(host: Host) {
    this.#host = host;
    host.timers.add(this);
  }

  /** There may be something to tell. */
  changed(now: number): void {
    const due = this.due();
    if (due === null) return;
    if (due <= now) this.ring(now);
    else this.#host.timers.arm(now);
  }

  due(): number | null {
    return this.#host.isPending() ? this.#toldAt + this.#host.everyMs() : null;
  }

  ring(now: number): void {
    this.#toldAt = now;
    this.#host.tell(now);
  }

  /** It was told another way. */
  toldAt(now: number): void {
    this.#toldAt = now;
  }
}
