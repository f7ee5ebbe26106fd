/**
 * Whether a call comes from a media server: a shared secret in the address or a header, or a signature over the body.
 * Two secrets may be valid at once, for rotation. Never taken from the body, where publishers write.
 */
import type { Ctx } from "../../../context.ts";
import { fingerprint, sameSecret } from "../../../http/auth/digest.ts";

/** A signature counts this long, so that a captured call cannot be sent again tomorrow. */
const SIGNATURE_LIFE_SECONDS = 300;

/** Whether one of the configured secrets was given. Constant time: all are compared, over hashes. */
export async function isMediaSecret(ctx: Ctx, given: string | undefined | null): Promise<boolean> {
  const same = await Promise.all(ctx.config.WEBHOOK_SECRET.map((secret) => sameSecret(given ?? "", secret)));
  return same.includes(true);
}

export type Signature = { signedAt: string; mac: string };

/** `X-Signature: t=<seconds>,v1=<hex>`, if it is of our time. Before the body is read. */
export function timelySignature(ctx: Ctx, header: string | undefined): Signature | null {
  const [, signedAt, mac] = /^t=(\d{1,12}),\s*v1=([0-9a-f]{64})$/i.exec(header?.trim() ?? "") ?? [];
  if (signedAt === undefined || mac === undefined) return null;
  const ageSeconds = Math.abs(ctx.now.getTime() / 1000 - Number(signedAt));
  return ageSeconds <= SIGNATURE_LIFE_SECONDS ? { signedAt, mac } : null;
}

/** Whether the signature is that of the raw body: HMAC-SHA256 over `t + "." + body`, with any of the secrets. */
export async function isSignedBy(ctx: Ctx, { signedAt, mac }: Signature, body: Uint8Array): Promise<boolean> {
  const prefix = new TextEncoder().encode(`${signedAt}.`);
  const signed = new Uint8Array(prefix.byteLength + body.byteLength);
  signed.set(prefix);
  signed.set(body, prefix.byteLength);
  const checks = ctx.config.WEBHOOK_SECRET.map(async (secret) => {
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(secret), algorithm, false, ["verify"]);
    return crypto.subtle.verify("HMAC", key, Uint8Array.fromHex(mac), signed);
  });
  return (await Promise.all(checks)).includes(true);
}

/** What is remembered of a signature, to know it again. */
export const signatureMark = ({ signedAt, mac }: Signature): Promise<string> =>
  fingerprint(`${signedAt}.${mac.toLowerCase()}`);
