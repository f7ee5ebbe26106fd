/** Rooms as admins see them: the list, and the end of one. */
import { aliasedTable, and, eq, getTableColumns, inArray, sql } from "drizzle-orm";
import { logEach, recordEach } from "../../../auth/audit.ts";
import { roomIdCalled } from "../../../chat/names.ts";
import type { UserCtx } from "../../../context.ts";
import { one } from "../../../db/batch.ts";
import { jsonObject } from "../../../db/json.ts";
import { deliverSoon } from "../../../db/outbox.ts";
import { offsetOf, pagination } from "../../../db/page.ts";
import { rooms, users } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import { endingRooms } from "../../rooms/service.ts";
import { countMatches, hasPart } from "../search.ts";
import type { RoomItem, RoomListQuery } from "./contract.ts";

const low = aliasedTable(users, "low");
const high = aliasedTable(users, "high");

const select = (ctx: UserCtx) =>
  ctx.db
    .select({
      room: getTableColumns(rooms),
      ownerUsername: users.username,
      lowUsername: low.username,
      highUsername: high.username,
    })
    .from(rooms)
    .leftJoin(users, eq(users.id, rooms.ownerId))
    .leftJoin(low, eq(low.id, rooms.lowId))
    .leftJoin(high, eq(high.id, rooms.highId));

type Row = Awaited<ReturnType<typeof select>>[number];

const toItem = (ctx: UserCtx, { room, ...names }: Row): RoomItem => ({
  id: room.chosenId ?? room.id,
  kind: room.kind,
  name: room.name,
  courseId: room.courseId,
  ownerId: room.ownerId,
  ownerUsername: names.ownerUsername,
  people: [names.lowUsername, names.highUsername].filter((name) => name !== null),
  memberCount: room.memberCount,
  messageCount: room.messageCount,
  isBusy: room.busyUntil > ctx.now,
  lastActiveAt: room.lastActiveAt.toISOString(),
  createdAt: room.createdAt.toISOString(),
});

/** Ids sort by the time they were made, so that the key is the index of that order. The others have none. */
const SORTS = {
  created_at: sql`${rooms.id}`,
  last_active_at: sql`${rooms.lastActiveAt}`,
  member_count: sql`${rooms.memberCount}`,
  message_count: sql`${rooms.messageCount}`,
};

const NAMES = [rooms.name, rooms.chosenId, rooms.id, rooms.courseId, users.username, low.username, high.username];

/** One round trip. In the order of creation a page reads itself and what is before it; the count is bounded, too. */
export async function listRooms(ctx: UserCtx, query: RoomListQuery) {
  const isOfKind = query.kind === "all" ? undefined : eq(rooms.kind, query.kind);
  const where = and(isOfKind, hasPart(NAMES, query.search)) ?? sql`true`;
  const direction = sql.raw(query.order);
  const order = sql`${SORTS[query.sort_by]} ${direction}, ${rooms.id} ${direction}`;
  const joined = sql`${rooms} LEFT JOIN ${users} ON ${users.id} = ${rooms.ownerId}
    LEFT JOIN ${users} low ON ${low.id} = ${rooms.lowId} LEFT JOIN ${users} high ON ${high.id} = ${rooms.highId}`;
  const { rows, counted } = await ctx.db.batch({
    rows: select(ctx).where(where).orderBy(order).limit(query.limit).offset(offsetOf(query)),
    counted: countMatches(ctx, sql`${query.search === "" ? rooms : joined} WHERE ${where}`),
  });
  return { rooms: rows.map((row) => toItem(ctx, row)), pagination: pagination(query, counted?.total ?? 0) };
}

/**
 * Ends a group or a course, with all that was said in it; its sockets close with 4004.
 * @throws AppError NOT_FOUND · CONFLICT a private room, which is its two people's: ban or erase who misuses it
 */
export async function endRoom(ctx: UserCtx, name: string, reason: string): Promise<string> {
  const id = roomIdCalled(name);
  const which = and(sql`${rooms.id} = ${id}`, inArray(rooms.kind, ["group", "course"])) ?? sql`false`;
  const { known, pending, deleted } = await ctx.db.batch({
    known: one(ctx.db.select({ kind: rooms.kind }).from(rooms).where(sql`${rooms.id} = ${id}`)),
    audited: recordEach(ctx, {
      action: "delete",
      targetType: "room",
      id: sql`coalesce(rooms.chosen_id, rooms.id)`,
      from: sql`rooms WHERE ${which}`,
      reason,
      details: jsonObject({ kind: sql`rooms.kind`, name: sql`rooms.name`, courseId: sql`rooms.course_id` }),
    }),
    ...endingRooms(ctx, id, which),
  });
  if (!known) throw new AppError("NOT_FOUND");
  if (deleted.length === 0) throw new AppError("CONFLICT", "A private room is its two people's.");
  logEach(ctx, "delete", "room", [name]);
  deliverSoon(ctx, pending);
  return "Room deleted";
}
