/** Signatures as receivers check them: https://github.com/standard-webhooks/standard-webhooks, by its own package. */
import { Webhook } from "standardwebhooks";

const SECRET_BYTES = 32;

export const makeSecret = (): string => `whsec_${crypto.getRandomValues(new Uint8Array(SECRET_BYTES)).toBase64()}`;

/** The headers of one call. `id` stays the same when the call is repeated; it has no full stop, which ends it when it is signed. */
export const signedHeaders = (secret: string, id: string, at: Date, body: string): Record<string, string> => ({
  "webhook-id": id,
  "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
  "webhook-signature": new Webhook(secret).sign(id, at, body),
});
