/**
 * What has to be so for a call to read or change anything. It is asked at the head of the call's first trip to the database,
 * in one transaction with that trip's work: where it is not so the transaction fails, and nothing was read out or written.
 */
import { type SQL, sql } from "drizzle-orm";

export type Condition = {
  /** A SELECT of one row, with `failUnless` for one of its columns. */
  query: string;
  params: unknown[];
  /** Hears the row of the trip that met the condition, before anybody hears of the work. */
  met: (row: Record<string, unknown>) => void;
  /** Finds out what is so instead, and throws it. */
  unmet: () => Promise<never>;
};

/** A column that fails the whole transaction unless `condition` is true. */
export const failUnless = (condition: SQL): SQL => sql`json(CASE WHEN ${condition} THEN '1' ELSE '!' END)`;

/** What SQLite says of the '!'. Work may fail alike: then the condition is looked at for nothing, and the work done again. */
const FAILED = /malformed JSON/i;

/** The condition of one call. Trips that are made side by side all ask it, until one of them has met it. */
export class Precondition {
  #open: Condition | null;
  #failure: Promise<never> | null = null;

  constructor(condition: Condition | null) {
    this.#open = condition;
  }

  /** What the next trip has to ask first; null: nothing any more. @throws what came of it, once it was not met */
  async open(): Promise<Condition | null> {
    if (this.#failure) await this.#failure;
    return this.#open;
  }

  met(row: unknown): void {
    const condition = this.#open;
    this.#open = null;
    if (typeof row === "object" && row !== null) condition?.met({ ...row });
  }

  /** A trip that asked has failed. @throws what is so instead, or `error`, where that says nothing of the condition */
  async failed(condition: Condition, error: unknown): Promise<never> {
    if (!(error instanceof Error && FAILED.test(error.message))) throw error;
    this.#failure ??= condition.unmet();
    return this.#failure;
  }
}
