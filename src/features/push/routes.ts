import { Done, done } from "../../http/answers.ts";
import { route, router } from "../../http/route.ts";
import {
  NewSubscription,
  PushKey,
  PushSettings,
  Subscription,
  SubscriptionParam,
  UpdatePushSettings,
} from "./contract.ts";
import { readPushKey, subscribe, unsubscribe } from "./service.ts";
import { updatePushSettings } from "./settings.ts";

export const pushRoutes = router()
  .openapi(
    route("get", "/push/key", {
      who: "user",
      summary: "The key that browsers subscribe with",
      description: "404 where Web Push is not set up.",
      answers: { 200: PushKey },
    }),
    (c) => c.json(readPushKey(c.var.ctx), 200),
  )
  .openapi(
    route("post", "/push/subscriptions", {
      who: "user",
      summary: "Push to this browser",
      description:
        "The body is the browser's own PushSubscription. It ends with the session that registers it, and is a user's who " +
        "registers it last; register it at each start of the page. Up to 10 a user. Not answered: its address.",
      body: NewSubscription,
      answers: { 201: Subscription },
    }),
    async (c) => c.json(await subscribe(c.var.ctx, c.req.valid("json")), 201),
  )
  .openapi(
    route("delete", "/push/subscriptions/{id}", {
      who: "user",
      summary: "Push to that browser no more",
      params: SubscriptionParam,
      answers: { 200: Done },
    }),
    async (c) => {
      await unsubscribe(c.var.ctx, c.req.valid("param").id);
      return c.json(done("Subscription removed"), 200);
    },
  )
  .openapi(
    route("patch", "/push/settings", {
      who: "user",
      summary: "What to be pushed, and when not",
      description: "Answers the settings as they are then; an empty body changes nothing.",
      body: UpdatePushSettings,
      answers: { 200: PushSettings },
    }),
    async (c) => c.json(await updatePushSettings(c.var.ctx, c.req.valid("json")), 200),
  );
