/** `GET /topics/:topic/ws`: a topic's own socket, for a crowd (SPEC 12). It only listens. */
import { AppError } from "../../../errors.ts";
import { router } from "../../../http/route.ts";
import { socket } from "../../../http/sockets.ts";
import { Topic } from "../base-contract.ts";
import type { TopicContext } from "./room.ts";
import { mayHear } from "./service.ts";

export const topicSockets = router();

topicSockets.get(
  "/topics/:topic/ws",
  socket(async (ctx, c) => {
    const topic = Topic.safeParse(c.req.param("topic"));
    if (!topic.success) throw new AppError("NOT_FOUND");
    const context: TopicContext = { until: await mayHear(ctx, topic.data, c.req.query("topicToken")) };
    return { stub: ctx.env.TOPIC_ROOM.getByName(topic.data), kind: "topic", context };
  }),
);
