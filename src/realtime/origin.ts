/**
 * What an object's storage was made for: a generation of the database (db/generation.ts) and, where a row is known by its
 * number alone, the very row that had the number. When the Worker comes from another, the object asks the database itself,
 * since either may be behind; and starts over where it was.
 */
import { AppError } from "../errors.ts";
import { hasTable } from "./migrations.ts";

/** `born`: when the row was made, ms; none where its id is never used again, and where the caller does not know. */
export type Stamp = { generation?: string | undefined; born?: number | null | undefined };
type Known = { generation: string; born: number | null };

type Host = {
  state: DurableObjectState;
  /** What the database says now. */
  read(): Promise<Known>;
  /** Whether it is known by the number of a row. */
  isNumbered(): boolean;
  /** The database was restored, or (`isSameRow` false) the row of this number is another. Nothing may be awaited. */
  startOver(isSameRow: boolean): void;
};

/** One statement, since an object keeps each that it has ever run in memory. */
const SAVE = `
  CREATE TABLE IF NOT EXISTS origin (id INTEGER PRIMARY KEY CHECK (id = 1), generation TEXT NOT NULL, born INTEGER);
  INSERT OR REPLACE INTO origin (id, generation, born) VALUES (1, ?, ?)`;

export class Origin {
  readonly #host: Host;
  readonly #sql: SqlStorage;
  /** Null: the object is new, or of a release that knew no generations. Undefined: not read in this life. */
  #known: Known | null | undefined;

  constructor(host: Host) {
    this.#host = host;
    this.#sql = host.state.storage.sql;
  }

  /** Whether a call comes from the database that this object knows: the usual case, without a promise. */
  knows({ generation, born = null }: Stamp): boolean {
    // Of the release before, or of no database at all.
    if (generation === undefined) return true;
    const known = this.#load();
    return known?.generation === generation && (born === null || known.born === born);
  }

  /**
   * Resolves when the object's storage is that of the database and the row that the call comes from.
   * @throws AppError UNAVAILABLE the call is of a database that is no more: who comes again is told the truth
   */
  async meet(stamp: Stamp): Promise<void> {
    if (this.knows(stamp)) return;
    if (this.#beginsWith(stamp)) return;
    // Calls that come meanwhile wait. What throws in there would reset the object.
    const thrown = await this.#host.state.blockConcurrencyWhile(() => this.#compare().catch((error: unknown) => error));
    if (thrown) throw thrown;
    if (!this.knows(stamp)) throw new AppError("UNAVAILABLE");
  }

  /** A new object takes what the first call says, if that says all. */
  #beginsWith({ generation, born = null }: Stamp): boolean {
    if (generation === undefined || this.#load() || (born === null && this.#host.isNumbered())) return false;
    this.#save({ generation, born });
    return true;
  }

  async #compare(): Promise<void> {
    const truth = await this.#host.read();
    const known = this.#load();
    const isSameRow = !known || known.born === null || truth.born === null || known.born === truth.born;
    if (known && (known.generation !== truth.generation || !isSameRow)) this.#host.startOver(isSameRow);
    this.#save(truth);
  }

  #load(): Known | null {
    if (this.#known === undefined) {
      const rows = hasTable(this.#sql, "origin")
        ? this.#sql.exec<Known>("SELECT generation, born FROM origin").toArray()
        : [];
      this.#known = rows[0] ?? null;
    }
    return this.#known;
  }

  #save(known: Known): void {
    this.#sql.exec(SAVE, known.generation, known.born);
    this.#known = known;
  }
}
