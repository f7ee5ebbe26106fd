/** How the rest of the product reaches a user's hub. */
import type { SQL } from "drizzle-orm";
import { sql } from "drizzle-orm";
import { budgetOf } from "../auth/call-budgets.ts";
import { type Counted, secondsOver } from "../auth/call-meter.ts";
import { meter } from "../auth/metered.ts";
import type { Ctx, UserCtx } from "../context.ts";
import type { CallContext } from "../db/call-context.ts";
import { jsonObject } from "../db/json.ts";
import { type Delivery, FailedDeliveries } from "../db/outbox.ts";
import type { FailedDelivery } from "../db/outbox-parked.ts";
import { AppError } from "../errors.ts";
import type { Cost } from "../platform/cost.ts";
import { callObject, hubName } from "../platform/objects.ts";
import type { Frame } from "../realtime/protocol.ts";
import type { RoomKind, RoomRef } from "../realtime/room-ref.ts";
import type { PushItem } from "./pushes.ts";

/** The payload of one frame, made by the database. */
export const frameFor = (type: string, data: Parameters<typeof jsonObject>[0]): SQL => framesFor([type, data]);

/** The payload of several frames, made by the database. */
export function framesFor(...frames: [type: string, data: Parameters<typeof jsonObject>[0]][]): SQL {
  const built = frames.map(([type, data]) => jsonObject({ type, data }));
  return sql`json_object('frames', json_array(${sql.join(built, sql`, `)}))`;
}

/** Sends that have not told their sender's hub of themselves. They do with what they deliver there, in the same call. */
const untold = new WeakMap<Cost, UserCtx>();

/** The outbox's way to a hub. */
export async function deliverToHub(ctx: CallContext, name: string, deliveries: Delivery[]): Promise<void> {
  const failed = await deliverNamed(ctx, name, deliveries);
  if (failed.length > 0) throw new FailedDeliveries(failed);
}

async function deliverNamed(ctx: CallContext, name: string, deliveries: Delivery[]): Promise<FailedDelivery[]> {
  const sender = untold.get(ctx.cost);
  if (!sender || hubName(sender.actor.id) !== name) {
    return callObject(ctx, ctx.env.USER_HUB, name, (hub) => hub.deliver(deliveries));
  }
  const { address } = sender;
  const sent = await tellOfSend(sender, (count) =>
    callObject(ctx, ctx.env.USER_HUB, name, (hub) => hub.deliverSent(deliveries, { count, address })),
  );
  return sent.failed;
}

/** Tells the sender's hub of what they have sent over REST. */
function tellOfSend<T extends Counted>(ctx: UserCtx, tell: (count: number) => Promise<T>): Promise<T> {
  untold.delete(ctx.cost);
  const { key, ...limit } = sendBudget(ctx);
  return meter.tell(key, limit, 0, tell);
}

const countSends = (ctx: UserCtx, count: number): Promise<Counted> =>
  callObject(ctx, ctx.env.USER_HUB, hubName(ctx.actor.id), (hub) => hub.countCalls("messages", count, ctx.address));

const sendBudget = ({ actor, config }: UserCtx) => budgetOf(actor.id, "messages", config.RATE_LIMIT_MESSAGES);

/**
 * Counts a REST send against the sender's own budget. Their hub counts it together with their socket frames once it has been
 * told: by what the send delivers there, or by `endSend`. As much as is not told may be sent too much.
 * @throws AppError RATE_LIMIT
 */
export async function beginSend(ctx: UserCtx): Promise<void> {
  const { key, ...limit } = sendBudget(ctx);
  if (meter.admits(key, limit)) {
    untold.set(ctx.cost, ctx);
    return;
  }
  const counted = await meter.tell(key, limit, 1, (count) => countSends(ctx, count));
  const retryAfterSeconds = secondsOver(counted);
  if (retryAfterSeconds === 0) return;
  throw new AppError("RATE_LIMIT", `Over ${limit.most} messages a minute.`, { retryAfterSeconds });
}

/** Tells of a send that has failed, or was a repetition: it delivers nothing. */
export function endSend(ctx: UserCtx): void {
  if (untold.has(ctx.cost)) ctx.later(tellOfSend(ctx, (count) => countSends(ctx, count)));
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

/** How many connections the user has, and in which rooms they are, the first `most`. */
export const whereIs = (ctx: Ctx, userId: number, most: number): Promise<{ connections: number; rooms: RoomRef[] }> =>
  callObject(ctx, ctx.env.USER_HUB, hubName(userId), (hub) => hub.whereabouts(most));

/** Whether the user has a connection to a room of this kind. */
export const isInRoomOf = (ctx: Ctx, userId: number, kind: RoomKind): Promise<boolean> =>
  callObject(ctx, ctx.env.USER_HUB, hubName(userId), (hub) => hub.isIn(kind));
