/** Rooms of a user who is erased (SPEC 4). What they wrote there is a matter of user references, as everywhere. */
import { sql } from "drizzle-orm";
import type { CallContext } from "../../db/call-context.ts";
import { deliverNow, enqueueSelect, pendingFor } from "../../db/outbox.ts";
import { departure, endDeliveries } from "./members.ts";

/**
 * Takes a user whose row in `users` is gone out of every room, and tells the rooms before it resolves. May be repeated: the
 * change and its news are one batch, and what a crash leaves untold is the outbox sweep's.
 */
export async function eraseFromRooms(ctx: CallContext, userId: number): Promise<void> {
  const touched = await ctx.db.all<{ target: string }>(sql`
    SELECT 'room:' || id AS target FROM rooms WHERE owner_id = ${userId}
    UNION SELECT 'room:' || room_id FROM room_members WHERE user_id = ${userId}`);
  const targets = JSON.stringify(touched.map(({ target }) => target));
  const { pending } = await ctx.db.batch({
    ...leaveRooms(ctx, userId),
    pending: pendingFor(ctx, sql`SELECT value FROM json_each(${targets})`),
  });
  await deliverNow(ctx, pending);
}

/** They belong to no room any more, groups of theirs pass to the oldest member, and groups with nobody else end. */
function leaveRooms(ctx: CallContext, userId: number) {
  const isLonely = sql`owner_id = ${userId} AND kind = 'group' AND member_count <= 1`;
  const theirs = sql`SELECT room_id FROM room_members WHERE user_id = ${userId}`;
  return {
    toldEnd: enqueueSelect(ctx, endDeliveries(isLonely)),
    ended: ctx.db.run(sql`DELETE FROM rooms WHERE ${isLonely}`),
    passedOn: ctx.db.run(departure(sql`(owner_id = ${userId} OR id IN (${theirs}))`, userId)),
    toldLeft: enqueueSelect(
      ctx,
      sql`SELECT 'room:' || f.room_id, json_object('facts', json(f.facts), 'removed', ${userId})
        FROM room_facts f WHERE f.room_id IN (${theirs})`,
    ),
    left: ctx.db.run(sql`DELETE FROM room_members WHERE user_id = ${userId}`),
    removals: ctx.db.run(sql`DELETE FROM room_removals WHERE user_id = ${userId}`),
  };
}
