/**
 * Batches that are asked again and again, compiled once: drizzle makes a query's SQL anew at every call, which for a small
 * read takes a sixth of all its time. What differs from call to call are placeholders (`sql.placeholder("name")`), whose
 * values are given as the database has them: a time in ms, a list as JSON.
 */
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";
import { CompiledBatch, type Statements } from "./batch.ts";

/** For making statements, which belong to no call. */
export type Builder = Omit<DrizzleD1Database, "batch">;

/** Compiles, and asks nobody. */
const nowhere: Pick<D1Database, "prepare"> = { prepare: () => ({}) as D1PreparedStatement };
const builder: Builder = drizzle(nowhere as D1Database);

/**
 * `const days = prepared((db) => ({ … }))`, asked by `ctx.db.again(days(), { today })`. `variant`: what the statements
 * themselves depend on, a few words out of a fixed set each: every combination is compiled once and kept.
 */
export function prepared<Variant extends string[], T extends Statements>(
  build: (db: Builder, ...variant: Variant) => T,
): (...variant: Variant) => CompiledBatch<T> {
  const compiled = new Map<string, CompiledBatch<T>>();
  return (...variant) => {
    const key = variant.join(" ");
    const known = compiled.get(key);
    if (known) return known;
    const made = new CompiledBatch(build(builder, ...variant));
    compiled.set(key, made);
    return made;
  };
}
