/** Direct messages: sending, reading, marking as seen. */
import { and, desc, eq, isNull, lt, or, type SQL, sql } from "drizzle-orm";
import type { UserCtx } from "../../context.ts";
import { after, one } from "../../db/batch.ts";
import { inList, iso } from "../../db/json.ts";
import { readHook } from "../../db/message-hook.ts";
import { deliverSoon, enqueueSelect, pendingFor } from "../../db/outbox.ts";
import { type FeedQuery, feedPart, forwardPart, newestFirst, oldestFirst } from "../../db/page.ts";
import { prepared } from "../../db/prepared-batch.ts";
import { conversations, messages, users } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { beginSend, endSend, frameFor, pushTo } from "../../hub/client.ts";
import { blockedBetween } from "../social/service.ts";
import { brief, briefColumns } from "../users/service.ts";
import { askAboutMessage } from "../webhooks/service.ts";
import type { DirectMessage, MarkMessagesSeen, SendMessage } from "./contract.ts";

type Row = typeof messages.$inferSelect;

const toMessage = (row: Row): DirectMessage => ({
  id: row.id,
  senderId: row.senderId,
  receiverId: row.receiverId,
  content: row.content,
  createdAt: row.createdAt.toISOString(),
  seen: row.seenAt !== null,
});

/**
 * Sends a message; both people's devices get `message:new`. With a `clientMessageId` that was used before, answers the
 * message it made then and sends nothing.
 * @throws AppError NOT_FOUND no such receiver · FORBIDDEN one has blocked the other, or it was refused outside · RATE_LIMIT
 */
export async function sendMessage(ctx: UserCtx, input: SendMessage): Promise<DirectMessage> {
  if (input.receiverId === ctx.actor.id) throw new AppError("INVALID_REQUEST", "A message needs somebody else.");
  await beginSend(ctx);
  try {
    return await storeMessage(ctx, { ...input, content: await acceptedContent(ctx, input) });
  } finally {
    endSend(ctx);
  }
}

/** What was accepted before under this `clientMessageId` is not asked about again. */
async function acceptedContent(ctx: UserCtx, { receiverId, content, clientMessageId }: SendMessage): Promise<string> {
  if ((await readHook(ctx)) === null) return content;
  const earlier = await earlierMessage(ctx, clientMessageId);
  return earlier?.content ?? askAboutMessage(ctx, { receiverId, content });
}

/** What the caller has sent under this id. */
async function earlierMessage(ctx: UserCtx, clientMessageId: string | undefined): Promise<Row | undefined> {
  if (clientMessageId === undefined) return undefined;
  const [earlier] = await ctx.db
    .select()
    .from(messages)
    .where(and(eq(messages.senderId, ctx.actor.id), eq(messages.clientMessageId, clientMessageId)));
  return earlier;
}

type Given = "me" | "receiverId" | "content" | "clientMessageId" | "now" | "toMe" | "toReceiver";
const given = (name: Given): SQL => sql`${sql.placeholder(name)}`;
const isBlocked = blockedBetween(given("me"), given("receiverId"));

const sending = prepared((db) => ({
  receiver: one(
    db
      .select({ accountStatus: users.accountStatus, isBlocked })
      .from(users)
      .where(sql`${users.id} = ${given("receiverId")}`),
  ),
  made: db
    .insert(messages)
    .select(
      sql`SELECT NULL, ${given("me")}, u.id, ${given("content")}, ${given("clientMessageId")}, ${given("now")}, NULL
      FROM users u WHERE u.id = ${given("receiverId")} AND u.account_status = 'active' AND NOT ${isBlocked}`,
    )
    .onConflictDoNothing()
    .returning(),
  told: after(
    "made",
    enqueueSelect(
      { db, now: given("now") },
      sql`SELECT 'user:' || told.value, ${frameFor("message:new", {
        id: sql`m.id`,
        senderId: sql`m.sender_id`,
        receiverId: sql`m.receiver_id`,
        content: sql`m.content`,
        createdAt: iso(sql`m.created_at`),
        seen: false,
      })} FROM messages m, json_each(json_array(m.receiver_id, m.sender_id)) told
      WHERE changes() > 0 AND m.id = last_insert_rowid()`,
    ),
  ),
  pending: pendingFor({ db }, given("toReceiver"), given("toMe")),
}));

async function storeMessage(ctx: UserCtx, { receiverId, content, clientMessageId }: SendMessage) {
  const me = ctx.actor.id;
  const { receiver, made, pending } = await ctx.db.again(sending(), {
    me,
    receiverId,
    content,
    clientMessageId: clientMessageId ?? null,
    now: ctx.now.getTime(),
    toMe: `user:${me}`,
    toReceiver: `user:${receiverId}`,
  });
  if (receiver?.accountStatus !== "active") throw new AppError("NOT_FOUND");
  // A repetition alone makes a second trip.
  const message = made[0] ?? (await earlierMessage(ctx, clientMessageId));
  if (!message) throw new AppError("FORBIDDEN", "You cannot message this user.");
  deliverSoon(ctx, pending);
  return toMessage(message);
}

/** Received messages, oldest first: the newest page, or what came after `after`. */
export async function readInbox(ctx: UserCtx, query: FeedQuery) {
  const part = forwardPart(messages.id, query);
  const rows = await ctx.db
    .select()
    .from(messages)
    .where(and(eq(messages.receiverId, ctx.actor.id), part.where))
    .orderBy(part.order)
    .limit(part.rows);
  const { items, nextCursor } = oldestFirst(rows, query);
  return { messages: items.map(toMessage), nextCursor };
}

/** The messages of two people, newest first. */
export async function readConversation(ctx: UserCtx, otherId: number, query: FeedQuery) {
  const me = ctx.actor.id;
  const part = feedPart(messages.id, query);
  const pair = sql`min(${messages.senderId}, ${messages.receiverId}) = ${Math.min(me, otherId)}
    AND max(${messages.senderId}, ${messages.receiverId}) = ${Math.max(me, otherId)}`;
  const { other, rows } = await ctx.db.batch({
    other: one(ctx.db.select({ id: users.id }).from(users).where(eq(users.id, otherId))),
    rows: ctx.db.select().from(messages).where(and(pair, part.where)).orderBy(part.order).limit(part.rows),
  });
  if (!other && rows.length === 0) throw new AppError("NOT_FOUND");
  const { items, nextCursor } = newestFirst(rows, query);
  return { messages: items.map(toMessage), nextCursor };
}

/** Whom I talk to, the latest talk first; the cursor is the last message's id. */
export async function listConversations(ctx: UserCtx, { before, limit }: FeedQuery) {
  const me = ctx.actor.id;
  const otherId = sql`CASE WHEN ${conversations.lowId} = ${me} THEN ${conversations.highId} ELSE ${conversations.lowId} END`;
  const rows = await ctx.db
    .select({
      message: messages,
      user: briefColumns,
      unseenCount: sql<number>`(SELECT count(*) FROM messages unseen
        WHERE unseen.receiver_id = ${me} AND unseen.sender_id = ${otherId} AND unseen.seen_at IS NULL)`,
    })
    .from(conversations)
    .innerJoin(messages, eq(messages.id, conversations.lastMessageId))
    .innerJoin(users, eq(users.id, otherId))
    .where(
      and(
        or(eq(conversations.lowId, me), eq(conversations.highId, me)),
        before === undefined ? undefined : lt(conversations.lastMessageId, before),
      ),
    )
    .orderBy(desc(conversations.lastMessageId))
    .limit(limit + 1);
  const page = rows.slice(0, limit);
  return {
    conversations: page.map((row) => ({
      user: brief(row.user),
      lastMessage: toMessage(row.message),
      unseenCount: row.unseenCount,
    })),
    nextCursor: rows.length > limit ? (page.at(-1)?.message.id ?? null) : null,
  };
}

/**
 * Marks received messages as seen, and tells their senders: those of one person, or those that are named, or both. Others'
 * messages in the list change nothing; marking again sends nothing.
 */
export async function markMessagesSeen(ctx: UserCtx, { conversationWith, messageIds }: MarkMessagesSeen) {
  const isMeant = and(
    eq(messages.receiverId, ctx.actor.id),
    conversationWith === undefined ? undefined : eq(messages.senderId, conversationWith),
    isNull(messages.seenAt),
    messageIds.length > 0 ? inList(messages.id, messageIds) : undefined,
  );
  const senders =
    conversationWith === undefined
      ? sql`SELECT 'user:' || sender_id FROM messages WHERE receiver_id = ${ctx.actor.id} AND ${inList(messages.id, messageIds)}`
      : (`user:${conversationWith}` as const);
  const { marked, pending } = await ctx.db.batch({
    told: enqueueSelect(
      ctx,
      sql`SELECT 'user:' || ${messages.senderId}, ${frameFor("message:seen", {
        messageIds: sql`json_group_array(${messages.id})`,
        seenBy: ctx.actor.id,
        seenAt: ctx.now.toISOString(),
      })} FROM ${messages} WHERE ${isMeant} GROUP BY ${messages.senderId}`,
    ),
    marked: ctx.db.update(messages).set({ seenAt: ctx.now }).where(isMeant).returning({ id: messages.id }),
    pending: pendingFor(ctx, senders),
  });
  deliverSoon(ctx, pending);
  return { messageIds: marked.map((row) => row.id) };
}

/** Shows that I am writing, to someone who is connected and whom I may write to. Never stored. */
export async function showTyping(ctx: UserCtx, { conversationWith }: { conversationWith: number }): Promise<void> {
  const [other] = await ctx.db
    .select({ connectedAt: users.connectedAt, isBlocked: blockedBetween(ctx.actor.id, conversationWith) })
    .from(users)
    .where(eq(users.id, conversationWith));
  if (!other) throw new AppError("NOT_FOUND");
  if (other.isBlocked) throw new AppError("FORBIDDEN");
  // Nobody there: nobody to wake.
  if (other.connectedAt)
    await pushTo(ctx, conversationWith, { type: "message:typing", data: { userId: ctx.actor.id } });
}
