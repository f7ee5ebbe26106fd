/**
 * How many watch a stream (SPEC 7): the greater of the people in its room and of the media server's players, as the
 * database tells of those. The viewers are shown that number; the database is told of the people, and makes the same of it.
 */
import { Throttle } from "../../chat/throttle.ts";
import { logFailure } from "../../platform/log.ts";
import type { Timers } from "../../realtime/timers.ts";

/** SPEC 7: at most one a second. */
const SHOW_EVERY_MS = 1000;
/** Each time is two rows written in the database. In a crowd a difference of a few is seen by nobody. */
const TELL_EVERY_MS = { perPerson: 10, least: 1000, most: 10_000 };

type Host = {
  sql: SqlStorage;
  timers: Timers;
  /** How many people are here. */
  people: () => number;
  show: (count: number) => void;
  tell: (people: number) => Promise<void>;
  /** Keeps the object awake until this is over. */
  later: (work: Promise<unknown>) => void;
};

export class ViewerCount {
  readonly #host: Host;
  readonly #show: Throttle;
  readonly #tell: Throttle;
  #players: number;
  #shown: number;
  /** As far as the database is known to have it. */
  #told: number;
  /** One at a time: a late one must not win. */
  #isTelling = false;
  #hasFailed = false;

  constructor(host: Host) {
    const { sql, timers } = host;
    this.#host = host;
    const state = sql
      .exec<{ players: number; shown: number; told: number }>(
        "SELECT players, shown_viewers AS shown, told_viewers AS told FROM state",
      )
      .one();
    this.#players = state.players;
    this.#shown = state.shown;
    this.#told = state.told;
    this.#show = new Throttle({
      timers,
      everyMs: () => SHOW_EVERY_MS,
      isPending: () => this.#shown !== this.#count,
      tell: () => this.#showNow(),
    });
    this.#tell = new Throttle({
      timers,
      everyMs: () => this.#tellEveryMs,
      isPending: () => !this.#isTelling && this.#told !== host.people(),
      tell: () => host.later(this.#tellNow()),
    });
  }

  get #count(): number {
    return Math.max(this.#host.people(), this.#players);
  }

  get #tellEveryMs(): number {
    const { perPerson, least, most } = TELL_EVERY_MS;
    return this.#hasFailed ? most : Math.min(most, Math.max(least, perPerson * this.#host.people()));
  }

  /** The count, for somebody who has just come, unless all are about to be shown a new one. */
  greet(now: number): number | null {
    if (this.#shown !== this.#count) return null;
    this.#show.toldAt(now);
    return this.#shown;
  }

  /** Somebody came or went. */
  changed(now: number): void {
    this.#show.changed(now);
    this.#tell.changed(now);
  }

  /** So many play the stream from the media server now. */
  setPlayers(players: number, now: number): void {
    this.#players = players;
    this.#host.sql.exec("UPDATE state SET players = ?", players);
    this.#show.changed(now);
  }

  #showNow(): void {
    this.#shown = this.#count;
    this.#host.sql.exec("UPDATE state SET shown_viewers = ?", this.#shown);
    this.#host.show(this.#shown);
  }

  async #tellNow(): Promise<void> {
    const people = this.#host.people();
    this.#isTelling = true;
    try {
      await this.#host.tell(people);
      this.#told = people;
      this.#host.sql.exec("UPDATE state SET told_viewers = ?", people);
      this.#hasFailed = false;
    } catch (error) {
      this.#hasFailed = true;
      logFailure({ requestId: "" }, "stream.viewers", error);
    }
    this.#isTelling = false;
    this.#tell.changed(Date.now());
  }
}
