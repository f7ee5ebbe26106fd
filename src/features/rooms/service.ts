/** The directory of rooms: making, listing, changing and ending them. Who belongs to them: members.ts. */
import { and, asc, desc, eq, getTableColumns, ne, type SQL, sql } from "drizzle-orm";
import { v7 as uuidv7 } from "uuid";
import { z } from "zod";
import { addressOf } from "../../chat/attachments.ts";
import { INBOX_MEMBERS_MAX } from "../../chat/audience.ts";
import { askSummary } from "../../chat/client.ts";
import { type Mark, Summary, unread } from "../../chat/directory.ts";
import { isFreeRoomName, roomIdCalled } from "../../chat/names.ts";
import { actorId, isModerator, type UserCtx } from "../../context.ts";
import { after, one } from "../../db/batch.ts";
import { inList } from "../../db/json.ts";
import { deliverSoon, enqueueSelect, pendingFor } from "../../db/outbox.ts";
import { offsetOf, type PageQuery, pagination } from "../../db/page.ts";
import { roomMembers, rooms, users } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { logFailure } from "../../platform/log.ts";
import { blockedBetween } from "../social/service.ts";
import { brief, briefColumns } from "../users/service.ts";
import { recordRoom } from "./audit.ts";
import { type ChangeRoom, type MakeRoom, type Room, RoomMessage } from "./contract.ts";
import { enqueueInvited, enqueueRemoved } from "./inbox.ts";
import { endDeliveries, isMember, type RoomCtx, whyNotInvitable } from "./members.ts";

export { recordRoom } from "./audit.ts";
export { eraseFromRooms } from "./erase.ts";
export { inviteMember, removeMember } from "./members.ts";
export { deleteMessage, sendMessage } from "./messages.ts";

/** Of a room's members so many are named. */
const MEMBERS_SHOWN = 1000;

const peer = sql`CASE WHEN ${rooms.lowId} = ${roomMembers.userId} THEN ${rooms.highId} ELSE ${rooms.lowId} END`;

/** My rooms, with my read mark and, of a private room, the other person. */
const mine = (ctx: RoomCtx) =>
  ctx.db
    .select({
      room: getTableColumns(rooms),
      readSeq: roomMembers.readSeq,
      readCount: roomMembers.readCount,
      peer: briefColumns,
    })
    .from(roomMembers)
    .innerJoin(rooms, and(eq(rooms.id, roomMembers.roomId), ne(rooms.kind, "course")))
    .leftJoin(users, eq(users.id, peer))
    .$dynamic();
const isMine = (ctx: UserCtx) => eq(roomMembers.userId, ctx.actor.id);

type Row = Awaited<ReturnType<typeof mine>>[number];

/**
 * Makes a group, or finds the private room of the same two people, which there is only one of. An `id` of the maker's choice
 * may have been another room's before: of that, nothing but the name is here again.
 * @throws AppError NOT_FOUND no such user · FORBIDDEN a block between the maker and a member · CONFLICT the id is taken, or
 * the private room has another
 */
export async function makeRoom(ctx: RoomCtx, { id: chosen, name, isGroup, memberIds, joinPolicy }: MakeRoom) {
  const me = actorId(ctx.actor);
  const others = [...new Set(memberIds)].filter((id) => id !== me);
  // A backend that makes a room is not in it: it sees it as the first of its people does.
  const people = ctx.actor.kind === "server" ? others : [me, ...others];
  if (!isGroup && people.length !== 2) throw new AppError("INVALID_REQUEST", "A private room has two people.");
  const [viewer = 0] = people;
  const id = uuidv7();
  const [low, high] = isGroup ? [null, null] : [Math.min(...people), Math.max(...people)];
  const isFree = chosen === undefined ? sql`1` : isFreeRoomName(chosen);
  const isWelcome = sql`u.account_status = 'active' AND NOT ${blockedBetween(me, sql`u.id`)}`;
  const { isTaken, invited, made, row, pending } = await ctx.db.batch({
    isTaken: one(ctx.db.select({ yes: sql<number>`NOT ${isFree}` }).from(sql`(SELECT 1)`)),
    invited: ctx.db
      .select({ id: users.id, status: users.accountStatus, isBlocked: blockedBetween(me, users.id) })
      .from(users)
      .where(inList(users.id, others)),
    made: ctx.db
      .insert(rooms)
      .select(
        sql`SELECT ${id}, ${isGroup ? "group" : "private"}, ${isGroup ? name : null}, ${isGroup ? me || null : null}, ${low}, ${high},
          NULL, ${joinPolicy}, 0, 0, 1, ${ctx.now.getTime()}, 0, 0, '[]', NULL, ${ctx.now.getTime()}, 0, ${chosen ?? null}, 0
          WHERE ${isFree} AND (SELECT count(*) FROM users u WHERE ${inList(sql`u.id`, others)} AND ${isWelcome}) = ${others.length}`,
      )
      .onConflictDoNothing()
      .returning({ id: rooms.id }),
    members: ctx.db.run(sql`INSERT INTO room_members (room_id, user_id, joined_at)
      SELECT ${id}, value, ${ctx.now.getTime()} FROM json_each(${JSON.stringify(people)})
      WHERE EXISTS (SELECT 1 FROM rooms WHERE id = ${id})`),
    told: enqueueInvited(
      ctx,
      sql`SELECT user_id, room_id FROM room_members WHERE room_id = ${id} AND user_id <> ${me}`,
    ),
    row: one(
      mine(ctx).where(
        and(
          eq(roomMembers.userId, viewer),
          isGroup ? eq(rooms.id, id) : and(eq(rooms.lowId, low ?? 0), eq(rooms.highId, high ?? 0)),
        ),
      ),
    ),
    pending: pendingFor(
      ctx,
      sql`SELECT 'user:' || user_id FROM room_members WHERE room_id = ${id} AND user_id <> ${me}`,
    ),
  });
  deliverSoon(ctx, pending);
  if (row ? made.length === 0 && chosen !== undefined && publicIdOf(row) !== chosen : isTaken?.yes) {
    throw new AppError("CONFLICT", row ? "The two of you have a room already." : "This id is taken.");
  }
  if (!row) throw whyNotInvitable(others, invited);
  return { room: toRoom(ctx, viewer, row), isNew: made.length > 0 };
}

/** My rooms, the latest talk first. Only rooms where something was said in the last moments are asked themselves. */
export async function listRooms(ctx: UserCtx, query: PageQuery) {
  const { rows, counted } = await ctx.db.batch({
    rows: mine(ctx)
      .where(isMine(ctx))
      .orderBy(desc(rooms.lastActiveAt), desc(rooms.id))
      .limit(query.limit)
      .offset(offsetOf(query)),
    counted: one(
      ctx.db
        .select({ total: sql<number>`count(*)` })
        .from(roomMembers)
        .innerJoin(rooms, and(eq(rooms.id, roomMembers.roomId), ne(rooms.kind, "course")))
        .where(isMine(ctx)),
    ),
  });
  const page = await Promise.all(rows.map((row) => toCurrentRoom(ctx, row)));
  return { rooms: page, pagination: pagination(query, counted?.total ?? 0) };
}

/** @throws AppError NOT_FOUND · FORBIDDEN not a member */
export async function readRoom(ctx: UserCtx, name: string) {
  const id = roomIdCalled(name);
  const { row, known, members } = await ctx.db.batch({
    row: one(mine(ctx).where(and(isMine(ctx), eq(rooms.id, id)))),
    known: one(ctx.db.select({ kind: rooms.kind }).from(rooms).where(eq(rooms.id, id))),
    members: membersOf(ctx, id),
  });
  if (!known || known.kind === "course") throw new AppError("NOT_FOUND", "There is no such room.");
  if (!row) throw new AppError("FORBIDDEN", "You are not a member of this room.");
  return { ...(await toCurrentRoom(ctx, row)), members: members.map(brief) };
}

const membersOf = (ctx: UserCtx, id: SQL) =>
  ctx.db
    .select(briefColumns)
    .from(roomMembers)
    .innerJoin(users, eq(users.id, roomMembers.userId))
    .where(eq(roomMembers.roomId, id))
    .orderBy(asc(roomMembers.joinedAt), asc(roomMembers.userId))
    .limit(MEMBERS_SHOWN);

/**
 * Renames a group, hands it over, says who may join, sets its slow mode (which moderators among the members may do too).
 * @throws AppError NOT_FOUND · FORBIDDEN · CONFLICT the new owner is no member
 */
export async function changeRoom(ctx: UserCtx, roomName: string, change: ChangeRoom) {
  const me = ctx.actor.id;
  const id = roomIdCalled(roomName);
  const { slowModeSeconds, ...ownersChange } = change;
  const { ownerId } = ownersChange;
  const isOnlySlowMode = Object.values(ownersChange).every((value) => value === undefined);
  const mayChange = isOnlySlowMode && isModerator(ctx.actor) ? sql`1` : sql`${rooms.ownerId} = ${me}`;
  const { changed, row, known, members, pending } = await ctx.db.batch({
    audited: recordRoom(ctx, "update", {
      which: sql`r.id = ${id} AND r.kind = 'group' AND r.owner_id <> ${me} AND ${isMember(id, me)}
        AND ${isOnlySlowMode && isModerator(ctx.actor) ? 1 : 0}`,
      details: { slowModeSeconds: slowModeSeconds ?? 0, before: sql`r.slow_mode_seconds` },
    }),
    changed: ctx.db
      .update(rooms)
      .set({ ...change, version: sql`${rooms.version} + 1` })
      .where(
        and(
          eq(rooms.id, id),
          eq(rooms.kind, "group"),
          mayChange,
          isMember(id, me),
          ownerId === undefined ? undefined : isMember(id, ownerId),
        ),
      )
      .returning({ id: rooms.id }),
    told: after("changed", enqueueSelect(ctx, infoDeliveries(sql`f.room_id = ${id} AND changes() > 0`))),
    row: one(mine(ctx).where(and(isMine(ctx), eq(rooms.id, id)))),
    known: one(ctx.db.select({ ownerId: rooms.ownerId, kind: rooms.kind }).from(rooms).where(eq(rooms.id, id))),
    members: membersOf(ctx, id),
    pending: pendingFor(ctx, sql`'room:' || ${id}`),
  });
  deliverSoon(ctx, pending);
  if (!known || known.kind === "course") throw new AppError("NOT_FOUND", "There is no such room.");
  if (changed.length > 0 && row) return { ...(await toCurrentRoom(ctx, row)), members: members.map(brief) };
  if (known.ownerId === me) throw new AppError("CONFLICT", "The new owner has to be a member.");
  throw new AppError("FORBIDDEN", "Only the owner changes a group.");
}

/** The payload of an outbox row with what the rooms are now; `where` speaks of `f`, the view `room_facts`. */
const infoDeliveries = (where: ReturnType<typeof sql>) =>
  sql`SELECT 'room:' || f.room_id, json_object('facts', json(f.facts)) FROM room_facts f WHERE ${where}`;

/** Ends a group, with all that was said in it. Its sockets close with 4004. @throws AppError NOT_FOUND · FORBIDDEN */
export async function deleteRoom(ctx: RoomCtx, name: string): Promise<void> {
  const id = roomIdCalled(name);
  const isOwn = ctx.actor.kind === "server" ? undefined : eq(rooms.ownerId, ctx.actor.id);
  const mayDelete = and(eq(rooms.id, id), eq(rooms.kind, "group"), isOwn);
  const { known, pending, deleted } = await ctx.db.batch({
    known: one(ctx.db.select({ kind: rooms.kind }).from(rooms).where(eq(rooms.id, id))),
    ...endingRooms(ctx, id, sql`${mayDelete}`),
  });
  if (!known || known.kind === "course") throw new AppError("NOT_FOUND", "There is no such room.");
  if (deleted.length === 0) throw new AppError("FORBIDDEN", "Only the owner deletes a group.");
  deliverSoon(ctx, pending);
}

/**
 * Statements that end the room of this id if `where`, a condition on `rooms`, holds; for the batch of whoever may do that.
 * Hand `pending` to `deliverSoon`.
 */
export function endingRooms(ctx: RoomCtx, id: SQL<string | null>, where: SQL) {
  const theirs = sql`SELECT m.user_id AS user_id, m.room_id AS room_id FROM ${rooms} JOIN room_members m ON m.room_id = ${rooms.id}
    WHERE ${where} AND ${rooms.kind} = 'group' AND ${rooms.memberCount} <= ${INBOX_MEMBERS_MAX}`;
  // Told, and what is to be delivered read, while the name still leads to the room.
  return {
    told: enqueueSelect(ctx, endDeliveries(where)),
    toldMembers: enqueueRemoved(ctx, theirs, "deleted"),
    pending: pendingFor(ctx, sql`SELECT 'room:' || ${id} UNION ALL SELECT 'user:' || user_id FROM (${theirs})`),
    deleted: ctx.db.delete(rooms).where(where).returning({ id: rooms.id }),
  };
}

/** What clients call it. */
const publicIdOf = ({ room }: Row): string => room.chosenId ?? room.id;

/** A room as its object knows it, if something was said there lately; as the database has it otherwise. */
async function toCurrentRoom(ctx: UserCtx, row: Row): Promise<Room> {
  const me = ctx.actor.id;
  if (row.room.busyUntil <= ctx.now) return toRoom(ctx, me, row);
  try {
    const { summary, mark } = await askSummary(ctx, row.room.id, me);
    return toRoom(ctx, me, row, summary, mark);
  } catch (error) {
    // An overloaded room does not spoil the list: what the database has is some seconds old.
    logFailure(ctx, "rooms.summary", error, { room: row.room.id });
    return toRoom(ctx, me, row);
  }
}

/** As this member sees it. */
function toRoom(ctx: RoomCtx, viewer: number, row: Row, fresh: Summary = storedSummary(row), known?: Mark): Room {
  const { room } = row;
  const stored: Mark = { userId: viewer, seq: row.readSeq, count: row.readCount };
  const mark = known && known.seq > stored.seq ? known : stored;
  return {
    id: publicIdOf(row),
    name: room.name,
    isGroup: room.kind === "group",
    ownerId: room.ownerId,
    joinPolicy: room.joinPolicy ?? "members",
    slowModeSeconds: room.slowModeSeconds,
    memberCount: room.memberCount,
    createdAt: room.createdAt.toISOString(),
    lastMessage: fresh.lastMessage && shownLast(ctx, fresh.lastMessage),
    unreadCount: unread(fresh, mark),
    peer: room.kind === "private" && row.peer ? brief(row.peer) : null,
  };
}

const LastMessage = RoomMessage.omit({ reactions: true });
const Attached = z.object({ attachment: z.string().optional() });

/** What is kept has no signed link to its file. */
function shownLast(ctx: RoomCtx, kept: Record<string, unknown>) {
  const message = LastMessage.parse({ editedAt: null, ...kept });
  const { attachment } = Attached.parse(kept);
  return attachment === undefined ? message : { ...message, fileUrl: addressOf(ctx.env, attachment) };
}

function storedSummary({ room }: Row): Summary {
  return Summary.parse({
    head: room.head,
    messageCount: room.messageCount,
    deletedSeqs: JSON.parse(room.deletedSeqs),
    lastMessage: room.lastMessage === null ? null : JSON.parse(room.lastMessage),
    lastAt: room.lastActiveAt.getTime(),
  });
}
