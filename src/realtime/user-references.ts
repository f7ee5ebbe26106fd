/**
 * Which users an object's own storage names. The object records each in the database once, afterwards
 * (db/user-references.ts): at once after a quiet time, every RECORD_EVERY_MS while new people keep coming, and before
 * anything old is read. So nobody reads of an erased user, though the database is not asked on the way of a message.
 */
import type { Ctx } from "../context.ts";
import type { Target } from "../db/outbox.ts";
import { recordReferences, withdrawReferences } from "../db/user-references.ts";
import { logFailure } from "../platform/log.ts";
import type { Timer, Timers } from "./timers.ts";

/** A migration of an object that has UserReferences; in the same step, insert the users whom the storage names already. */
export const USER_REFERENCES_SCHEMA = `
  CREATE TABLE user_references (user_id INTEGER PRIMARY KEY, is_recorded INTEGER NOT NULL DEFAULT 0);
  CREATE INDEX user_references_unrecorded ON user_references (user_id) WHERE is_recorded = 0;
`;

/** What stream rooms and sessions were given first; RENAMED_TRACES is a later step of theirs. */
export const TRACES_SCHEMA = `
  CREATE TABLE traces (user_id INTEGER PRIMARY KEY, is_told INTEGER NOT NULL DEFAULT 0);
  CREATE INDEX traces_untold ON traces (user_id) WHERE is_told = 0;
`;
export const RENAMED_TRACES = `
  DROP INDEX traces_untold;
  ALTER TABLE traces RENAME TO user_references;
  ALTER TABLE user_references RENAME COLUMN is_told TO is_recorded;
  CREATE INDEX user_references_unrecorded ON user_references (user_id) WHERE is_recorded = 0;
`;

const RECORD_EVERY_MS = 10_000;
/** People that one statement records at most. */
const PEOPLE_AT_ONCE = 500;
/** People that are known without looking. */
const KNOWN_PEOPLE = 10_000;

type Host = {
  state: DurableObjectState;
  timers: Timers;
  /** The object, as in the outbox: `stream:12`. */
  target: Target;
  context: () => Ctx;
  /** Anonymises this user here, and calls `forget`. */
  anonymise: (userId: number) => void;
};

export class UserReferences implements Timer {
  readonly #host: Host;
  readonly #sql: SqlStorage;
  readonly #known = new Set<number>();
  /** Since when somebody is not recorded, ms; null when the database knows everybody. After hibernation: long enough. */
  #behindSince: number | null;
  #recordedAt = 0;
  #retryAt = 0;
  #recording: Promise<void> | undefined;

  constructor(host: Host) {
    this.#host = host;
    this.#sql = host.state.storage.sql;
    this.#behindSince = this.#unrecorded().length > 0 ? 0 : null;
    host.timers.add(this);
    if (this.#behindSince !== null) host.timers.arm(Date.now());
  }

  /** This user is named here now: a row written when they are new. The alarm is set first, so a crash loses nobody. */
  record(userId: number, now: number): void {
    if (this.#known.has(userId)) return;
    const sql = "INSERT INTO user_references (user_id) VALUES (?) ON CONFLICT DO NOTHING RETURNING 1";
    const isNew = this.#sql.exec(sql, userId).toArray().length > 0;
    if (this.#known.size >= KNOWN_PEOPLE) this.#known.clear();
    this.#known.add(userId);
    if (!isNew || this.#behindSince !== null) return;
    this.#behindSince = now;
    this.#host.timers.arm(now);
    // After this event: never from within a transaction.
    if (now - this.#recordedAt >= RECORD_EVERY_MS) {
      this.#host.state.waitUntil(Promise.resolve().then(() => this.settle()));
    }
  }

  due(): number | null {
    return this.#behindSince === null ? null : Math.max(this.#behindSince + RECORD_EVERY_MS, this.#retryAt);
  }

  ring(): Promise<void> {
    return this.settle();
  }

  /**
   * Resolves once the database has been asked about everybody who was recorded here before; call it before a read. After
   * a failure it resolves at once for RECORD_EVERY_MS. Never throws.
   */
  async settle(): Promise<void> {
    await this.#recording;
    if (this.#behindSince === null || Date.now() < this.#retryAt) return;
    this.#recording ??= this.#tellDatabase().finally(() => {
      this.#recording = undefined;
    });
    await this.#recording;
  }

  async #tellDatabase(): Promise<void> {
    const { target, context, anonymise, timers } = this.#host;
    try {
      for (let people = this.#unrecorded(); people.length > 0; people = this.#unrecorded()) {
        const erased = await recordReferences(context(), target, people);
        const json = JSON.stringify(people);
        const done = "UPDATE user_references SET is_recorded = 1 WHERE user_id IN (SELECT value FROM json_each(?))";
        this.#sql.exec(done, json);
        for (const userId of erased) anonymise(userId);
      }
      this.#behindSince = null;
      this.#recordedAt = Date.now();
    } catch (error) {
      this.#retryAt = Date.now() + RECORD_EVERY_MS;
      logFailure({ requestId: "" }, "references.record", error, { target });
    }
    timers.arm(Date.now());
  }

  #unrecorded = (): number[] => this.#people("WHERE is_recorded = 0");

  #people(where = ""): number[] {
    const sql = `SELECT user_id AS id FROM user_references ${where} LIMIT ?`;
    return [...this.#sql.exec<{ id: number }>(sql, PEOPLE_AT_ONCE)].map(({ id }) => id);
  }

  /** Nothing here names this user any more. Should their name come again, it is recorded again. */
  forget(userId: number): void {
    this.#known.delete(userId);
    this.#sql.exec("DELETE FROM user_references WHERE user_id = ?", userId);
  }

  /** The database was set back, and may not know whom it was told of: tells it anew. */
  recordAgain(now: number): void {
    this.#sql.exec("UPDATE user_references SET is_recorded = 0");
    if (this.#unrecorded().length === 0) return;
    this.#behindSince ??= now;
    this.#host.timers.arm(now);
  }

  /** The object names nobody any more. What the database was told is of no harm: it has an order to forget obeyed. */
  clear(): void {
    this.#known.clear();
    this.#sql.exec("DELETE FROM user_references");
    this.#behindSince = null;
  }

  /** The object names nobody any more: takes back what the database was told. Goes on where it broke off. */
  async withdraw(): Promise<void> {
    await this.#recording;
    for (let people = this.#people(); people.length > 0; people = this.#people()) {
      await withdrawReferences(this.#host.context(), this.#host.target, people);
      for (const userId of people) this.forget(userId);
    }
    this.#behindSince = null;
  }
}
