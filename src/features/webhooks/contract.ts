/** What a product's own backend hears of what happens here (SPEC 12). */
import { z } from "zod";
import { Timestamp } from "../../realtime/protocol.ts";

export const WebhookEventType = z.enum([
  "user.registered",
  "user.updated",
  "user.banned",
  "user.erased",
  "user.online",
  "user.offline",
  "message.sent",
  "room.created",
  "room.deleted",
  "room.member_added",
  "room.member_removed",
  "room.message_sent",
  "room.message_edited",
  "room.message_deleted",
  "course.message_sent",
  "stream.started",
  "stream.ended",
  "vod.created",
  "file.created",
  "file.deleted",
  "report.created",
  "report.closed",
  "call.started",
  "call.ended",
]);
export type WebhookEventType = z.infer<typeof WebhookEventType>;

/** What an address must be besides that, only the server knows (platform/outside-address.ts). */
export const OutsideUrl = z
  .url({ protocol: /^https?$/ })
  .max(2000)
  .describe("https on port 443 of the public internet (http to this machine in development), without a user's name");

export const DeliveryState = z.enum(["waiting", "delivered", "parked"]);
export type DeliveryState = z.infer<typeof DeliveryState>;

/** One event on its way to one endpoint. */
export const Delivery = z
  .object({
    id: z.string(),
    eventId: z.string().describe("The `webhook-id`, where an event goes out alone"),
    type: z.string(),
    subject: z.string().describe("What its order is kept for: `room:…`, `user:12`, `users:3-12`"),
    state: DeliveryState.describe("`parked`: given up; it can be sent again"),
    attempts: z.number().int(),
    status: z.number().int().nullable().describe("The HTTP status of the last attempt, if there was an answer"),
    reason: z.string().nullable().describe("Why the last attempt failed"),
    createdAt: Timestamp,
    settledAt: Timestamp.nullable().describe("When it was delivered or given up"),
    nextAttemptAt: Timestamp.nullable(),
    body: z.record(z.string(), z.unknown()).describe("What is sent"),
  })
  .meta({ id: "Delivery" });
export type Delivery = z.infer<typeof Delivery>;

/** What is sent of an event, whatever its type: event-contract.ts has them one by one. */
export const EventBody = z.object({
  type: z.string(),
  timestamp: Timestamp,
  subject: z.string(),
  data: z.record(z.string(), z.unknown()),
});
