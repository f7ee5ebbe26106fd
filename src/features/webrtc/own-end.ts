/** The end of a call that was made by its first use: with its last participant, so that the next join begins a new one. */
import type { Timer, Timers } from "../../realtime/timers.ts";
import type { AttendanceStore } from "./store.ts";

type Host = {
  store: AttendanceStore;
  timers: Timers;
  /** Nobody takes part, and nobody is connected who may be about to. */
  isEmpty: () => boolean;
  /** Says in the database when the call ended. May be done twice. */
  write: (endedAt: number) => Promise<void>;
};

export class OwnEnd implements Timer {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
    host.timers.add(this);
  }

  /** Somebody is gone. An alarm tells the database, also after a crash: until it knows, the name leads to what has ended. */
  check(now: number): void {
    const { store, timers, isEmpty } = this.#host;
    if (!store.endsByItself || store.endedAt !== null || !isEmpty()) return;
    store.end(now);
    timers.arm(now);
  }

  due(now: number): number | null {
    const { endsByItself, endedAt, isEndTold } = this.#host.store;
    return endsByItself && endedAt !== null && !isEndTold ? now : null;
  }

  async ring(now: number): Promise<void> {
    const { store, write } = this.#host;
    await write(store.endedAt ?? now);
    store.recordEndTold();
  }
}
