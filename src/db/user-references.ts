/**
 * Which object keeps something that names a user (`user_references`), so that an erased user is anonymised in all of them
 * (SPEC 4). How an object keeps this up is in realtime/user-references.ts.
 */
import { sql } from "drizzle-orm";
import { z } from "zod";
import type { CallContext } from "./call-context.ts";
import { deliverNow, enqueueSelect, pendingFor, type Target } from "./outbox.ts";
import { userReferences } from "./tables.ts";

/** What an object is told through the outbox. May come again. */
export const Anonymise = z.object({ type: z.literal("anonymise"), userId: z.number().int() });
export type Anonymise = z.infer<typeof Anonymise>;

/**
 * Records that the object `target` names these users: a row each, none for those who are known.
 * @returns those who were erased before they were known here
 */
export async function recordReferences(ctx: CallContext, target: Target, userIds: number[]): Promise<number[]> {
  const people = JSON.stringify(userIds);
  const { erased } = await ctx.db.batch({
    recorded: ctx.db.run(sql`INSERT OR IGNORE INTO user_references (user_id, target)
      SELECT value, ${target} FROM json_each(${people}) WHERE EXISTS (SELECT 1 FROM users WHERE id = value)`),
    erased: ctx.db
      .select({ id: sql<number>`value` })
      .from(sql`json_each(${people})`)
      .where(sql`NOT EXISTS (SELECT 1 FROM users WHERE users.id = value)`),
  });
  return erased.map(({ id }) => id);
}

/** The object does not name these users any more. */
export async function withdrawReferences(ctx: CallContext, target: Target, userIds: number[]): Promise<void> {
  const people = JSON.stringify(userIds);
  await ctx.db.run(
    sql`DELETE FROM user_references WHERE target = ${target} AND user_id IN (SELECT value FROM json_each(${people}))`,
  );
}

/** Objects that one batch tells at most; each is called. */
const TOLD_AT_ONCE = 100;

/**
 * Has the objects that name a user whose row in `users` is gone anonymise them, and resolves once those know. The row goes
 * first, so that nothing new can come. May be repeated: what a crash leaves untold is the outbox sweep's.
 * @returns whether there were any, so that there may be more
 */
export async function eraseReferences(ctx: CallContext, userId: number): Promise<boolean> {
  const theirs = sql`SELECT target FROM user_references WHERE user_id = ${userId} ORDER BY target LIMIT ${TOLD_AT_ONCE}`;
  const payload = JSON.stringify({ type: "anonymise", userId } satisfies Anonymise);
  const { gone } = await ctx.db.batch({
    told: enqueueSelect(ctx, sql`SELECT target, ${payload} FROM (${theirs})`),
    gone: ctx.db
      .delete(userReferences)
      .where(sql`user_id = ${userId} AND target IN (${theirs})`)
      .returning({ target: userReferences.target }),
  });
  if (gone.length === 0) return false;
  const targets = JSON.stringify(gone.map(({ target }) => target));
  await deliverNow(ctx, await pendingFor(ctx, sql`SELECT value FROM json_each(${targets})`));
  return true;
}
