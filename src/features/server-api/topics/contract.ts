/** Topics: what the product publishes under a name, and who may hear it (SPEC 12). */
import { z } from "zod";
import { FreshToken, namesOne, ONE_IS_NAMED, Topic, whom } from "../base-contract.ts";

export const TopicParam = z.object({ topic: Topic });

const DAY_SECONDS = 86_400;

export const MakeTopicToken = z
  .object({
    topic: Topic,
    ...whom,
    expiresInSeconds: z
      .number()
      .int()
      .min(1)
      .max(DAY_SECONDS)
      .default(3600)
      .describe("When the token ends, so does the subscription"),
  })
  .refine((input) => (input.userId === undefined && input.externalId === undefined) || namesOne(input), ONE_IS_NAMED)
  .describe("For this user alone; for anybody who is signed in, if nobody is named");
export type MakeTopicToken = z.output<typeof MakeTopicToken>;

export const TopicToken = FreshToken;

export const TopicState = z
  .object({
    topic: Topic,
    topicSeq: z.number().int().describe("The newest that is kept; 0 before the first"),
    topicEpoch: z
      .string()
      .nullable()
      .describe("Changes when the log was reset; null before the first publication that is kept"),
    count: z.number().int().describe("Users who hear it now"),
  })
  .meta({ id: "TopicState" });
export type TopicState = z.infer<typeof TopicState>;

const Epoch = z.string().max(64);

/** Client → server, on the event socket. */
export const TopicCommands = {
  subscribe: z
    .object({
      topic: Topic,
      since: z.number().int().min(0).optional().describe("A `topicSeq`: what was kept after it comes first"),
      epoch: Epoch.optional().describe("The `topicEpoch` that goes with it"),
      token: z.string().max(2048).optional().describe("A topic token; not needed for what TOPICS_OPEN names"),
    })
    .describe(
      "Until the connection or the token ends. Publications come as `{type, topic, data, topicSeq?, topicEpoch?}`, with the product's own type; over Socket.IO `topic`, `topicSeq` and `topicEpoch` are the event's second argument",
    ),
  unsubscribe: z.object({ topic: Topic }),
};

export const TopicAcks = {
  subscribe: TopicState.extend({
    resync: z
      .boolean()
      .describe(
        "Not all after `since` is still kept, or it is over 1 MiB: fetch anew, or read it on the topic's own socket, and go on from `topicSeq`",
      ),
  }),
};

/** Server → client, on the event socket. */
export const TopicFrames = {
  "topic:unsubscribed": z.object({ topic: Topic }).describe("Its token has ended"),
  "topic:resync": z
    .object({ topic: Topic })
    .describe("Something may be missing: subscribe again, `since` the last `topicSeq` that came"),
};

/** On the topic's own socket, which only listens. */
export const TopicRoomCommands = { "topic:state": z.strictObject({}).describe("Answered by the topic's state") };
export const TopicRoomAcks = { "topic:state": TopicState };
