/** What rooms forget of a user who is erased (SPEC 4). */
import { sql } from "drizzle-orm";
import type { Ctx } from "../../context.ts";
import { tellEach } from "../../db/outbox.ts";
import { departure } from "./members.ts";

/**
 * Statements for the batch that erases a user, put before the one that deletes the row in `users`. What they wrote in any
 * room becomes nobody's, they belong to no room any more, groups of theirs pass to the oldest member, and groups with
 * nobody else end. The rooms hear of it through the outbox, whose sweep delivers what nobody delivers sooner.
 * An author whose first message the database has not heard of yet is found out by that room itself (summary.ts).
 */
export function anonymiseAuthor(ctx: Ctx, userId: number) {
  const isLonely = sql`owner_id = ${userId} AND kind = 'group' AND member_count <= 1`;
  const theirs = sql`SELECT room_id FROM room_members WHERE user_id = ${userId}`;
  return [
    tellEach(ctx, sql`SELECT 'room:' || id, json_object('deleted', json('true')) FROM rooms WHERE ${isLonely}`),
    ctx.db.run(sql`DELETE FROM rooms WHERE ${isLonely}`),
    tellEach(
      ctx,
      sql`SELECT 'room:' || room_id, json_object('anonymise', ${userId}) FROM room_authors WHERE user_id = ${userId}`,
    ),
    ctx.db.run(sql`DELETE FROM room_authors WHERE user_id = ${userId}`),
    ctx.db.run(departure(sql`(owner_id = ${userId} OR id IN (${theirs}))`, userId)),
    tellEach(
      ctx,
      sql`SELECT 'room:' || f.room_id, json_object('facts', json(f.facts), 'removed', ${userId})
        FROM room_facts f WHERE f.room_id IN (${theirs})`,
    ),
    ctx.db.run(sql`DELETE FROM room_members WHERE user_id = ${userId}`),
  ] as const;
}
