/** Who we are to a push service: a token for its origin, signed with the keys of the settings (VAPID, RFC 8292). */
import { importJWK, SignJWT } from "jose";
import { base64url } from "../../platform/digest.ts";
import type { Vapid } from "../../settings/web-push.ts";

/** A push service takes no longer ones than 24 hours. */
const LIFE_MS = 12 * 60 * 60_000;

const tokens = new Map<string, { token: string; until: number }>();
/** Of origins there are few; in development each port is one. */
const TOKENS_MAX = 100;

/** The `Authorization` of a push to this address. */
export async function vapidHeader(vapid: Vapid, endpoint: string, now: number): Promise<string> {
  const { origin } = new URL(endpoint);
  const key = `${vapid.publicKey} ${origin}`;
  let known = tokens.get(key);
  if (!known || known.until < now) {
    if (tokens.size >= TOKENS_MAX) tokens.clear();
    known = { token: await sign(vapid, origin, now), until: now + LIFE_MS / 2 };
    tokens.set(key, known);
  }
  return `vapid t=${known.token}, k=${vapid.publicKey}`;
}

async function sign({ publicKey, privateKey, subject }: Vapid, origin: string, now: number): Promise<string> {
  const point = Uint8Array.fromBase64(publicKey, { alphabet: "base64url" });
  const [x, y] = [base64url(point.slice(1, 33)), base64url(point.slice(33))];
  const key = await importJWK({ kty: "EC", crv: "P-256", x, y, d: privateKey }, "ES256");
  return new SignJWT()
    .setProtectedHeader({ typ: "JWT", alg: "ES256" })
    .setAudience(origin)
    .setSubject(subject)
    .setExpirationTime(Math.floor((now + LIFE_MS) / 1000))
    .sign(key);
}
