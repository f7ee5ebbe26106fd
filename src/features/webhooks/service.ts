/** What other slices use of webhooks. */
export { askAboutMessage } from "./before-message.ts";
export { Delivery, OutsideUrl, WebhookEventType } from "./contract.ts";
export { listDeliveries, redeliver, tryEndpoint } from "./deliveries.ts";
export { isFactOf } from "./people.ts";
export { makeSecret } from "./signing.ts";
