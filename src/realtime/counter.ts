/** Numbers that only grow, over hibernation and crashes. */

/** A row is written for so many numbers: those that an object forgets are left out. */
const BLOCK = 1000;

export class Counter {
  readonly #sql: SqlStorage;
  readonly #table: string;
  #next = 0;
  #end = 0;

  /** `table` is made when the first number is needed. */
  constructor(sql: SqlStorage, table: string) {
    this.#sql = sql;
    this.#table = table;
  }

  /** From 1 on. */
  next(): number {
    if (this.#next === this.#end) this.#reserve();
    this.#next += 1;
    return this.#next;
  }

  #reserve(): void {
    this.#sql.exec(
      `CREATE TABLE IF NOT EXISTS ${this.#table} (id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL)`,
    );
    const { last } = this.#sql
      .exec<{ last: number }>(
        `INSERT INTO ${this.#table} (id, last) VALUES (1, ?1) ON CONFLICT DO UPDATE SET last = last + ?1 RETURNING last`,
        BLOCK,
      )
      .one();
    this.#end = last;
    this.#next = last - BLOCK;
  }
}
