/**
 * Whether a call comes from a media server: a shared secret in the address or a header, or a signature over the body.
 * Two secrets may be valid at once, for rotation. Never taken from the body, where publishers write.
 */

import { mayCallAsMediaServer } from "../../../auth/media-server.ts";
import type { Ctx } from "../../../context.ts";
import { fingerprint } from "../../../platform/digest.ts";

/** A signature counts this long, so that a captured call cannot be sent again tomorrow. */
const SIGNATURE_LIFE_SECONDS = 300;

export type Signature = {
  hash: "SHA-256" | "SHA-1";
  mac: Uint8Array<ArrayBuffer>;
  /** What was signed before the body: the time and a dot. Without it the time is in the body. */
  prefix: string;
};

/** What came instead of a secret, if it is of our time as far as a header can tell. Before the body is read. */
export function signatureOf(ctx: Ctx, header: (name: string) => string | undefined): Signature | null {
  if (!mayCallAsMediaServer(ctx)) return null;
  return timelySignature(ctx, header("x-signature")) ?? omeSignature(header("x-ome-signature"));
}

/** `X-Signature: t=<seconds>,v1=<hex>`: HMAC-SHA256 over `t + "." + body`. */
function timelySignature(ctx: Ctx, header: string | undefined): Signature | null {
  const [, signedAt, mac] = /^t=(\d{1,12}),\s*v1=([0-9a-f]{64})$/i.exec(header?.trim() ?? "") ?? [];
  if (signedAt === undefined || mac === undefined || !isTimely(ctx, Number(signedAt) * 1000)) return null;
  return { hash: "SHA-256", mac: Uint8Array.fromHex(mac), prefix: `${signedAt}.` };
}

/** OvenMediaEngine's `X-OME-Signature: <base64url>`: HMAC-SHA1 over the body, in which the time stands. */
function omeSignature(header: string | undefined): Signature | null {
  const mac = header?.trim() ?? "";
  if (!/^[\w-]{27}$/.test(mac)) return null;
  return { hash: "SHA-1", mac: Uint8Array.fromBase64(mac, { alphabet: "base64url" }), prefix: "" };
}

/** Whether it was sent now, give or take what clocks differ by. */
const isTimely = (ctx: Ctx, sentAt: number | undefined): boolean =>
  sentAt !== undefined && Math.abs(ctx.now.getTime() - sentAt) <= SIGNATURE_LIFE_SECONDS * 1000;

/** Whether the time that a signature covers is ours: that of its header was looked at, a body's is `sentAt`. */
export const isOfNow = (ctx: Ctx, { prefix }: Signature, sentAt: number | undefined): boolean =>
  prefix !== "" || isTimely(ctx, sentAt);

/** Whether the signature is that of the raw body, with any of the secrets. Compared in constant time. */
export async function isSignedBy(ctx: Ctx, { hash, mac, prefix }: Signature, body: Uint8Array): Promise<boolean> {
  const before = new TextEncoder().encode(prefix);
  const signed = new Uint8Array(before.byteLength + body.byteLength);
  signed.set(before);
  signed.set(body, before.byteLength);
  const algorithm = { name: "HMAC", hash };
  const checks = ctx.config.WEBHOOK_SECRET.map(async (secret) => {
    const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(secret), algorithm, false, ["verify"]);
    return crypto.subtle.verify("HMAC", key, mac, signed);
  });
  return (await Promise.all(checks)).includes(true);
}

/** What is remembered of a signature, to know it again. */
export const signatureMark = ({ prefix, mac }: Signature): Promise<string> => fingerprint(`${prefix}${mac.toHex()}`);
