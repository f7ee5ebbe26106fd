/** How the rest of the product reaches a stream's room. */
import { eq } from "drizzle-orm";
import { hasOwnId } from "../../chat/client.ts";
import type { Ctx, UserCtx } from "../../context.ts";
import type { CallContext } from "../../db/call-context.ts";
import { generationColumn } from "../../db/generation.ts";
import type { Delivery } from "../../db/outbox.ts";
import type { FeedQuery } from "../../db/page.ts";
import { streams } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { callObject } from "../../platform/objects.ts";
import { outcomeOf } from "../../realtime/commands.ts";
import { personOf } from "../../realtime/connection-state.ts";
import { type PublicationFrame, PublicationPosition } from "../../realtime/publication.ts";
import { deliverTo } from "../../realtime/rooms.ts";
import type { ChatHistory, StreamCommand } from "./chat-contract.ts";
import type { StreamContext } from "./info.ts";
import type { StreamRoom } from "./room.ts";

/**
 * What a stream's room must know about it. Asked before any object is touched: an id that is no stream makes none.
 * @throws AppError NOT_FOUND
 */
export async function findStream(ctx: Ctx, streamId: number): Promise<StreamContext> {
  const [stream] = await ctx.db
    .select({ ownerId: streams.userId, generation: generationColumn })
    .from(streams)
    .where(eq(streams.id, streamId));
  if (!stream) throw new AppError("NOT_FOUND");
  return stream;
}

/** Does in the chat what a frame of this type does. @throws AppError NOT_FOUND no such stream, and as the room refuses */
export async function executeInChat(
  ctx: UserCtx,
  streamId: number,
  command: StreamCommand,
  data: unknown,
  mayRepeat = true,
): Promise<unknown> {
  const context = await findStream(ctx, streamId);
  const call = (room: DurableObjectStub<StreamRoom>) =>
    room.executeFor(personOf(ctx), context, command, data, ctx.requestId);
  return outcomeOf(await callObject(ctx, ctx.env.STREAM_ROOM, String(streamId), call, { mayRepeat }));
}

/** The same for a message. One that has no id of its client's is not tried again: it might be said twice. */
export const sayInChat = (ctx: UserCtx, streamId: number, data: unknown): Promise<unknown> =>
  executeInChat(ctx, streamId, "chat_message", data, hasOwnId(data));

/** What the product's own backend publishes there. One that has no id is not tried again: it might be done twice. */
export async function publishInStream(
  ctx: Ctx,
  streamId: number,
  context: StreamContext,
  frame: PublicationFrame,
): Promise<PublicationPosition> {
  const call = (room: DurableObjectStub<StreamRoom>) => room.publish(context, frame);
  const mayRepeat = frame.id !== undefined;
  const outcome = await callObject(ctx, ctx.env.STREAM_ROOM, String(streamId), call, { mayRepeat });
  return PublicationPosition.parse(outcomeOf(outcome));
}

/** Newest first. @throws AppError NOT_FOUND */
export async function readChat(ctx: Ctx, streamId: number, { before, after, limit }: FeedQuery): Promise<ChatHistory> {
  const context = await findStream(ctx, streamId);
  return callObject(ctx, ctx.env.STREAM_ROOM, String(streamId), (room) => room.read(context, { before, after, limit }));
}

/** The outbox's way to a room. */
export const deliverToStream = (ctx: CallContext, name: string, deliveries: Delivery[]): Promise<void> =>
  deliverTo(ctx, "STREAM_ROOM", name, deliveries);
