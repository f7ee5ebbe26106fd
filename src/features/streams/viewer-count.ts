/** How many people are in a stream's room: what its viewers are shown, and what the database is told. */
import { Throttle } from "../../chat/throttle.ts";
import type { Timers } from "../../realtime/timers.ts";

/** SPEC 7: at most one a second. */
const SHOW_EVERY_MS = 1000;
/** The database hears of the viewers less often: each time is a row written. */
const TELL_EVERY_MS = 10_000;

type Host = {
  sql: SqlStorage;
  timers: Timers;
  /** How many are here. */
  count: () => number;
  show: (count: number) => void;
  tell: (count: number) => void;
};

export class ViewerCount {
  readonly #host: Host;
  readonly #show: Throttle;
  readonly #tell: Throttle;
  #shown: number;
  #told: number;

  constructor(host: Host) {
    const { sql, timers, count } = host;
    this.#host = host;
    const state = sql
      .exec<{ shown: number; told: number }>("SELECT shown_viewers AS shown, told_viewers AS told FROM state")
      .one();
    this.#shown = state.shown;
    this.#told = state.told;
    this.#show = new Throttle({
      timers,
      everyMs: SHOW_EVERY_MS,
      isPending: () => this.#shown !== count(),
      tell: () => this.#showNow(),
    });
    this.#tell = new Throttle({
      timers,
      everyMs: TELL_EVERY_MS,
      isPending: () => this.#told !== count(),
      tell: () => this.#tellNow(),
    });
  }

  /** The count, for somebody who has just come, unless all are about to be shown a new one. */
  greet(now: number): number | null {
    if (this.#shown !== this.#host.count()) return null;
    this.#show.toldAt(now);
    return this.#shown;
  }

  /** Somebody came or went. */
  changed(now: number): void {
    this.#show.changed(now);
    this.#tell.changed(now);
  }

  #showNow(): void {
    this.#shown = this.#host.count();
    this.#host.sql.exec("UPDATE state SET shown_viewers = ?", this.#shown);
    this.#host.show(this.#shown);
  }

  #tellNow(): void {
    this.#told = this.#host.count();
    this.#host.sql.exec("UPDATE state SET told_viewers = ?", this.#told);
    this.#host.tell(this.#told);
  }
}
