/** Topics, over HTTP (SPEC 12). */
import { route, router } from "../../../http/route.ts";
import { MakeTopicToken, TopicParam, TopicState, TopicToken } from "./contract.ts";
import { makeTopicToken, readTopic } from "./service.ts";

export const serverTopicRoutes = router()
  .openapi(
    route("post", "/server/topic-tokens", {
      who: "key:tokens",
      summary: "Let a user, or anybody who is signed in, hear a topic",
      body: MakeTopicToken,
      answers: { 200: TopicToken },
    }),
    async (c) => c.json(await makeTopicToken(c.var.ctx, c.req.valid("json")), 200),
  )
  .openapi(
    route("get", "/server/topics/{topic}", {
      who: "key:read",
      summary: "How many hear a topic, and where its log stands",
      params: TopicParam,
      answers: { 200: TopicState },
    }),
    async (c) => c.json(await readTopic(c.var.ctx, c.req.valid("param").topic), 200),
  );
