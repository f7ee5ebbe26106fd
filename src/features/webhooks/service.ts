/** What other slices use of webhooks. */
export { WebhookEventType } from "./contract.ts";
export { makeSecret } from "./signing.ts";
