/** Endpoints of a product's backend, as admins set them up (SPEC 12). */
import { z } from "zod";
import { Pagination, WholeListQuery } from "../../../db/page.ts";
import { IntegerId } from "../../../http/answers.ts";
import { Timestamp } from "../../../realtime/protocol.ts";
import { userText } from "../../../text.ts";
import { UserId } from "../../users/contract.ts";
import { Delivery, DeliveryState, OutsideUrl, WebhookEventType } from "../../webhooks/contract.ts";
import { Search } from "../base-contract.ts";

const events = z
  .array(WebhookEventType)
  .min(1)
  .max(WebhookEventType.options.length)
  .transform((types) => [...new Set(types)]);
const description = userText(500).nullable();
const batchSize = z
  .number()
  .int()
  .min(1)
  .max(100)
  .describe("Events of one call. More than 1: the body is `{events: [...]}`");

export const CreateWebhook = z.object({
  url: OutsideUrl,
  events,
  description: description.default(null),
  batchSize: batchSize.default(1),
});
export type CreateWebhook = z.output<typeof CreateWebhook>;

export const UpdateWebhook = z.object({
  url: OutsideUrl.optional(),
  events: events.optional(),
  description: description.optional(),
  batchSize: batchSize.optional(),
  isActive: z.boolean().optional().describe("`true` switches an endpoint on again that was switched off"),
});
export type UpdateWebhook = z.output<typeof UpdateWebhook>;

export const Webhook = z
  .object({
    id: z.number().int(),
    url: z.string(),
    events: z.array(WebhookEventType),
    description: z.string().nullable(),
    batchSize: z.number().int(),
    isActive: z.boolean(),
    offReason: z.string().nullable().describe("Why it was switched off, if it is"),
    createdBy: UserId,
    createdAt: Timestamp,
  })
  .meta({ id: "Webhook" });
export type Webhook = z.infer<typeof Webhook>;

export const NewWebhook = Webhook.extend({
  secret: z.string().describe("`whsec_…`, which signs every call by Standard Webhooks. Shown this once"),
}).meta({ id: "NewWebhook" });
export type NewWebhook = z.infer<typeof NewWebhook>;

export const WebhookListQuery = WholeListQuery.extend({
  search: Search.describe("Any part of the address, of the description, or of an event's type"),
  status: z.enum(["on", "off", "all"]).default("all"),
});
export type WebhookListQuery = z.output<typeof WebhookListQuery>;

export const WebhookList = z.object({ webhooks: z.array(Webhook).describe("Oldest first"), pagination: Pagination });
export const WebhookParam = z.object({ id: IntegerId });

export const DeliveryQuery = z.object({
  before: z.string().max(60).optional().describe("A `nextCursor`"),
  limit: z.number().int().min(1).max(100).default(20),
  state: DeliveryState.optional(),
  search: Search.describe("Any part of the event's id, type or subject, or of why the last attempt failed"),
});
export type DeliveryQuery = z.output<typeof DeliveryQuery>;
export const DeliveryList = z.object({ deliveries: z.array(Delivery), nextCursor: z.string().nullable() });
export const DeliveryParam = z.object({ id: IntegerId, deliveryId: z.string().max(40) });

export const SetMessageHook = z.object({
  url: OutsideUrl,
  timeoutMs: z.number().int().min(100).max(10_000).default(2000),
  onFailure: z
    .enum(["allow", "refuse"])
    .default("refuse")
    .describe("What becomes of a message that could not be asked about"),
});
export type SetMessageHook = z.output<typeof SetMessageHook>;

export const MessageHook = z
  .object({
    url: z.string(),
    timeoutMs: z.number().int(),
    onFailure: z.enum(["allow", "refuse"]),
    createdBy: UserId,
    createdAt: Timestamp,
  })
  .meta({ id: "MessageHook" });
export const NewMessageHook = MessageHook.extend({
  secret: z.string().describe("Signs every question. Shown this once"),
}).meta({ id: "NewMessageHook" });
