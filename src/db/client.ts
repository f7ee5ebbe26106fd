/** D1 behind drizzle: counts what each call costs, and waits no longer than it may. */
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";
import type { Cost } from "../platform/cost.ts";
import { unavailable, within } from "../platform/deadline.ts";
import { countDatabase } from "../platform/metrics.ts";
import { type Answers, CompiledBatch, type Statements } from "./batch.ts";
import { type Condition, Precondition } from "./precondition.ts";

export type Db = Omit<DrizzleD1Database, "batch"> & {
  /** All in one transaction and one round trip: see batch.ts. */
  batch: <T extends Statements>(statements: T) => Promise<Answers<T>>;
  /** The same of a batch that was compiled before, with these values for its placeholders: see prepared-batch.ts. */
  again: <T extends Statements>(batch: CompiledBatch<T>, values: Record<string, unknown>) => Promise<Answers<T>>;
  /** Asks what the call stands on, unless a trip has. @throws what is so instead */
  settle: () => Promise<void>;
};

type Options = {
  /** Every round trip is added to it. */
  cost: Cost;
  /** One that fails because the database is not there, or takes longer, throws UNAVAILABLE. */
  timeoutSeconds: number;
  /** What must be so for anything to be done: see precondition.ts. */
  condition?: Condition;
};

/** Connects to the database. */
export function connect(database: D1Database, options: Options): Db {
  const { client, settle } = counted(database, options);
  const again: Db["again"] = async (batch, values) => {
    const statements = batch.queries(values).map(({ sql, params }) => client.prepare(sql).bind(...params));
    return batch.answers(await client.batch(statements));
  };
  const batch: Db["batch"] = async (statements) => again(new CompiledBatch(statements), {});
  return Object.assign(drizzle(client), { batch, again, settle });
}

/**
 * D1 answers rows as objects, so two columns of one name (a join's `id` and `id`) would collapse into one, and only that
 * answer carries `meta`. An outer `select *` makes SQLite name the second one `id:1`; it is flattened away when planned.
 */
function withDistinctNames(query: string): string {
  return /^\s*(select|with)\b/i.test(query) ? `select * from (${query})` : query;
}

/**
 * The database was not there; what was asked of it is not wrong (platform docs, D1 "Error list"). On a machine of one's own, another
 * program may hold its file.
 */
const NOT_THERE =
  /overloaded|network connection lost|exceeded timeout|caused object to be reset|reset because|database is locked/i;

function counted(database: D1Database, { cost, timeoutSeconds, condition }: Options) {
  const inner = new WeakMap<object, D1PreparedStatement>();
  const precondition = new Precondition(condition ?? null);

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

  /** One round trip. */
  const send = async <T>(statements: D1PreparedStatement[]): Promise<D1Result<T>[]> => {
    const first = await precondition.open();
    return first ? sendAfter(first, statements) : sendPlain(statements);
  };

  const sendPlain = async <T>(statements: D1PreparedStatement[]): Promise<D1Result<T>[]> => {
    const [only, ...more] = statements;
    if (!only) return [];
    const results = await inTime(async () =>
      more.length === 0 ? [await only.all<T>()] : await database.batch<T>(statements),
    );
    count(results);
    return results;
  };

  const sendAfter = async <T>(first: Condition, statements: D1PreparedStatement[]): Promise<D1Result<T>[]> => {
    const head = database.prepare(first.query).bind(...first.params);
    try {
      const [asked, ...results] = await inTime(() => database.batch<T>([head, ...statements]));
      count(asked ? [asked, ...results] : results);
      precondition.met(asked?.results[0]);
      return results;
    } catch (error) {
      cost.d1Queries += 1;
      return precondition.failed(first, error);
    }
  };

  const wrap = (statement: D1PreparedStatement): D1PreparedStatement => {
    const all = async <T>(): Promise<D1Result<T>> => {
      const [result] = await send<T>([statement]);
      if (!result) throw new Error("The database answered nothing.");
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

  const settle = async (): Promise<void> => {
    await send([]);
  };

  const client = {
    prepare: (query: string) => wrap(database.prepare(withDistinctNames(query))),
    batch: <T>(statements: D1PreparedStatement[]) =>
      send<T>(statements.map((statement) => inner.get(statement) ?? statement)),
    exec: async (query: string) => {
      await settle();
      return inTime(() => database.exec(query));
    },
  } as D1Database;
  return { client, settle };
}
