/**
 * Who is in a room, for the others (SPEC 5). Up to PRESENCE_EXACT people, each is told of each; in a crowd that would be N²
 * frames, so joins and leaves are gathered, and a list names some of them.
 */
import type { Connection } from "../realtime/connection.ts";
import type { Person } from "../realtime/connection-state.ts";
import type { EncodedFrame } from "../realtime/encoded-frame.ts";
import { encodeFrame, type Frame } from "../realtime/protocol.ts";
import type { Timers } from "../realtime/timers.ts";
import type { RoomDialect } from "./dialect.ts";
import { Throttle } from "./throttle.ts";

const TELL_EVERY_MS = 1000;
/** People named in the list of those who are here, and in one piece of news of a crowd. */
const LISTED = 100;
const NEWS_NAMED = 20;
/** A crowd is one until this share of the limit, so that a room on the edge does not go back and forth. */
const EXACT_AGAIN = 0.9;

type Host = {
  sql: SqlStorage;
  timers: Timers;
  /** People up to whom each is told of each. */
  exact: number;
  readonly dialect: () => RoomDialect;
  userCount: () => number;
  people: (most: number) => Person[];
  broadcast: (frame: EncodedFrame, except?: Connection) => void;
  send: (connection: Connection, frame: EncodedFrame) => void;
  /** Keeps the object from hibernating until this is over. */
  hold: (work: Promise<unknown>) => void;
};

export class Presence {
  readonly #host: Host;
  readonly #throttle: Throttle;
  /** In a crowd: how many people it was last told to have. Null: not a crowd. */
  #told: number | null;
  readonly #joined = new Map<number, Person>();
  readonly #left = new Set<number>();
  #isHeld = false;
  /** The list of who is here, encoded once for all who ask before it changes. */
  #online: { encoded: EncodedFrame; frame: Frame } | undefined;

  constructor(host: Host) {
    this.#host = host;
    this.#told = host.sql.exec<{ told: number | null }>("SELECT crowd_told AS told FROM state").one().told;
    this.#throttle = new Throttle({
      timers: host.timers,
      everyMs: () => TELL_EVERY_MS,
      isPending: () => this.#told !== null && (this.#hasNews || this.#told !== host.userCount()),
      tell: () => this.#tellNews(),
    });
  }

  /** Whether there are too many here to tell each of each. */
  get isCrowd(): boolean {
    return this.#told !== null;
  }

  get #hasNews(): boolean {
    return this.#joined.size > 0 || this.#left.size > 0;
  }

  /** A connection has opened; `isFirst`: of its user. */
  opened(connection: Connection, isFirst: boolean, now: number): void {
    const hasListed = isFirst && this.#countAnew();
    if (!hasListed) this.showTo(connection);
    if (!isFirst || hasListed) return;
    if (!this.isCrowd) return this.#tell(this.#host.dialect().joined(connection.state), connection);
    if (!this.#left.delete(connection.userId)) this.#joined.set(connection.userId, connection.state);
    this.#gathered(now);
  }

  /** The last connection of a user is gone. */
  left(person: Person, now: number): void {
    if (this.#countAnew()) return;
    if (!this.isCrowd) return this.#tell(this.#host.dialect().left(person));
    if (!this.#joined.delete(person.userId)) this.#left.add(person.userId);
    this.#gathered(now);
  }

  /** The alarm tells the count whatever happens; who it was is in memory alone, for the second until then. */
  #gathered(now: number): void {
    this.#throttle.changed(now);
    if (this.#isHeld || !this.#hasNews) return;
    this.#isHeld = true;
    this.#host.hold(this.#holdBriefly());
  }

  async #holdBriefly(): Promise<void> {
    await scheduler.wait(TELL_EVERY_MS);
    this.#isHeld = false;
  }

  /** Somebody came or went. Answers whether everybody has been sent the list of who is here. */
  #countAnew(): boolean {
    this.changed();
    const count = this.#host.userCount();
    if (!this.isCrowd && count > this.#host.exact) this.#setTold(0);
    if (!this.isCrowd || count > this.#host.exact * EXACT_AGAIN) return false;
    this.#beExact();
    return true;
  }

  /** Who is here, or how they are called, has changed. */
  changed(): void {
    this.#online = undefined;
  }

  /** The list of who is here, as a frame. */
  showTo(connection: Connection): Frame {
    const online = this.online();
    this.#host.send(connection, online.encoded);
    return online.frame;
  }

  online(): { encoded: EncodedFrame; frame: Frame } {
    if (!this.#online) {
      const { dialect, people, userCount } = this.#host;
      const frame = dialect().online(people(LISTED), userCount());
      this.#online = { frame, encoded: encodeFrame(frame) };
    }
    return this.#online;
  }

  #tellNews(): void {
    const { dialect, userCount } = this.#host;
    const joined = [...this.#joined.values()].slice(0, NEWS_NAMED);
    const left = [...this.#left].slice(0, NEWS_NAMED);
    this.#forgetNews();
    this.#setTold(userCount());
    this.#tell(dialect().presence(userCount(), joined, left));
  }

  /** Few enough again to tell each of each: from a list that is whole. */
  #beExact(): void {
    this.#forgetNews();
    this.#setTold(null);
    this.#host.broadcast(this.online().encoded);
  }

  #forgetNews(): void {
    this.#joined.clear();
    this.#left.clear();
  }

  /** A row, so that a room that slept knows whether it is a crowd, and what that was told. */
  #setTold(told: number | null): void {
    this.#told = told;
    this.#host.sql.exec("UPDATE state SET crowd_told = ?", told);
  }

  #tell(frame: Frame, except?: Connection): void {
    this.#host.broadcast(encodeFrame(frame), except);
  }
}
