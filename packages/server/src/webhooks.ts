/** What the service tells a product's backend, verified by Standard Webhooks. WebCrypto: Node 20 or newer, and Workers. */
import type { Schema } from "./contract.ts";

/** What an endpoint may ask for, by the contract. */
export type WebhookEventType = Schema["Webhook"]["events"][number];

/**
 * A union that `type` tells apart: events of an endpoint, `webhook.test`, and `message.before` of the hook that is asked before a
 * message. Where a user is named who has an `externalId`, it is in `externalIds` under the same key.
 */
export type WebhookEvent = Schema["WebhookEvent"] | Schema["MessageQuestion"];

/** What the hook answers. */
export type MessageAnswer = Schema["MessageAnswer"];

/** `id`: what comes twice has the same. `isBatch`: the call carried `{events: [...]}`. */
export type VerifiedWebhook = { id: string; isBatch: boolean; events: WebhookEvent[] };

/** The call is not the service's, or not a new one: answer 401 and do nothing. */
export class WebhookVerificationError extends Error {
  override name = "WebhookVerificationError";
}

/** Those of a `Request`, or of Node's `IncomingMessage`. */
export type WebhookHeaders = Headers | Record<string, string | string[] | undefined>;

const TOLERANCE_SECONDS = 5 * 60;
const PREFIX = "whsec_";

/**
 * Verifies one call. Signatures are compared in constant time; the header may hold several.
 * @param secret `whsec_…`, as the answer that made the endpoint had it
 * @param body as it came: a parsed one, written again, has another signature
 * @throws WebhookVerificationError for a wrong or missing signature, and for a call that is 5 minutes off this clock
 */
export async function verifyWebhook(
  secret: string,
  headers: WebhookHeaders,
  body: string | Uint8Array,
): Promise<VerifiedWebhook> {
  const id = headerOf(headers, "webhook-id");
  const timestamp = headerOf(headers, "webhook-timestamp");
  const signatures = headerOf(headers, "webhook-signature");
  // Digits alone: what is compared with the clock is then what was signed.
  if (!/^\d{1,12}$/.test(timestamp)) throw new WebhookVerificationError("The timestamp is not a number of seconds.");
  if (Math.abs(Math.floor(Date.now() / 1000) - Number(timestamp)) > TOLERANCE_SECONDS) {
    throw new WebhookVerificationError("The timestamp is too far from this clock.");
  }
  const text = typeof body === "string" ? body : new TextDecoder("utf-8", { ignoreBOM: true }).decode(body);
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${text}`);
  const key = await keyOf(secret);
  if (!(await isSignedByOne(key, signatures, signed))) {
    throw new WebhookVerificationError("No signature is right.");
  }
  return { id, ...eventsIn(text) };
}

function headerOf(headers: WebhookHeaders, name: string): string {
  const value = headers instanceof Headers ? headers.get(name) : headers[name];
  if (typeof value !== "string" || value === "") throw new WebhookVerificationError(`There is no ${name}.`);
  return value;
}

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

function keyOf(secret: string): Promise<CryptoKey> {
  const raw = bytesOf(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret);
  return crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

/** `subtle.verify` compares in constant time. */
async function isSignedByOne(key: CryptoKey, signatures: string, signed: Uint8Array<ArrayBuffer>): Promise<boolean> {
  for (const signature of signatures.split(" ")) {
    const [, base64] = /^v1,([A-Za-z0-9+/]{43}=)$/.exec(signature) ?? [];
    if (base64 && (await crypto.subtle.verify("HMAC", key, bytesOf(base64), signed))) return true;
  }
  return false;
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** What is signed is the service's: the types of its data are those of the contract. */
const isEvent = (value: unknown): value is WebhookEvent =>
  isObject(value) && "type" in value && typeof value.type === "string" && "data" in value && isObject(value.data);

function eventsIn(text: string): Omit<VerifiedWebhook, "id"> {
  const body: unknown = JSON.parse(text);
  const batch: unknown = isObject(body) && "events" in body ? body.events : undefined;
  const events: unknown[] = Array.isArray(batch) ? batch : [body];
  if (!events.every(isEvent)) throw new TypeError("What is signed is no event.");
  return { isBatch: Array.isArray(batch), events };
}
