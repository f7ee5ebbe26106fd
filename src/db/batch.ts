/**
 * Several statements in one transaction and one round trip, as a record: the answers are read by name. `changes()` and
 * `last_insert_rowid()` speak of the statement just before; a statement that reads them says which one it means by `after`,
 * and a batch that does not keep to that throws before anything is sent.
 */
import { fillPlaceholders } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";

type Statement = BatchItem<"sqlite">;

/** A statement with what the batch has to know about it. */
class Item<S extends Statement, One extends boolean> {
  readonly statement: S;
  readonly isOne: One;
  readonly neighbour: string | null;

  constructor(statement: S, isOne: One, neighbour: string | null) {
    this.statement = statement;
    this.isOne = isOne;
    this.neighbour = neighbour;
  }
}

/** A statement that answers one row at most: the row itself, or undefined. */
export const one = <S extends Statement>(statement: S): Item<S, true> => new Item(statement, true, null);

/** A statement that reads `changes()` or `last_insert_rowid()` of the one named `neighbour`, and stands right after it. */
export const after = <S extends Statement>(neighbour: string, statement: S): Item<S, false> =>
  new Item(statement, false, neighbour);

export type Statements = Record<string, Statement | Item<Statement, boolean>>;

type Result<S extends Statement> = S["_"]["result"];
type FirstOf<Rows> = Rows extends readonly (infer Row)[] ? Row | undefined : never;
export type Answers<T extends Statements> = {
  [Name in keyof T]: T[Name] extends Item<infer S, infer One>
    ? One extends true
      ? FirstOf<Result<S>>
      : Result<S>
    : T[Name] extends Statement
      ? Result<T[Name]>
      : never;
};

/** A statement as it is sent. */
export type Query = { sql: string; params: unknown[] };

/** What drizzle makes of a statement; its types do not show it. */
type Compilable = Statement & {
  _prepare: () => { getQuery: () => Query; mapResult: (result: unknown, isFromBatch: true) => unknown };
};
type Part = Query & { name: string; item: Item<Statement, boolean>; mapResult: (result: unknown) => unknown };

const READS_NEIGHBOUR = /\b(?:changes|last_insert_rowid)\(\)/i;
const WRITES = /^\s*(?:insert|update|delete|replace)\b/i;

/** A batch that is compiled: what differs from call to call are placeholders. See prepared-batch.ts. */
export class CompiledBatch<T extends Statements> {
  readonly #parts: Part[];

  constructor(statements: T) {
    this.#parts = Object.entries(statements).map(([name, entry]) => compile(name, entry));
    this.#parts.forEach(requireNeighbour);
  }

  /** What is sent when these are the values of its placeholders. */
  queries(values: Record<string, unknown>): Query[] {
    return this.#parts.map(({ sql, params }) => ({ sql, params: fillPlaceholders(params, values) }));
  }

  /** The answers by name; `results`: what came back for each query. */
  answers(results: unknown[]): Answers<T> {
    return Object.fromEntries(
      this.#parts.map(({ name, item, mapResult }, at) => [name, answerOf(item, mapResult(results[at]))]),
    ) as Answers<T>;
  }
}

function compile(name: string, entry: Statement | Item<Statement, boolean>): Part {
  const item = entry instanceof Item ? entry : new Item(entry, false, null);
  const prepared = (item.statement as Compilable)._prepare();
  const { sql, params } = prepared.getQuery();
  return { name, item, sql, params, mapResult: (result) => prepared.mapResult(result, true) };
}

function requireNeighbour({ name, item, sql }: Part, at: number, parts: Part[]): void {
  const { neighbour } = item;
  const readsNeighbour = READS_NEIGHBOUR.test(sql);
  if (readsNeighbour && neighbour === null) throw new Error(`"${name}" reads changes(): say after which statement.`);
  if (neighbour === null) return;
  if (!readsNeighbour) throw new Error(`"${name}" comes after "${neighbour}" for nothing: it does not read changes().`);
  const before = parts[at - 1];
  if (before?.name !== neighbour) throw new Error(`"${name}" has to stand right after "${neighbour}".`);
  if (!WRITES.test(before.sql)) throw new Error(`"${name}" reads what "${neighbour}" changed, which changes nothing.`);
}

function answerOf(item: Item<Statement, boolean>, result: unknown): unknown {
  return item.isOne && Array.isArray(result) ? result[0] : result;
}
