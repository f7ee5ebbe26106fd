/** What a product's own backend hears of what happens here (SPEC 12). */
import { z } from "zod";

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
