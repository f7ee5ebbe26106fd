/** How the rest of the product reaches a room's object. Whoever calls has asked the database first (access.ts). */
import { z } from "zod";
import type { Ctx, UserCtx } from "../context.ts";
import type { CallContext } from "../db/call-context.ts";
import type { Delivery } from "../db/outbox.ts";
import { AppError } from "../errors.ts";
import { callObject } from "../platform/objects.ts";
import { outcomeOf } from "../realtime/commands.ts";
import { personOf } from "../realtime/connection-state.ts";
import { type PublicationFrame, PublicationPosition } from "../realtime/publication.ts";
import { deliverTo } from "../realtime/rooms.ts";
import type { Access } from "./access.ts";
import type { SystemMessage } from "./actions.ts";
import type { Mark, Summary } from "./directory.ts";
import type { Page } from "./history.ts";
import { messageIdOf, parseMessageId } from "./message-id.ts";
import type { ChatRoom } from "./room.ts";
import type { Figures } from "./statistics.ts";

/**
 * Does in a room what a frame of this type does. `data` goes in as the client sent it: the room parses it, and text that
 * is made inert twice would count as longer than it was typed.
 * @throws AppError as the room refuses it
 */
export async function execute(
  ctx: UserCtx,
  { roomId, context }: Access,
  type: string,
  data: unknown,
  mayRepeat = true,
): Promise<unknown> {
  const call = (room: DurableObjectStub<ChatRoom>) =>
    room.executeFor(personOf(ctx), context, type, data, ctx.requestId);
  return outcomeOf(await callObject(ctx, ctx.env.CHAT_ROOM, roomId, call, { mayRepeat }));
}

/** Whether a message has an id of its client's, so that saying it again says nothing twice. */
export const hasOwnId = (data: unknown): boolean => z.object({ clientMessageId: z.string() }).safeParse(data).success;

/** The same for a message. One that has no id of its client's is not tried again: it might be said twice. */
export const say = (ctx: UserCtx, access: Access, type: string, data: unknown): Promise<unknown> =>
  execute(ctx, access, type, data, hasOwnId(data));

/** What the product's own backend publishes in a room. One that has no id is not tried again: it might be done twice. */
export async function publishInRoom(
  ctx: Ctx,
  { roomId, context }: Access,
  frame: PublicationFrame,
): Promise<PublicationPosition> {
  const call = (room: DurableObjectStub<ChatRoom>) => room.publish(context, frame);
  const outcome = await callObject(ctx, ctx.env.CHAT_ROOM, roomId, call, { mayRepeat: frame.id !== undefined });
  return PublicationPosition.parse(outcomeOf(outcome));
}

/** A message by the system, without a file; answers it. @throws AppError as the room refuses it */
export async function sayBySystem(ctx: Ctx, { roomId, context }: Access, said: SystemMessage): Promise<unknown> {
  const call = (room: DurableObjectStub<ChatRoom>) => room.sayBySystem(context, said);
  return outcomeOf(await callObject(ctx, ctx.env.CHAT_ROOM, roomId, call, { mayRepeat: false }));
}

/** Deletes a message, whoever's it is. @throws AppError NOT_FOUND */
export async function removeBySystem(ctx: Ctx, { roomId, context }: Access, messageId: string): Promise<void> {
  outcomeOf(await callObject(ctx, ctx.env.CHAT_ROOM, roomId, (room) => room.removeBySystem(context, messageId)));
}

/** Cursors are message ids. */
export type PageQuery = {
  before?: string | undefined;
  after?: string | undefined;
  limit: number;
  type?: string | undefined;
  q?: string | undefined;
};

/** Calls that one search makes at most: with many candidates and few hits, the page is short, and its cursor goes on. */
const SEARCH_CALLS = 20;

/**
 * Messages as they are now, newest first. A search asks the room again and again for a bounded piece of work, so that what
 * members say is not held up. @throws AppError INVALID_REQUEST for a cursor that is none of this room
 */
export async function readMessages(ctx: Ctx, { roomId, context }: Access, query: PageQuery) {
  const { before, after, ...rest } = query;
  const messages: Record<string, unknown>[] = [];
  let at = seqIn(roomId, "before", before);
  const part = { ...rest, after: seqIn(roomId, "after", after) };
  for (let calls = 1; ; calls += 1) {
    const page = await callObject(ctx, ctx.env.CHAT_ROOM, roomId, (room) => {
      const limit = query.limit - messages.length;
      return room.read(context.room, { ...part, before: at, limit }) as Promise<Page>;
    });
    messages.push(...page.messages);
    at = page.before ?? undefined;
    if (!page.isPartial || messages.length >= query.limit || calls >= SEARCH_CALLS) break;
  }
  return { messages, nextCursor: at === undefined ? null : messageIdOf(roomId, at) };
}

function seqIn(roomId: string, path: "before" | "after", cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  const parsed = parseMessageId(cursor);
  if (parsed?.roomId === roomId) return parsed.seq;
  throw new AppError("INVALID_REQUEST", undefined, {
    details: [{ path, message: "expected the id of a message of this room, or a nextCursor" }],
  });
}

/** Figures of all messages. What was not counted yet is, in bounded pieces. */
export async function readStatistics(ctx: Ctx, { roomId }: Access): Promise<Figures> {
  for (;;) {
    const figures = await callObject(ctx, ctx.env.CHAT_ROOM, roomId, (room) => room.statistics());
    if (figures) return figures;
  }
}

/** What the room knows better than the database. */
export const askSummary = (ctx: Ctx, roomId: string, userId: number): Promise<{ summary: Summary; mark: Mark }> =>
  callObject(
    ctx,
    ctx.env.CHAT_ROOM,
    roomId,
    (room) => room.summary(userId) as Promise<{ summary: Summary; mark: Mark }>,
  );

/** Leads a socket into a room. */
export const intoRoom = ({ env }: Ctx, { roomId, context }: Access) => ({
  stub: env.CHAT_ROOM.getByName(roomId),
  kind: "room",
  context,
});

/** The outbox's way to a room. */
export const deliverToRoom = (ctx: CallContext, roomId: string, deliveries: Delivery[]): Promise<void> =>
  deliverTo(ctx, "CHAT_ROOM", roomId, deliveries);
