/** How the rest of the product reaches a room's object. Whoever calls has asked the database first (access.ts). */
import type { Ctx, UserCtx } from "../../context.ts";
import type { CallContext } from "../../db/call-context.ts";
import type { Delivery } from "../../db/outbox.ts";
import { callObject } from "../../platform/objects.ts";
import { outcomeOf } from "../../realtime/commands.ts";
import type { Person } from "../../realtime/connection-state.ts";
import { deliverTo } from "../../realtime/rooms.ts";
import type { Access } from "./access.ts";
import type { Page, ReadQuery } from "./reading.ts";
import type { Statistics } from "./search.ts";
import type { Mark, Summary } from "./summary.ts";

export const personOf = ({ actor }: UserCtx): Person => ({
  userId: actor.id,
  username: actor.username,
  displayName: actor.displayName,
  avatarUrl: actor.avatarUrl,
  role: actor.role,
});

/**
 * Does in a room what a frame of this type does. `data` goes in as the client sent it: the room parses it, and text that
 * is made inert twice would count as longer than it was typed.
 * @throws AppError as the room refuses it
 */
export async function act(ctx: UserCtx, { roomId, entrance }: Access, type: string, data: unknown): Promise<unknown> {
  const outcome = await callObject(ctx, ctx.env.CHAT_ROOM, roomId, (room) =>
    room.executeFor(personOf(ctx), entrance, type, data),
  );
  return outcomeOf(outcome);
}

export const readMessages = (ctx: Ctx, { roomId, entrance }: Access, query: ReadQuery): Promise<Page> =>
  callObject(ctx, ctx.env.CHAT_ROOM, roomId, (room) => room.read(entrance, query) as Promise<Page>);

export const readStatistics = (ctx: Ctx, { roomId }: Access): Promise<Statistics> =>
  callObject(ctx, ctx.env.CHAT_ROOM, roomId, (room) => room.statistics());

/** What the room knows better than the database. */
export const askSummary = (ctx: Ctx, roomId: string, userId: number): Promise<{ summary: Summary; mark: Mark }> =>
  callObject(
    ctx,
    ctx.env.CHAT_ROOM,
    roomId,
    (room) => room.summary(userId) as Promise<{ summary: Summary; mark: Mark }>,
  );

/** The outbox's way to a room. */
export const deliverToRoom = (ctx: CallContext, roomId: string, deliveries: Delivery[]): Promise<void> =>
  deliverTo(ctx, "CHAT_ROOM", roomId, deliveries);
