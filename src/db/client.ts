/** D1 behind drizzle: counts what each call costs, and waits no longer than it may. */
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";
import type { Cost } from "../platform/cost.ts";
import { unavailable, within } from "../platform/deadline.ts";
import { countDatabase } from "../platform/metrics.ts";
import { namedBatch } from "./batch.ts";
import * as tables from "./tables.ts";

type Positional = DrizzleD1Database<typeof tables>;
export type Db = Omit<Positional, "batch"> & { batch: ReturnType<typeof namedBatch> };

/**
 * Connects to the database; every round trip is added to `cost`. One that fails because the database is not there, or
 * takes longer than `timeoutSeconds`, throws UNAVAILABLE.
 */
export function connect(database: D1Database, cost: Cost, timeoutSeconds: number): Db {
  const client = counted(database, cost, timeoutSeconds);
  const db = drizzle(client, { schema: tables });
  // drizzle 0.45 forgets the statement of a raw query with parameters, which its `batch` then asks for.
  const run = db.run.bind(db);
  db.run = (query) => {
    const raw = run(query);
    const compiled = raw.getQuery();
    return Object.assign(raw, { stmt: client.prepare(compiled.sql), getQuery: () => compiled });
  };
  const batch = db.batch.bind(db);
  return Object.assign(db, { batch: namedBatch((statements) => batch(statements)) });
}

/**
 * D1 answers rows as objects, so two columns of one name (a join's `id` and `id`) would collapse into one, and only that
 * answer carries `meta`. An outer `select *` makes SQLite name the second one `id:1`; it is flattened away when planned.
 */
function withDistinctNames(query: string): string {
  return /^\s*(select|with)\b/i.test(query) ? `select * from (${query})` : query;
}

/** The database was not there; what was asked of it is not wrong (platform docs, D1 "Error list"). */
const NOT_THERE = /overloaded|network connection lost|exceeded timeout|caused object to be reset|reset because/i;

function counted(database: D1Database, cost: Cost, timeoutSeconds: number): D1Database {
  const inner = new WeakMap<object, D1PreparedStatement>();

  const inTime = async <T>(work: () => Promise<T>): Promise<T> => {
    const started = Date.now();
    try {
      return await within(timeoutSeconds, "The database", work);
    } catch (error) {
      throw error instanceof Error && NOT_THERE.test(error.message) ? unavailable(error) : error;
    } finally {
      countDatabase(Date.now() - started);
    }
  };

  const count = (results: D1Result[]): void => {
    cost.d1Queries += 1;
    for (const { meta } of results) {
      cost.d1RowsRead += meta.rows_read;
      cost.d1RowsWritten += meta.rows_written;
    }
  };

  const wrap = (statement: D1PreparedStatement): D1PreparedStatement => {
    const all = async <T>(): Promise<D1Result<T>> => {
      const result = await inTime(() => statement.all<T>());
      count([result]);
      return result;
    };
    const wrapped = {
      bind: (...values: unknown[]) => wrap(statement.bind(...values)),
      all,
      run: all,
      raw: async () => (await all<Record<string, unknown>>()).results.map((row) => Object.values(row)),
      first: async () => (await all()).results[0] ?? null,
    } as D1PreparedStatement;
    inner.set(wrapped, statement);
    return wrapped;
  };

  return {
    prepare: (query: string) => wrap(database.prepare(withDistinctNames(query))),
    batch: async <T>(statements: D1PreparedStatement[]) => {
      const results = await inTime(() =>
        database.batch<T>(statements.map((statement) => inner.get(statement) ?? statement)),
      );
      count(results);
      return results;
    },
    exec: (query: string) => inTime(() => database.exec(query)),
  } as D1Database;
}
