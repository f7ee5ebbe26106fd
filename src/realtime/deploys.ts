/**
 * A newer version of the code is out, and this object runs the one before. The platform lets it for some minutes, and then
 * resets it: all its sockets break off at once, and it is told nothing before. So it goes first, when a client arrives from a
 * Worker of the newer version: clients are told when to come back, what is only in memory is stored, and it begins anew. Once for
 * each version: if the platform gives it the old code again, it goes on with that.
 */
import { logEvent, logFailure } from "../platform/log.ts";
import { type Version, versionOf } from "../platform/version.ts";
import { hasTable } from "./migrations.ts";

/** Upgrades that an object takes in a second, with others to serve. */
const UPGRADES_PER_SECOND = 250;
const SPREAD_SECONDS = { least: 5, most: 120 };
const SCHEMA =
  "CREATE TABLE IF NOT EXISTS restarted_for (id INTEGER PRIMARY KEY CHECK (id = 1), version TEXT NOT NULL)";

/** Why so many sockets are closed with 1012: their clients come back at random within the spread. */
export function restartReason(sockets: number): string {
  const { least, most } = SPREAD_SECONDS;
  return `RESTART; Spread: ${Math.min(most, Math.max(least, Math.ceil(sockets / UPGRADES_PER_SECOND)))}`;
}

export class Deploys {
  readonly #state: DurableObjectState;
  readonly #own: Version | undefined;
  readonly #lastWordsMs: number;
  #isRestarting = false;

  /** @param lastWordsMs how long what was sent last needs to go out, ms: the object takes no event meanwhile. 0: nothing has to */
  constructor(state: DurableObjectState, env: Env, { lastWordsMs }: { lastWordsMs: number }) {
    this.#state = state;
    this.#own = versionOf(env);
    this.#lastWordsMs = lastWordsMs;
  }

  /**
   * A client arrives from a Worker of this version.
   * @param handOver closes what is connected, and resolves when all else that must outlive the object is stored
   * @returns false: the object is beginning anew, and the client has to come again
   */
  admits(theirs: Version | undefined, handOver: () => void | Promise<void>): boolean {
    if (this.#isRestarting) return false;
    if (!theirs || !this.#own || theirs.at <= this.#own.at || theirs.id === this.#restartedFor()) return true;
    this.#isRestarting = true;
    logEvent("object.restart", { object: this.#state.id.name, version: theirs.id });
    this.#state.waitUntil(this.#restart(theirs, handOver));
    return false;
  }

  #restartedFor(): string | undefined {
    const { sql } = this.#state.storage;
    if (!hasTable(sql, "restarted_for")) return undefined;
    return sql.exec<{ version: string }>("SELECT version FROM restarted_for").toArray()[0]?.version;
  }

  async #restart({ id }: Version, handOver: () => void | Promise<void>): Promise<void> {
    const { sql } = this.#state.storage;
    sql.exec(SCHEMA);
    sql.exec("INSERT OR REPLACE INTO restarted_for (id, version) VALUES (1, ?)", id);
    try {
      await handOver();
    } catch (error) {
      logFailure({ requestId: "" }, "object.handOver", error);
    }
    await this.#state.storage.sync();
    // A timer outside of this ends with the request that brought the news, and the object would never begin anew.
    if (this.#lastWordsMs > 0) await this.#state.blockConcurrencyWhile(() => scheduler.wait(this.#lastWordsMs));
    this.#state.abort("A newer version of the code is there.");
  }
}
