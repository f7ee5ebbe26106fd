/** What stands in a push: of each, what its receiver may still see, as it is now. */
import { and, eq, isNull, ne, type SQL, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import { parseMessageId } from "../../chat/message-id.ts";
import type { Ctx } from "../../context.ts";
import { inList } from "../../db/json.ts";
import { messages, notifications, roomMembers, rooms, users } from "../../db/tables.ts";
import type { DuePush, PushItem } from "../../hub/pushes.ts";
import { blockedBetween } from "../social/service.ts";
import { brief, briefColumns } from "../users/service.ts";
import type { PushPayload, PushSettings } from "./contract.ts";
import { type RoomTexts, readRoomTexts } from "./room-texts.ts";

/** A push has 3.9 KB for everything. */
const TEXT_CHARACTERS = 500;

type Told = Omit<PushPayload, "count" | "tag">;
type PersonBrief = NonNullable<PushPayload["sender"]>;
type Of<K extends PushItem["kind"]> = Extract<PushItem, { kind: K }>;

/**
 * By key: what to send. A key that is not there is not to be told: it was seen elsewhere, deleted, its sender is blocked, or its
 * receiver does not want it.
 */
export async function payloadsOf(
  ctx: Ctx,
  userId: number,
  settings: PushSettings,
  due: DuePush[],
): Promise<Map<string, PushPayload>> {
  const items = due.map(({ item }) => item);
  const { people, direct, notices, pairs } = await ctx.db.batch({
    people: ctx.db
      .select(briefColumns)
      .from(users)
      .where(inList(users.id, senderIds(items))),
    direct: selectMessages(ctx, userId, of(items, "message")),
    notices: selectNotifications(ctx, userId, of(items, "notification")),
    pairs: selectRooms(ctx, userId, of(items, "room")),
  });
  const senders = new Map(people.map((person) => [person.id, brief(person)]));
  const texts = await readRoomTexts(ctx, [
    ...(settings.notifications ? notices.flatMap(({ messageId }) => messageId ?? []) : []),
    ...(settings.messages
      ? pairs.flatMap(({ id }) => of(items, "room").flatMap((item) => (item.roomId === id ? [item.messageId] : [])))
      : []),
  ]);
  const told = (item: PushItem): Told | undefined => {
    if (item.kind === "notification") return settings.notifications ? notificationIn(notices, item, texts) : undefined;
    if (!settings.messages) return undefined;
    return item.kind === "message" ? messageIn(direct, item, senders) : roomIn(pairs, item, { senders, texts });
  };
  const payloads = due.flatMap(({ key, item, count }): [string, PushPayload][] => {
    const content = told(item);
    return content ? [[key, { ...shown(ctx, content), count, tag: key }]] : [];
  });
  return new Map(payloads);
}

const of = <K extends PushItem["kind"]>(items: PushItem[], kind: K): Of<K>[] =>
  items.filter((item): item is Of<K> => item.kind === kind);

const senderIds = (items: PushItem[]): number[] =>
  items.flatMap((item) => (item.kind === "notification" ? [] : [item.senderId]));

/** PUSH_CONTENT: the service worker shows it on a screen that others see. */
function shown({ config: { PUSH_CONTENT } }: Ctx, content: Told): Told {
  if (PUSH_CONTENT === "none") return { type: "new" };
  const { text, ...rest } = content;
  return PUSH_CONTENT === "text" && text !== undefined ? { ...rest, text: cut(text) } : rest;
}

const cut = (text: string): string => [...text].slice(0, TEXT_CHARACTERS).join("");

const selectMessages = (ctx: Ctx, userId: number, items: Of<"message">[]) =>
  ctx.db
    .select({ id: messages.id, content: messages.content })
    .from(messages)
    .where(
      and(
        inList(
          messages.id,
          items.map(({ id }) => id),
        ),
        eq(messages.receiverId, userId),
        isNull(messages.seenAt),
        sql`NOT ${blockedBetween(userId, messages.senderId)}`,
      ),
    );

function messageIn(
  rows: { id: number; content: string }[],
  { id, senderId }: Of<"message">,
  senders: Map<number, PersonBrief>,
): Told | undefined {
  const row = rows.find((message) => message.id === id);
  return row && { type: "message", sender: senders.get(senderId) ?? null, text: row.content };
}

const selectNotifications = (ctx: Ctx, userId: number, items: Of<"notification">[]) =>
  ctx.db
    .select({
      id: notifications.id,
      type: notifications.type,
      messageId: notifications.messageId,
      actor: briefColumns,
    })
    .from(notifications)
    .leftJoin(users, eq(users.id, notifications.actorId))
    .where(
      and(
        inList(
          notifications.id,
          items.map(({ id }) => id),
        ),
        eq(notifications.userId, userId),
        isNull(notifications.seenAt),
        sql`NOT ${hasBlocked(userId, sql`${notifications.actorId}`)}`,
        // Of a room: while they belong to it.
        sql`(${notifications.roomId} IS NULL OR EXISTS (
          SELECT 1 FROM room_members m WHERE m.room_id = ${notifications.roomId} AND m.user_id = ${userId}))`,
      ),
    );

const hasBlocked = (userId: number, otherId: SQL): SQL =>
  sql`EXISTS (SELECT 1 FROM blocks WHERE blocker_id = ${userId} AND blocked_id = ${otherId})`;

type Notice = { id: number; type: string; messageId: string | null; actor: PersonBrief | null };

function notificationIn(rows: Notice[], { id }: Of<"notification">, texts: RoomTexts): Told | undefined {
  const row = rows.find((notice) => notice.id === id);
  const text = row?.messageId ? texts.get(row.messageId) : undefined;
  if (!row || text === null) return undefined;
  return { type: "notification", sender: row.actor, notification: { id, type: row.type }, text: text || undefined };
}

const mine = alias(roomMembers, "mine");
const sender = alias(roomMembers, "sender");

/** Rooms that the receiver still belongs to, and may be written to in. */
const selectRooms = (ctx: Ctx, userId: number, items: Of<"room">[]) =>
  ctx.db
    .select({
      id: rooms.id,
      publicId: sql<string>`coalesce(${rooms.chosenId}, ${rooms.id})`,
      senderId: sender.userId,
      readSeq: mine.readSeq,
    })
    .from(rooms)
    .innerJoin(mine, and(eq(mine.roomId, rooms.id), eq(mine.userId, userId)))
    .innerJoin(sender, and(eq(sender.roomId, rooms.id), ne(sender.userId, userId)))
    .where(
      and(
        inList(
          rooms.id,
          items.map(({ roomId }) => roomId),
        ),
        eq(rooms.kind, "private"),
        sql`NOT ${blockedBetween(userId, sender.userId)}`,
      ),
    );

type Pair = { id: string; publicId: string; senderId: number; readSeq: number };

function roomIn(
  rows: Pair[],
  { roomId, messageId, senderId }: Of<"room">,
  { senders, texts }: { senders: Map<number, PersonBrief>; texts: RoomTexts },
): Told | undefined {
  const row = rows.find((room) => room.id === roomId && room.senderId === senderId);
  const text = texts.get(messageId);
  const isRead = (parseMessageId(messageId)?.seq ?? 0) <= (row?.readSeq ?? 0);
  if (!row || isRead || text === null) return undefined;
  return {
    type: "room",
    roomId: row.publicId,
    messageId,
    sender: senders.get(senderId) ?? null,
    text: text || undefined,
  };
}
