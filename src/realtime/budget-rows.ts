/**
 * What users without a socket here have spent: REST alone, or members whose connection a gateway holds. A row takes a part
 * of the limit in advance, so that only every twentieth part of it is written, and what a sleep forgets is never in favour
 * of who sends.
 */
import { z } from "zod";
import { BUDGET_KINDS, hasEnded, type Limits, type Spent } from "./budget.ts";
import { hasTable } from "./migrations.ts";

const SCHEMA = "CREATE TABLE IF NOT EXISTS budgets (user_id INTEGER PRIMARY KEY, spent TEXT NOT NULL)";
const ADVANCE = 1 / 20;

const StoredSpent = z.record(z.string(), z.tuple([z.number(), z.number()]));

export class BudgetRows {
  readonly #sql: SqlStorage;
  /** What stands in the rows; those written last are at the end. */
  readonly #stored = new Map<number, Spent>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Everything that was kept. Called once, before anything else. */
  read(): Iterable<[number, Spent]> {
    if (!hasTable(this.#sql, "budgets")) return this.#stored;
    for (const row of this.#sql.exec<{ user_id: number; spent: string }>("SELECT * FROM budgets"))
      this.#stored.set(row.user_id, StoredSpent.parse(JSON.parse(row.spent)));
    return this.#stored;
  }

  keep(userId: number, spent: Spent, limits: Limits, now: number): void {
    const stored = this.#stored.get(userId) ?? {};
    const advanced: Spent = {};
    let isCovered = true;
    for (const kind of BUDGET_KINDS) {
      const window = spent[kind];
      if (!window || hasEnded(window, now)) continue;
      const [start, count] = window;
      const limit = limits[kind];
      const known = stored[kind]?.[0] === start ? stored[kind][1] : 0;
      const isKnown = known >= Math.min(count, limit);
      isCovered &&= isKnown;
      advanced[kind] = [start, isKnown ? known : Math.min(limit, count - 1 + Math.ceil(limit * ADVANCE))];
    }
    if (!isCovered) this.#write(userId, advanced, now);
  }

  #write(userId: number, spent: Spent, now: number): void {
    this.#sql.exec(SCHEMA);
    this.#forgetEnded(now);
    this.#sql.exec(
      "INSERT INTO budgets (user_id, spent) VALUES (?, ?) ON CONFLICT (user_id) DO UPDATE SET spent = excluded.spent",
      userId,
      JSON.stringify(spent),
    );
    this.#stored.delete(userId);
    this.#stored.set(userId, spent);
  }

  #forgetEnded(now: number): void {
    for (const [userId, spent] of this.#stored) {
      if (!Object.values(spent).every((window) => hasEnded(window, now))) return;
      this.#stored.delete(userId);
      this.#sql.exec("DELETE FROM budgets WHERE user_id = ?", userId);
    }
  }
}
