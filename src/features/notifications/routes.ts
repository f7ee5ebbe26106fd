/** Notifications over HTTP (SPEC 3). */
import { Done, done } from "../../http/answers.ts";
import { route, router } from "../../http/route.ts";
import { FeedQuery, MarkNotificationsSeen, NotificationList, UnseenCount } from "./contract.ts";
import { countUnseen, listNotifications, markNotificationsSeen } from "./service.ts";

export const notificationRoutes = router()
  .openapi(
    route("get", "/notifications", {
      who: "user",
      summary: "Mine, newest first",
      query: FeedQuery,
      answers: { 200: NotificationList },
    }),
    async (c) => c.json(await listNotifications(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route("get", "/notifications/unseen-count", {
      who: "user",
      summary: "How many are unseen",
      answers: { 200: UnseenCount },
    }),
    async (c) => c.json(await countUnseen(c.var.ctx), 200),
  )
  .openapi(
    route("post", "/notifications/mark-seen", {
      who: "user",
      summary: "Mark as seen",
      body: MarkNotificationsSeen,
      answers: { 200: Done },
    }),
    async (c) => {
      const { notificationIds } = await markNotificationsSeen(c.var.ctx, c.req.valid("json"));
      return c.json(done(`${notificationIds.length} marked as seen`), 200);
    },
  );
