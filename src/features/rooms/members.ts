/** Who belongs to a room: inviting, leaving, removing, and what happens to a room when its people go. */
import { eq, type SQL, sql } from "drizzle-orm";
import { roomIdCalled } from "../../chat/names.ts";
import { actorId, isModerator, type ServerCtx, type UserCtx } from "../../context.ts";
import { after, one } from "../../db/batch.ts";
import { deliverSoon, enqueueSelect, pendingFor } from "../../db/outbox.ts";
import { roomMembers, rooms, users } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { blockedBetween } from "../social/service.ts";
import { recordRoom } from "./audit.ts";
import { enqueueInvited, enqueueRemoved } from "./inbox.ts";

/** Why these people cannot be brought together. */
export function whyNotInvitable(ids: number[], found: { id: number; status: string; isBlocked: number }[]): AppError {
  const active = new Set(found.filter(({ status }) => status === "active").map(({ id }) => id));
  if (ids.some((id) => !active.has(id))) return new AppError("NOT_FOUND", "There is no such user.");
  return new AppError("FORBIDDEN", "There is a block between you and one of these people.");
}

/** Whether this user is a member of the room; for a column or a condition. */
export const isMember = (id: SQL, userId: number) =>
  sql<number>`EXISTS (SELECT 1 FROM room_members m WHERE m.room_id = ${id} AND m.user_id = ${userId})`;

/** Who acts in a room: one of its members, or the product's own backend, which need not be one. */
export type RoomCtx = UserCtx | ServerCtx;

/** Whether whoever acts may do what members may; for a column or a condition. */
const actsInside = ({ actor }: RoomCtx, id: SQL) => (actor.kind === "server" ? sql<number>`1` : isMember(id, actor.id));

/**
 * Brings somebody into a group, also back into one that they were removed from; any member may. Their read mark starts at
 * what has been said so far.
 * @returns whether they are new here
 * @throws AppError NOT_FOUND no such room or user · FORBIDDEN not a member, a private room, or a block between the two
 */
export async function inviteMember(ctx: RoomCtx, name: string, userId: number): Promise<{ isNew: boolean }> {
  const id = roomIdCalled(name);
  const { room, user, added, pending } = await ctx.db.batch({
    room: one(
      ctx.db
        .select({ kind: rooms.kind, isMember: actsInside(ctx, id), isThere: isMember(id, userId) })
        .from(rooms)
        .where(eq(rooms.id, id)),
    ),
    user: one(
      ctx.db
        .select({ id: users.id, status: users.accountStatus, isBlocked: blockedBetween(actorId(ctx.actor), users.id) })
        .from(users)
        .where(eq(users.id, userId)),
    ),
    added: ctx.db
      .insert(roomMembers)
      .select(
        sql`SELECT r.id, u.id, ${ctx.now.getTime()}, r.head, r.message_count FROM rooms r JOIN users u ON u.id = ${userId}
          WHERE r.id = ${id} AND r.kind = 'group' AND ${actsInside(ctx, id)}
            AND u.account_status = 'active' AND NOT ${blockedBetween(actorId(ctx.actor), sql`u.id`)}`,
      )
      .onConflictDoNothing()
      .returning({ userId: roomMembers.userId }),
    told: after("added", enqueueInvited(ctx, sql`SELECT ${userId} AS user_id, ${id} AS room_id WHERE changes() > 0`)),
    // Whoever is a member is not barred.
    reinstated: ctx.db.run(
      sql`DELETE FROM room_removals WHERE room_id = ${id} AND user_id = ${userId} AND ${isMember(id, userId)}`,
    ),
    pending: pendingFor(ctx, `user:${userId}`),
  });
  deliverSoon(ctx, pending);
  if (!room || room.kind === "course") throw new AppError("NOT_FOUND", "There is no such room.");
  if (!room.isMember) throw new AppError("FORBIDDEN", "You are not a member of this room.");
  if (room.kind === "private") throw new AppError("FORBIDDEN", "A private room has its two people and no third.");
  if (added.length === 0 && !room.isThere) throw whyNotInvitable([userId], user ? [user] : []);
  return { isNew: added.length > 0 };
}

/**
 * Takes somebody out of a group; their sockets in it close with 4003. Oneself: leaving. An owner who leaves hands over to
 * the oldest member; the last one out ends the room. Who was removed does not join an open group again by themself.
 * @throws AppError NOT_FOUND no such room or member · FORBIDDEN
 */
export async function removeMember(ctx: RoomCtx, name: string, userId: number): Promise<void> {
  const me = actorId(ctx.actor);
  const id = roomIdCalled(name);
  const isEmpty = sql`id = ${id} AND kind = 'group' AND member_count = 0`;
  const mayRemove =
    userId === me || ctx.actor.kind === "server"
      ? sql`1`
      : isModerator(ctx.actor)
        ? sql`r.owner_id <> ${userId} AND ${isMember(id, me)}`
        : sql`r.owner_id = ${me}`;
  const isRemovable = sql`room_id = ${id} AND user_id = ${userId}
    AND EXISTS (SELECT 1 FROM rooms r WHERE r.id = ${id} AND r.kind = 'group' AND ${mayRemove})`;
  const { room, removed, pending } = await ctx.db.batch({
    room: one(
      ctx.db
        .select({ kind: rooms.kind, isMember: actsInside(ctx, id), isThere: isMember(id, userId) })
        .from(rooms)
        .where(eq(rooms.id, id)),
    ),
    audited: recordRoom(ctx, "remove_member", {
      which: sql`r.id = ${id} AND r.owner_id <> ${me}
        AND EXISTS (SELECT 1 FROM room_members WHERE ${isRemovable} AND user_id <> ${me})`,
      details: { userId },
    }),
    toldThem: enqueueRemoved(
      ctx,
      sql`SELECT user_id, room_id FROM room_members WHERE ${isRemovable}`,
      userId === me ? "left" : "removed",
    ),
    removed: ctx.db.delete(roomMembers).where(isRemovable).returning({ userId: roomMembers.userId }),
    passedOn: after("removed", ctx.db.run(departure(sql`id = ${id} AND changes() > 0`, userId))),
    told: after(
      "passedOn",
      enqueueSelect(
        ctx,
        sql`SELECT 'room:' || f.room_id, json_object('facts', json(f.facts), 'removed', ${userId})
        FROM room_facts f WHERE f.room_id = ${id} AND changes() > 0`,
      ),
    ),
    barred: after(
      "told",
      ctx.db.run(sql`INSERT OR IGNORE INTO room_removals (room_id, user_id)
        SELECT ${id}, ${userId} WHERE ${userId} <> ${me} AND changes() > 0`),
    ),
    // Told, and what is to be delivered read, while the name still leads to the room.
    toldEnd: enqueueSelect(ctx, endDeliveries(isEmpty)),
    pending: pendingFor(ctx, sql`'room:' || ${id}`, `user:${userId}`),
    ended: ctx.db.run(sql`DELETE FROM rooms WHERE ${isEmpty}`),
  });
  if (!room || room.kind === "course") throw new AppError("NOT_FOUND", "There is no such room.");
  if (!room.isMember) throw new AppError("FORBIDDEN", "You are not a member of this room.");
  if (room.kind === "private") throw new AppError("FORBIDDEN", "A private room keeps its two people.");
  if (!room.isThere) throw new AppError("NOT_FOUND", "This user is not a member.");
  if (removed.length === 0) throw new AppError("FORBIDDEN", "Only the owner and moderators remove members.");
  deliverSoon(ctx, pending);
}

/** The payload of an outbox row that ends rooms; `where` speaks of `rooms`. */
export const endDeliveries = (where: SQL) =>
  sql`SELECT 'room:' || id, json_object('deleted', json('true')) FROM rooms WHERE ${where}`;

/** Rooms that somebody leaves go on under the oldest of the others; courses, under nobody. */
export const departure = (where: ReturnType<typeof sql>, userId: number) =>
  sql`UPDATE rooms SET version = version + 1, owner_id = CASE
      WHEN owner_id IS NOT ${userId} THEN owner_id
      WHEN kind = 'group' THEN (SELECT m.user_id FROM room_members m WHERE m.room_id = rooms.id AND m.user_id <> ${userId}
        ORDER BY m.joined_at, m.user_id LIMIT 1)
      END
    WHERE ${where}`;
