/** How the rest of the product reaches a user's hub. */
import type { SQL } from "drizzle-orm";
import { sql } from "drizzle-orm";
import type { Ctx, UserCtx } from "../context.ts";
import type { CallContext } from "../db/call-context.ts";
import { jsonObject } from "../db/json.ts";
import { type Delivery, FailedDeliveries } from "../db/outbox.ts";
import type { FailedDelivery } from "../db/outbox-parked.ts";
import { AppError } from "../errors.ts";
import type { Cost } from "../platform/cost.ts";
import { callObject, hubName } from "../platform/objects.ts";
import type { Frame } from "../realtime/protocol.ts";
import type { RoomKind } from "../realtime/room-ref.ts";
import type { PushItem } from "./pushes.ts";

/** The payload of one frame, made by the database. */
export const frameFor = (type: string, data: Parameters<typeof jsonObject>[0]): SQL => framesFor([type, data]);

/** The payload of several frames, made by the database. */
export function framesFor(...frames: [type: string, data: Parameters<typeof jsonObject>[0]][]): SQL {
  const built = frames.map(([type, data]) => jsonObject({ type, data }));
  return sql`json_object('frames', json_array(${sql.join(built, sql`, `)}))`;
}

type HubSession = {
  refusedSeconds: Promise<number>;
  deliver(deliveries: Delivery[]): Promise<FailedDelivery[]>;
} & Disposable;

/** Sessions that this call has open. A call on what an object returned is not billed again (platform docs, RPC). */
const openSessions = new WeakMap<Cost, { name: string; session: HubSession }>();

/** The outbox's way to a hub. */
export async function deliverToHub(ctx: CallContext, name: string, deliveries: Delivery[]): Promise<void> {
  const failed = await deliverNamed(ctx, name, deliveries);
  if (failed.length > 0) throw new FailedDeliveries(failed);
}

async function deliverNamed(ctx: CallContext, name: string, deliveries: Delivery[]): Promise<FailedDelivery[]> {
  const open = openSessions.get(ctx.cost);
  if (open?.name !== name) return callObject(ctx, ctx.env.USER_HUB, name, (hub) => hub.deliver(deliveries));
  openSessions.delete(ctx.cost);
  using session = open.session;
  return await session.deliver(deliveries);
}

/**
 * Counts a REST send against the sender's own budget, together with their socket frames, and keeps the session for
 * what the send will have to deliver to the same hub. End it with `closeSendSession`.
 * @throws AppError RATE_LIMIT
 */
export async function openSendSession(ctx: UserCtx): Promise<void> {
  const name = hubName(ctx.actor.id);
  const session = await callObject(ctx, ctx.env.USER_HUB, name, (hub) => hub.startSend(ctx.address));
  const retryAfterSeconds = await session.refusedSeconds;
  if (retryAfterSeconds > 0) {
    session[Symbol.dispose]();
    throw new AppError("RATE_LIMIT", `Over ${ctx.config.RATE_LIMIT_MESSAGES} messages a minute.`, {
      retryAfterSeconds,
    });
  }
  openSessions.set(ctx.cost, { name, session });
}

/** Ends a send that had nothing to deliver to its own hub: refused, or a repetition. */
export function closeSendSession(ctx: UserCtx): void {
  openSessions.get(ctx.cost)?.session[Symbol.dispose]();
  openSessions.delete(ctx.cost);
}

/** Shows something to whoever is connected now; never logged. */
export async function pushTo(ctx: Ctx, userId: number, frame: Frame): Promise<void> {
  await callObject(ctx, ctx.env.USER_HUB, hubName(userId), (hub) => hub.push(frame));
}

/** Wakes the user's browsers for something that is no frame of theirs, if they are away. */
export async function nudge(ctx: Ctx, userId: number, item: PushItem): Promise<void> {
  await callObject(ctx, ctx.env.USER_HUB, hubName(userId), (hub) => hub.nudge(item));
}

/** Whether the user has a connection that is alive. */
export const isConnected = (ctx: Ctx, userId: number): Promise<boolean> =>
  callObject(ctx, ctx.env.USER_HUB, hubName(userId), (hub) => hub.isOnline());

/** Whether the user has a connection to a room of this kind. */
export const isInRoomOf = (ctx: Ctx, userId: number, kind: RoomKind): Promise<boolean> =>
  callObject(ctx, ctx.env.USER_HUB, hubName(userId), (hub) => hub.isIn(kind));
