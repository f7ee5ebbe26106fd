/** A pair of keys that a push service knows this service by (VAPID, RFC 8292). */
import { generateKeyPairSync } from "node:crypto";

/** As settings: the public key is the point of the curve in one piece, as browsers want it. */
export function makeVapidKeys(): { VAPID_PUBLIC_KEY: string; VAPID_PRIVATE_KEY: string } {
  const {
    x = "",
    y = "",
    d = "",
  } = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
  const bytes = (text: string) => Buffer.from(text, "base64url");
  const point = Buffer.concat([Buffer.from([4]), bytes(x), bytes(y)]);
  return { VAPID_PUBLIC_KEY: point.toString("base64url"), VAPID_PRIVATE_KEY: d };
}
