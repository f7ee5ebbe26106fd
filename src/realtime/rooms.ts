/** How objects of any kind of room are called. */
import type { CallContext } from "../db/call-context.ts";
import { type Delivery, FailedDeliveries } from "../db/outbox.ts";
import { callObject } from "../platform/objects.ts";
import type { Room } from "./room.ts";
import type { RoomKind } from "./room-ref.ts";

/**
 * As far as every room can be talked to: the platform's types take a namespace of one class for none of its base class, though
 * all that is called by it is there.
 */
const ofRooms = (namespace: unknown) => namespace as DurableObjectNamespace<Room>;

/** The objects of a kind of room. */
export const namespaceOf = (env: Env, kind: RoomKind): DurableObjectNamespace<Room> => ofRooms(env[kind]);

/** Users' hubs, each a room like any other. */
export const hubsOf = (env: Env): DurableObjectNamespace<Room> => ofRooms(env.USER_HUB);

/** The outbox's way to a room. @throws FailedDeliveries naming those that must come again */
export async function deliverTo(ctx: CallContext, kind: RoomKind, name: string, deliveries: Delivery[]): Promise<void> {
  const failed = await callObject(ctx, namespaceOf(ctx.env, kind), name, (room) => room.deliver(deliveries));
  if (failed.length > 0) throw new FailedDeliveries(failed);
}
