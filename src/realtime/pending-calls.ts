/**
 * Calls that an object owes to others: noted in the event's own transaction, made afterwards, and again until they are done.
 * Those to one target are made in order; one target does not wait for another.
 */
import type { z } from "zod";
import { logFailure } from "../platform/log.ts";
import { hasTable } from "./migrations.ts";
import type { Timer, Timers } from "./timers.ts";

/** Waits between tries, doubled each time. */
const FIRST_RETRY_MS = 5000;
const LONGEST_RETRY_MS = 300_000;

type Host = { state: DurableObjectState; timers: Timers };

type Calls<Row> = {
  /** Where they are noted, under a growing `id`; it may be made when the first one is. */
  table: string;
  row: z.ZodType<Row>;
  /** SQL of what names the target in a row. */
  target: string;
  /** Rows of a target that one call takes at most. */
  atOnce: number;
  /** Makes a call, which must bear repetition; one that throws is made again later. */
  make(target: string, rows: Row[]): Promise<void>;
};

export class PendingCalls<Row extends { id: number }> implements Timer {
  readonly #host: Host;
  readonly #sql: SqlStorage;
  readonly #calls: Calls<Row>;
  /** Target → tries that did not succeed yet, and when the next one is due, ms. After hibernation: at once. */
  readonly #targets = new Map<string, { tries: number; retryAt: number }>();
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(host: Host, calls: Calls<Row>) {
    this.#host = host;
    this.#sql = host.state.storage.sql;
    this.#calls = calls;
    const { table, target } = calls;
    if (hasTable(this.#sql, table)) {
      const targets = this.#sql.exec<{ target: string }>(`SELECT DISTINCT ${target} AS target FROM ${table}`);
      for (const row of targets) this.#targets.set(row.target, { tries: 0, retryAt: 0 });
    }
    host.timers.add(this);
  }

  /** Rows for these targets were written. The alarm is set first, so that a crash loses nothing. */
  noted(targets: Iterable<string>): void {
    const now = Date.now();
    for (const target of new Set(targets)) {
      if (!this.#targets.has(target)) this.#targets.set(target, { tries: 0, retryAt: now + FIRST_RETRY_MS });
      void this.#begin(target);
    }
    this.#host.timers.arm(now);
  }

  /** Makes all that waits, now. @throws Error a call failed; it is made again later */
  async finish(): Promise<void> {
    await Promise.all(this.#underWay.values());
    for (const target of this.#targets.keys()) await this.#begin(target);
    if (this.#targets.size > 0) throw new Error(`Calls of ${this.#calls.table} are not made yet`);
  }

  /** What waits is not so any more. */
  clear(): void {
    if (hasTable(this.#sql, this.#calls.table)) this.#sql.exec(`DELETE FROM ${this.#calls.table}`);
    this.#targets.clear();
  }

  due(): number | null {
    return this.#targets.size === 0 ? null : Math.min(...Array.from(this.#targets.values(), ({ retryAt }) => retryAt));
  }

  ring(now: number): void {
    for (const [target, { retryAt }] of this.#targets) if (retryAt <= now) void this.#begin(target);
  }

  /** Once at a time for each target, after this event: never from within a transaction. Never throws. */
  #begin(target: string): Promise<void> {
    const underWay = this.#underWay.get(target);
    if (underWay) return underWay;
    const made = Promise.resolve().then(() => this.#makeAll(target));
    this.#underWay.set(target, made);
    this.#host.state.waitUntil(made);
    return made;
  }

  /** Makes what waits for a target; what is added meanwhile goes with it. Never throws. */
  async #makeAll(target: string): Promise<void> {
    const tries = (this.#targets.get(target)?.tries ?? 0) + 1;
    const waitMs = Math.min(FIRST_RETRY_MS * 2 ** (tries - 1), LONGEST_RETRY_MS);
    // Counts as failed until it is done.
    this.#targets.set(target, { tries, retryAt: Date.now() + waitMs });
    try {
      for (let rows = this.#next(target); rows.length > 0; rows = this.#next(target)) {
        await this.#calls.make(target, rows);
        for (const { id } of rows) this.#sql.exec(`DELETE FROM ${this.#calls.table} WHERE id = ?`, id);
      }
      this.#targets.delete(target);
    } catch (error) {
      logFailure({ requestId: "" }, "calls.pending", error, { calls: this.#calls.table, target, tries });
    }
    this.#underWay.delete(target);
    this.#host.timers.arm(Date.now());
  }

  /** Read anew each time: what waited may have been withdrawn. */
  #next(target: string): Row[] {
    const { table, target: named, atOnce, row } = this.#calls;
    return this.#sql
      .exec(`SELECT * FROM ${table} WHERE ${named} = ? ORDER BY id LIMIT ?`, target, atOnce)
      .toArray()
      .map((found) => row.parse(found));
  }
}
