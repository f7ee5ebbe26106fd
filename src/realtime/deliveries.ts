/**
 * What an object has had from the outbox (db/outbox.ts): each delivery is applied once, in the order of the ids, however
 * often it comes.
 */
import type { Delivery } from "../db/outbox.ts";
import type { FailedDelivery } from "../db/outbox-parked.ts";
import { logFailure } from "../platform/log.ts";
import { hasTable } from "./migrations.ts";

/** The newest id that was taken. Made when it is first needed: most objects are never delivered anything. */
export const LAST_DELIVERY_SCHEMA = "CREATE TABLE IF NOT EXISTS last_delivery (id INTEGER NOT NULL);";
/** Ids before it that must be tried again. */
const FAILED_SCHEMA = "CREATE TABLE IF NOT EXISTS failed_deliveries (id INTEGER PRIMARY KEY)";

/** What a kind of room knows of deliveries by itself. */
type Host = {
  /** The newest delivery that stands in the room's own log, which then needs no row of its own; 0 if none does. */
  logged(): number;
  apply(delivery: Delivery): void | Promise<void>;
};

export class Deliveries {
  readonly #sql: SqlStorage;
  readonly #host: Host;
  /** The newest id that was taken; unknown until the first delivery of this life. */
  #last: number | undefined;
  readonly #failed = new Set<number>();
  /** The group that is being applied, if one of it waits for something. */
  #underWay: Promise<unknown> | undefined;

  constructor(sql: SqlStorage, host: Host) {
    this.#sql = sql;
    this.#host = host;
  }

  /**
   * Applies one group after the other: a delivery that waits holds up those after it, so that none overtakes it. One that
   * throws takes nothing from the rest.
   * @returns those that failed, and must come again
   */
  async take(deliveries: Delivery[]): Promise<FailedDelivery[]> {
    while (this.#underWay) await this.#underWay;
    const failed: FailedDelivery[] = [];
    const rest = deliveries.values();
    const work = this.#applyAll(rest, failed);
    if (work) {
      this.#underWay = work.finally(() => {
        this.#underWay = undefined;
      });
      await this.#underWay;
    }
    return failed;
  }

  /** The outbox begins anew: no id was ever had. */
  forget(): void {
    for (const table of ["last_delivery", "failed_deliveries"]) {
      if (hasTable(this.#sql, table)) this.#sql.exec(`DELETE FROM ${table}`);
    }
    this.#failed.clear();
    this.#last = undefined;
  }

  /** Goes on without a promise until there is one: what arrives in between cannot mix in. */
  #applyAll(deliveries: Iterator<Delivery>, failed: FailedDelivery[]): Promise<void> | undefined {
    for (let next = deliveries.next(); !next.done; next = deliveries.next()) {
      const delivery = next.value;
      if (this.#isKnown(delivery.id)) continue;
      try {
        const work = this.#host.apply(delivery);
        if (work) return this.#applyRest(work, delivery, deliveries, failed);
        this.#record(delivery.id, true);
      } catch (thrown) {
        this.#fail(delivery.id, failed, thrown);
      }
    }
    return undefined;
  }

  async #applyRest(
    work: Promise<void>,
    { id }: Delivery,
    rest: Iterator<Delivery>,
    failed: FailedDelivery[],
  ): Promise<void> {
    try {
      await work;
      this.#record(id, true);
    } catch (thrown) {
      this.#fail(id, failed, thrown);
    }
    await this.#applyAll(rest, failed);
  }

  #isKnown(id: number): boolean {
    return id <= this.#newest() && !this.#failed.has(id);
  }

  #newest(): number {
    if (this.#last === undefined) {
      const last = hasTable(this.#sql, "last_delivery")
        ? this.#sql.exec<{ id: number | null }>("SELECT max(id) AS id FROM last_delivery").one().id
        : null;
      this.#last = Math.max(last ?? 0, this.#host.logged());
      if (hasTable(this.#sql, "failed_deliveries")) {
        for (const { id } of this.#sql.exec<{ id: number }>("SELECT id FROM failed_deliveries")) this.#failed.add(id);
      }
    }
    return this.#last;
  }

  /** It may succeed later; the outbox parks what never does. */
  #fail(id: number, failed: FailedDelivery[], thrown: unknown): void {
    logFailure({ requestId: "" }, "delivery.failed", thrown, { outboxId: id });
    failed.push({ id, reason: thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown) });
    this.#record(id, false);
  }

  /** A row is written only for what the log does not tell. What was applied may have emptied the storage. */
  #record(id: number, isDone: boolean): void {
    if (this.#failed.has(id) === isDone) this.#recordFailure(id, isDone);
    if (id <= this.#newest()) return;
    this.#last = id;
    if (this.#host.logged() >= id) return;
    this.#sql.exec(LAST_DELIVERY_SCHEMA);
    const { rowsWritten } = this.#sql.exec("UPDATE last_delivery SET id = ?", id);
    if (rowsWritten === 0) this.#sql.exec("INSERT INTO last_delivery (id) VALUES (?)", id);
  }

  #recordFailure(id: number, isOver: boolean): void {
    this.#sql.exec(FAILED_SCHEMA);
    if (isOver) this.#failed.delete(id);
    else this.#failed.add(id);
    this.#sql.exec(
      `${isOver ? "DELETE FROM failed_deliveries WHERE id =" : "INSERT INTO failed_deliveries VALUES"} (?)`,
      id,
    );
  }
}
