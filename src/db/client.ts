/** D1 behind drizzle, counting what each call costs. */
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";
import type { Cost } from "../platform/cost.ts";
import { namedBatch } from "./batch.ts";
import * as tables from "./tables.ts";

type Positional = DrizzleD1Database<typeof tables>;
export type Db = Omit<Positional, "batch"> & { batch: ReturnType<typeof namedBatch> };

/** Connects to the database; every round trip is added to `cost`. */
export function connect(database: D1Database, cost: Cost): Db {
  const client = counted(database, cost);
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

function counted(database: D1Database, cost: Cost): D1Database {
  const inner = new WeakMap<object, D1PreparedStatement>();

  const count = (results: D1Result[]): void => {
    cost.d1Queries += 1;
    for (const { meta } of results) {
      cost.d1RowsRead += meta.rows_read;
      cost.d1RowsWritten += meta.rows_written;
    }
  };

  const wrap = (statement: D1PreparedStatement): D1PreparedStatement => {
    const all = async <T>(): Promise<D1Result<T>> => {
      const result = await statement.all<T>();
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
      const results = await database.batch<T>(statements.map((statement) => inner.get(statement) ?? statement));
      count(results);
      return results;
    },
    exec: (query: string) => database.exec(query),
  } as D1Database;
}
