/** Notifications (SPEC 3) and their frames on the event socket (SPEC 2). */
import { z } from "zod";
import { FeedQuery, NextCursor } from "../../db/page.ts";
import { Timestamp } from "../../realtime/protocol.ts";
import { UserId } from "../users/contract.ts";

export const NotificationType = z.enum([
  "like",
  "comment",
  "follow",
  "mention",
  "reply",
  "video_deleted",
  "report_resolved",
  "identity_linked",
  "webhook_off",
]);

export const Notification = z
  .object({
    id: z.number().int(),
    userId: UserId,
    type: NotificationType,
    refId: z
      .union([z.number().int(), z.string()])
      .describe("The video liked, the comment written, the follower, the report; of a room, the message's id"),
    createdAt: Timestamp,
    seen: z.boolean(),
    actor: z.object({ id: UserId, username: z.string(), avatarUrl: z.string().nullable() }).nullable(),
    target: z.object({
      type: z.enum(["video", "comment", "user", "report", "room", "webhook"]),
      id: z.union([z.number().int(), z.string()]).describe("A number; of a room, its id"),
      title: z.string().nullable().describe("Of a room: its name, as it was then"),
    }),
  })
  .meta({ id: "Notification" });
export type Notification = z.infer<typeof Notification>;

export const NotificationList = z.object({ notifications: z.array(Notification), nextCursor: NextCursor });
export const UnseenCount = z.object({ count: z.number().int() });
export const MarkNotificationsSeen = z.object({
  notificationIds: z.array(z.number().int()).max(1000).default([]).describe("None: all unseen ones"),
});
export type MarkNotificationsSeen = z.output<typeof MarkNotificationsSeen>;
export { FeedQuery };

/** Client → server. */
export const NotificationCommands = { "notification:mark_seen": MarkNotificationsSeen };

/** What the acks of commands carry. */
export const NotificationAcks = { "notification:mark_seen": z.object({ notificationIds: z.array(z.number().int()) }) };

/** Server → client. */
export const NotificationFrames = {
  "notification:new": Notification,
  "notification:unseen_count": UnseenCount,
};
