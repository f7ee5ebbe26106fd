/**
 * Who has left their name in an object's own storage. The object tells the database of each once, afterwards (db/traces.ts):
 * at once after a quiet time, every TELL_EVERY_MS while new people keep coming, and before anything old is read. So nobody
 * who was erased is ever read of, though the database is not asked on the way of a message.
 */
import type { Ctx } from "../context.ts";
import type { Target } from "../db/outbox.ts";
import { recordTraces, withdrawTraces } from "../db/traces.ts";
import { logFailure } from "../platform/log.ts";
import type { Timer, Timers } from "./timers.ts";

/** A migration of an object that has Traces, before the names that are there already are put in. */
export const TRACES_SCHEMA = `
  CREATE TABLE traces (user_id INTEGER PRIMARY KEY, is_told INTEGER NOT NULL DEFAULT 0);
  CREATE INDEX traces_untold ON traces (user_id) WHERE is_told = 0;
`;

const TELL_EVERY_MS = 10_000;
/** People that one statement tells of at most. */
const TELL_PEOPLE = 500;
/** People that are known without looking. */
const KNOWN_PEOPLE = 10_000;

type Host = {
  state: DurableObjectState;
  timers: Timers;
  target: Target;
  context: () => Ctx;
  /** Makes this user nobody here; see `forget`. */
  anonymise: (userId: number) => void;
};

export class Traces implements Timer {
  readonly #host: Host;
  readonly #sql: SqlStorage;
  readonly #known = new Set<number>();
  /** Since when somebody has been untold, ms; null when the database knows everybody. After a sleep: for long enough. */
  #untoldSince: number | null;
  #toldAt = 0;
  #retryAt = 0;
  #telling: Promise<void> | undefined;

  constructor(host: Host) {
    this.#host = host;
    this.#sql = host.state.storage.sql;
    this.#untoldSince = this.#untold().length > 0 ? 0 : null;
    host.timers.add(this);
    if (this.#untoldSince !== null) host.timers.arm(Date.now());
  }

  /** Somebody's name is kept here now: a row written when they are new. The alarm is set first: no crash loses the news. */
  note(userId: number, now: number): void {
    if (this.#known.has(userId)) return;
    const sql = "INSERT INTO traces (user_id) VALUES (?) ON CONFLICT DO NOTHING RETURNING 1";
    const isNew = this.#sql.exec(sql, userId).toArray().length > 0;
    if (this.#known.size >= KNOWN_PEOPLE) this.#known.clear();
    this.#known.add(userId);
    if (!isNew || this.#untoldSince !== null) return;
    this.#untoldSince = now;
    this.#host.timers.arm(now);
    // After this turn: never from within a transaction.
    if (now - this.#toldAt >= TELL_EVERY_MS) this.#host.state.waitUntil(Promise.resolve().then(() => this.settle()));
  }

  due(): number | null {
    return this.#untoldSince === null ? null : Math.max(this.#untoldSince + TELL_EVERY_MS, this.#retryAt);
  }

  ring(): Promise<void> {
    return this.settle();
  }

  /**
   * Resolves once the database has been asked about everybody who was noted before; after it has failed, at once for a
   * while. Never throws.
   */
  async settle(): Promise<void> {
    await this.#telling;
    if (this.#untoldSince === null || Date.now() < this.#retryAt) return;
    this.#telling ??= this.#tell().finally(() => {
      this.#telling = undefined;
    });
    await this.#telling;
  }

  async #tell(): Promise<void> {
    const { target, context, anonymise, timers } = this.#host;
    try {
      for (let people = this.#untold(); people.length > 0; people = this.#untold()) {
        const erased = await recordTraces(context(), target, people);
        const json = JSON.stringify(people);
        this.#sql.exec("UPDATE traces SET is_told = 1 WHERE user_id IN (SELECT value FROM json_each(?))", json);
        for (const userId of erased) anonymise(userId);
      }
      this.#untoldSince = null;
      this.#toldAt = Date.now();
    } catch (error) {
      this.#retryAt = Date.now() + TELL_EVERY_MS;
      logFailure({ requestId: "" }, "traces.tell", error, { target });
    }
    timers.arm(Date.now());
  }

  #untold = (): number[] => this.#people("WHERE is_told = 0");

  #people(where = ""): number[] {
    const rows = this.#sql.exec<{ id: number }>(`SELECT user_id AS id FROM traces ${where} LIMIT ?`, TELL_PEOPLE);
    return [...rows].map(({ id }) => id);
  }

  /** Nothing here has this user's name any more. Should it come again, it is noted again. */
  forget(userId: number): void {
    this.#known.delete(userId);
    this.#sql.exec("DELETE FROM traces WHERE user_id = ?", userId);
  }

  /** No name is left here: takes back what the database was told. Goes on where it broke off. */
  async withdraw(): Promise<void> {
    await this.#telling;
    for (let people = this.#people(); people.length > 0; people = this.#people()) {
      await withdrawTraces(this.#host.context(), this.#host.target, people);
      for (const userId of people) this.forget(userId);
    }
    this.#untoldSince = null;
  }
}
