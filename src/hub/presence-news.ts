/**
 * When a user's friends are told that the user came or went: at most every TELL_EVERY_MS, and then of what is so. A page that
 * is reloaded was never away.
 */
import type { Timer, Timers } from "../realtime/timers.ts";

const TELL_EVERY_MS = 30_000;
const GRACE_MS = 3000;

type Host = {
  sql: SqlStorage;
  timers: Timers;
  isOnline: () => boolean;
  tell: (isOnline: boolean) => void;
};

export class PresenceNews implements Timer {
  readonly #host: Host;
  #told: { isOnline: boolean; at: number };
  /** When the last connection ended, ms. After hibernation: long ago. */
  #leftAt = 0;

  constructor(host: Host) {
    this.#host = host;
    const told = host.sql
      .exec<{ isOnline: number; at: number }>("SELECT is_online AS isOnline, at FROM presence_told")
      .one();
    this.#told = { isOnline: told.isOnline === 1, at: told.at };
    host.timers.add(this);
  }

  /** The user has come, or gone. */
  changed(now: number): void {
    if (!this.#host.isOnline()) this.#leftAt = now;
    const due = this.due();
    if (due === null) return;
    if (due <= now) this.ring(now);
    else this.#host.timers.arm(now);
  }

  due(): number | null {
    const isOnline = this.#host.isOnline();
    if (isOnline === this.#told.isOnline) return null;
    return Math.max(this.#told.at + TELL_EVERY_MS, isOnline ? 0 : this.#leftAt + GRACE_MS);
  }

  /** One row written. */
  ring(now: number): void {
    const isOnline = this.#host.isOnline();
    this.#told = { isOnline, at: now };
    this.#host.sql.exec("UPDATE presence_told SET is_online = ?, at = ?", isOnline ? 1 : 0, now);
    this.#host.tell(isOnline);
  }
}
