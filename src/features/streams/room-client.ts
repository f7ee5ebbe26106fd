/** How the rest of the product reaches a stream's room. */
import { z } from "zod";
import type { CallContext } from "../../db/call-context.ts";
import type { Delivery } from "../../db/outbox.ts";
import { Anonymise } from "../../db/user-references.ts";
import { deliverTo } from "../../realtime/rooms.ts";
import { StreamFrames } from "./chat-contract.ts";

/** What an outbox row for `stream:<id>` holds; news of the stream is written by triggers (migration 0005). */
export const RoomDelivery = z.discriminatedUnion("type", [
  z.object({ type: z.literal("stream:status"), data: StreamFrames["stream:status"] }),
  z.object({ type: z.literal("stream:deleted") }),
  Anonymise,
]);
export type RoomDelivery = z.infer<typeof RoomDelivery>;

/** The outbox's way to a room. */
export const deliverToStream = (ctx: CallContext, name: string, deliveries: Delivery[]): Promise<void> =>
  deliverTo(ctx, "STREAM_ROOM", name, deliveries);
