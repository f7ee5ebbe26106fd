/** How the rest of the product reaches a topic's object. */
import type { Ctx } from "../../../context.ts";
import { callObject } from "../../../platform/objects.ts";
import type { PublicationFrame, PublicationPosition } from "../../../realtime/publication.ts";
import type { TopicState } from "./contract.ts";

/** One that has no id is not tried again: it might be done twice. */
export const publishInTopic = (ctx: Ctx, topic: string, frame: PublicationFrame): Promise<PublicationPosition> =>
  callObject(ctx, ctx.env.TOPIC_ROOM, topic, (room) => room.publish(frame), { mayRepeat: frame.id !== undefined });

export const askTopic = (ctx: Ctx, topic: string): Promise<TopicState> =>
  callObject(ctx, ctx.env.TOPIC_ROOM, topic, (room) => room.state());
