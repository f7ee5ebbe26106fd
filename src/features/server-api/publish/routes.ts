/** Publishing, over HTTP (SPEC 12). */
import { route, router } from "../../../http/route.ts";
import { Publication, PublishBatch, Published, PublishedBatch } from "./contract.ts";
import { publish, publishEach } from "./service.ts";

export const serverPublishRoutes = router()
  .openapi(
    route("post", "/server/publish", {
      who: "key:publish",
      summary: "Publish to people, a room, a course, a stream or a topic",
      description:
        "Arrives as a frame `{type, data}` like any other: on the event sockets of people, or on the sockets of the place. Of people, those whom nobody knows are left out, and `accepted` says how many it goes to.",
      body: Publication,
      answers: { 202: Published },
    }),
    async (c) => c.json(await publish(c.var.ctx, c.req.valid("json")), 202),
  )
  .openapi(
    route("post", "/server/publish/batch", {
      who: "key:publish",
      summary: "Publish up to 100, each answered by itself",
      body: PublishBatch,
      answers: { 202: PublishedBatch },
    }),
    async (c) => c.json(await publishEach(c.var.ctx, c.req.valid("json").publications), 202),
  );
