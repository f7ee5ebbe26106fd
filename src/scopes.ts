/** What a key of a product's own backend may do (SPEC 12). */
export const SCOPES = ["users", "tokens", "publish", "rooms", "read"] as const;
export type Scope = (typeof SCOPES)[number];
