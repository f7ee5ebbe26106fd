/** Who belongs to a room, for admins. */
import { and, asc, eq, sql } from "drizzle-orm";
import { roomIdCalled } from "../../../chat/names.ts";
import type { UserCtx } from "../../../context.ts";
import { one } from "../../../db/batch.ts";
import { searched } from "../../../db/folding.ts";
import { offsetOf, pagination } from "../../../db/page.ts";
import { roomMembers, rooms, users } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import type { PeopleQuery } from "../base-contract.ts";
import { countMatches, hasPart } from "../search.ts";

/** One round trip, in the order of the key. @throws AppError NOT_FOUND */
export async function listMembers(ctx: UserCtx, name: string, query: PeopleQuery) {
  const id = roomIdCalled(name);
  const found = hasPart([searched.username, searched.fullName], query.search);
  const isIn = sql`${roomMembers.roomId} = ${id}`;
  const { room, rows, counted } = await ctx.db.batch({
    room: one(ctx.db.select({ ownerId: rooms.ownerId }).from(rooms).where(sql`${rooms.id} = ${id}`)),
    rows: ctx.db
      .select({ id: users.id, username: users.username, fullName: users.fullName, joinedAt: roomMembers.joinedAt })
      .from(roomMembers)
      .innerJoin(users, eq(users.id, roomMembers.userId))
      .where(and(isIn, found))
      .orderBy(asc(roomMembers.userId))
      .limit(query.limit)
      .offset(offsetOf(query)),
    counted: countMatches(
      ctx,
      sql`${roomMembers} JOIN ${users} ON ${users.id} = ${roomMembers.userId} WHERE ${and(isIn, found)}`,
    ),
  });
  if (!room) throw new AppError("NOT_FOUND");
  const members = rows.map(({ joinedAt, ...person }) => ({
    ...person,
    isOwner: person.id === room.ownerId,
    joinedAt: joinedAt.toISOString(),
  }));
  return { members, pagination: pagination(query, counted?.total ?? 0) };
}
