/** Roomcast for a product's own backend, in Node 20 or newer and in Workers. */

export type { Body, Publication, Schema, Somebody } from "./contract.ts";
export { RoomcastServerError } from "./error.ts";
export { RoomcastServer, type ServerOptions } from "./server.ts";
export {
  type MessageAnswer,
  type VerifiedWebhook,
  verifyWebhook,
  type WebhookEvent,
  type WebhookEventType,
  type WebhookHeaders,
  WebhookVerificationError,
} from "./webhooks.ts";
