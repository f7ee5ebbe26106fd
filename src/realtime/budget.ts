/**
 * How much one user may send to one object (SPEC 11). Counted in memory per user, over all of their connections and
 * REST calls; kept in their sockets' attachments, so that hibernation does not refill it. Never a row written.
 */
import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";

/** `messages`: frames and REST sends. `typing`: typing events. `signaling`: WebRTC frames. */
export type BudgetKind = "messages" | "typing" | "signaling";
export type Limits = Record<BudgetKind, number>;
export type Spent = Record<string, [windowStart: number, count: number]>;

const WINDOW_MS = 60_000;

export const limitsFrom = (settings: Config): Limits => ({
  messages: settings.RATE_LIMIT_MESSAGES,
  typing: settings.RATE_LIMIT_TYPING,
  signaling: settings.RATE_LIMIT_SIGNALING,
});

export class Budgets {
  readonly limits: Limits;
  readonly #users = new Map<number, Spent>();

  constructor(limits: Limits) {
    this.limits = limits;
  }

  /**
   * Takes back what an attachment remembers. Of several connections of a user, the highest count holds.
   * @returns as `of`
   */
  restore(userId: number, spent: Spent): Spent {
    const known = this.of(userId);
    for (const [kind, [start, count]] of Object.entries(spent)) {
      const current = known[kind];
      if (!current || start > current[0] || (start === current[0] && count > current[1])) known[kind] = [start, count];
    }
    return known;
  }

  /** What this user has spent; kept in the attachments of their connections. */
  of(userId: number): Spent {
    let spent = this.#users.get(userId);
    if (!spent) {
      spent = {};
      this.#users.set(userId, spent);
    }
    return spent;
  }

  /**
   * Counts one.
   * @returns how often the limit was exceeded in this window: 0 while there is budget
   */
  spend(userId: number, kind: BudgetKind, now: number): number {
    const spent = this.of(userId);
    const current = spent[kind];
    const window: [number, number] = current && now - current[0] < WINDOW_MS ? current : [now, 0];
    window[1] += 1;
    spent[kind] = window;
    return Math.max(0, window[1] - this.limits[kind]);
  }

  /** Counts one. @throws AppError RATE_LIMIT with the seconds until there is budget again */
  require(userId: number, kind: BudgetKind, now: number): void {
    if (this.spend(userId, kind, now) > 0) throw this.refusal(userId, kind, now);
  }

  refusal(userId: number, kind: BudgetKind, now: number): AppError {
    const start = this.of(userId)[kind]?.[0] ?? now;
    const seconds = Math.max(1, Math.ceil((start + WINDOW_MS - now) / 1000));
    return new AppError("RATE_LIMIT", `Over ${this.limits[kind]} a minute.`, { retryAfterSeconds: seconds });
  }

  /** Forgets users without a connection whose windows have ended. */
  sweep(now: number): void {
    for (const [userId, spent] of this.#users) {
      if (Object.values(spent).every(([start]) => now - start >= WINDOW_MS)) this.#users.delete(userId);
    }
  }
}
