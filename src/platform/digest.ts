/** Hashes and comparisons that secrets go through. */
import { timingSafeEqual } from "node:crypto";

export async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

export const base64url = (bytes: Uint8Array): string => bytes.toBase64({ alphabet: "base64url", omitPadding: true });

/** What is stored instead of a ticket, stream key or token: a high-entropy secret needs no slow hash. */
export const fingerprint = async (secret: string): Promise<string> => base64url(await sha256(secret));

/** An unguessable secret of `bytes` bytes, in URL-safe text. */
export const randomSecret = (bytes = 24): string => base64url(crypto.getRandomValues(new Uint8Array(bytes)));

/** Compares in constant time, over hashes, so that not even the lengths show. */
export async function sameSecret(given: string, expected: string): Promise<boolean> {
  return timingSafeEqual(await sha256(given), await sha256(expected));
}
