/**
 * Who has left their name in which object (`traces`), so that an erased user can be made nobody in all of them (SPEC 4).
 * How an object keeps this up is in realtime/traces.ts.
 */
import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../context.ts";
import { deliverNow, enqueueSelect, pendingFor, type Target } from "./outbox.ts";
import { traces } from "./tables.ts";

/** What an object is told through the outbox. May come again. */
export const Anonymise = z.object({ type: z.literal("anonymise"), userId: z.number().int() });
export type Anonymise = z.infer<typeof Anonymise>;

/**
 * Writes down who has a name in an object: a row each, none for those who are known.
 * @returns those who were erased before they were known here
 */
export async function recordTraces(ctx: Ctx, target: Target, userIds: number[]): Promise<number[]> {
  const people = JSON.stringify(userIds);
  const [, erased] = await ctx.db.batch([
    ctx.db.run(sql`INSERT OR IGNORE INTO traces (user_id, target)
      SELECT value, ${target} FROM json_each(${people}) WHERE EXISTS (SELECT 1 FROM users WHERE id = value)`),
    ctx.db
      .select({ id: sql<number>`value` })
      .from(sql`json_each(${people})`)
      .where(sql`NOT EXISTS (SELECT 1 FROM users WHERE users.id = value)`),
  ]);
  return erased.map(({ id }) => id);
}

/** These people's names are not in the object any more. */
export async function withdrawTraces(ctx: Ctx, target: Target, userIds: number[]): Promise<void> {
  const people = JSON.stringify(userIds);
  await ctx.db.run(
    sql`DELETE FROM traces WHERE target = ${target} AND user_id IN (SELECT value FROM json_each(${people}))`,
  );
}

/** Objects that one batch tells at most; each is called. */
const TOLD_AT_ONCE = 100;

/**
 * Makes a user whose row in `users` is gone nobody in the objects that have their name, and resolves once those know. The
 * row goes first, so that nothing new can come. May be repeated: what a crash leaves untold is the outbox sweep's.
 * @returns whether there were any, so that there may be more
 */
export async function eraseTraces(ctx: Ctx, userId: number): Promise<boolean> {
  const theirs = sql`SELECT target FROM traces WHERE user_id = ${userId} ORDER BY target LIMIT ${TOLD_AT_ONCE}`;
  const payload = JSON.stringify({ type: "anonymise", userId } satisfies Anonymise);
  const [, gone] = await ctx.db.batch([
    enqueueSelect(ctx, sql`SELECT target, ${payload} FROM (${theirs})`),
    ctx.db
      .delete(traces)
      .where(sql`user_id = ${userId} AND target IN (${theirs})`)
      .returning({ target: traces.target }),
  ]);
  if (gone.length === 0) return false;
  const targets = JSON.stringify(gone.map(({ target }) => target));
  await deliverNow(ctx, await pendingFor(ctx, sql`SELECT value FROM json_each(${targets})`));
  return true;
}
