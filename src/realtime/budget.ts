/**
 * How much one user may send to one object (SPEC 11). Counted in memory per user, over all of their connections and
 * REST calls. What was spent outlives hibernation: in the attachment of a socket of theirs, or, without one, in a row.
 */
import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";
import type { Connection } from "./connection.ts";

/**
 * `messages`: frames and REST sends. `typing`: typing events. `signaling`: WebRTC frames. The user's own object counts two
 * more, over all of REST: `writes`, and `searches`, which are searches and other reads that cost much.
 */
export const BUDGET_KINDS = ["messages", "typing", "signaling", "writes", "searches"] as const;
export type BudgetKind = (typeof BUDGET_KINDS)[number];
export type Limits = Record<BudgetKind, number>;
export type Spent = Record<string, [windowStart: number, count: number]>;

export const WINDOW_MS = 60_000;
const HAMMERING_FACTOR = 10;

export const limitsFrom = (settings: Config): Limits => ({
  messages: settings.RATE_LIMIT_MESSAGES,
  typing: settings.RATE_LIMIT_TYPING,
  signaling: settings.RATE_LIMIT_SIGNALING,
  writes: settings.RATE_LIMIT_WRITES,
  searches: settings.RATE_LIMIT_SEARCHES,
});

export const hasEnded = ([start]: [number, number], now: number): boolean => now - start >= WINDOW_MS;

/** Where what was spent is kept: see BudgetRows. */
type Rows = {
  read(): Iterable<[userId: number, Spent]>;
  keep(userId: number, spent: Spent, limits: Limits, now: number): void;
};
type Keeping = { rows: Rows; socketOf(userId: number): Connection | undefined };

export class Budgets {
  readonly limits: Limits;
  readonly #keeping: Keeping | null;
  #areRowsRead = false;
  /** Users by what they spent. Who spends is in the first; who has not since the last sweep, in the second. */
  #recent = new Map<number, Spent>();
  #earlier = new Map<number, Spent>();
  #sweptAt = 0;

  /** Without `keeping`, hibernation starts all counts anew. */
  constructor(limits: Limits, keeping: Keeping | null = null) {
    this.limits = limits;
    this.#keeping = keeping;
  }

  /**
   * Takes back what an attachment or a row remembers. Of several, the highest count holds.
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
    this.#readRows();
    const recent = this.#recent.get(userId);
    if (recent) return recent;
    const spent = this.#earlier.get(userId) ?? {};
    this.#recent.set(userId, spent);
    return spent;
  }

  #readRows(): void {
    if (this.#areRowsRead) return;
    this.#areRowsRead = true;
    for (const [userId, spent] of this.#keeping?.rows.read() ?? []) this.restore(userId, spent);
  }

  /**
   * Counts one, or so many at once.
   * @returns how often the limit was exceeded in this window: 0 while there is budget
   */
  spend(userId: number, kind: BudgetKind, now: number, many = 1): number {
    const spent = this.of(userId);
    const current = spent[kind];
    const window: [number, number] = current && !hasEnded(current, now) ? current : [now, 0];
    window[1] += many;
    spent[kind] = window;
    return Math.max(0, window[1] - this.limits[kind]);
  }

  /** Counts one. @throws AppError RATE_LIMIT with the seconds until there is budget again */
  require(userId: number, kind: BudgetKind, now: number): void {
    if (this.spend(userId, kind, now) > 0) throw this.refusal(userId, kind, now);
  }

  /** So many times `over` a limit is no mistake any more: the connection is closed, and who comes back to do it again is banned. */
  isHammering(over: number, kind: BudgetKind): boolean {
    return over > HAMMERING_FACTOR * this.limits[kind];
  }

  /** How much is left in this window, below 0: over it; and how long it lasts. */
  leftOf(userId: number, kind: BudgetKind, now: number): { left: number; endsInMs: number } {
    const [start, count] = this.of(userId)[kind] ?? [now, 0];
    return { left: this.limits[kind] - count, endsInMs: start + WINDOW_MS - now };
  }

  refusal(userId: number, kind: BudgetKind, now: number): AppError {
    const start = this.of(userId)[kind]?.[0] ?? now;
    const seconds = Math.max(1, Math.ceil((start + WINDOW_MS - now) / 1000));
    return new AppError("RATE_LIMIT", `Over ${this.limits[kind]} a minute.`, { retryAfterSeconds: seconds });
  }

  /** Keeps what a user has spent: with a socket of theirs, or in a row. Once for all that was spent in a turn. */
  keep(userId: number, now: number): void {
    const socket = this.#keeping?.socketOf(userId);
    if (socket) this.keepWith(socket);
    else this.#keeping?.rows.keep(userId, this.of(userId), this.limits, now);
  }

  /** A user's socket is gone, and its attachment with it. For the little that most have spent, no row is written. */
  keepAfterClose({ userId }: Connection, now: number): void {
    const spent = this.of(userId);
    const isMuch = BUDGET_KINDS.some((kind) => spent[kind] && spent[kind][1] > this.limits[kind] / 10);
    if (isMuch || this.#keeping?.socketOf(userId)) this.keep(userId, now);
  }

  keepWith(socket: Connection): void {
    socket.state.spent = this.of(socket.userId);
    socket.save();
  }

  /** Forgets, once a window, who has spent nothing for a whole one. */
  sweep(now: number): void {
    if (now - this.#sweptAt < WINDOW_MS) return;
    this.#sweptAt = now;
    this.#earlier = this.#recent;
    this.#recent = new Map();
  }
}
