/** What other slices use of webhooks. */
export { Delivery, WebhookEventType } from "./contract.ts";
export { listDeliveries, redeliver, tryEndpoint } from "./deliveries.ts";
export { makeSecret } from "./signing.ts";
