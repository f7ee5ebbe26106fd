/** How objects of any kind of room are called. */
import type { CallContext } from "../db/call-context.ts";
import { type Delivery, FailedDeliveries } from "../db/outbox.ts";
import { callObject } from "../platform/objects.ts";
import type { Room } from "./room.ts";
import type { RoomKind } from "./room-ref.ts";

/** The objects of a kind, as far as every room can be talked to. */
export function namespaceOf(env: Env, kind: RoomKind): DurableObjectNamespace<Room> {
  return env[kind] as unknown as DurableObjectNamespace<Room>;
}

/** The outbox's way to a room. @throws FailedDeliveries naming those that must come again */
export async function deliverTo(ctx: CallContext, kind: RoomKind, name: string, deliveries: Delivery[]): Promise<void> {
  const failed = await callObject(ctx, namespaceOf(ctx.env, kind), name, (room) => room.deliver(deliveries));
  if (failed.length > 0) throw new FailedDeliveries(failed);
}
