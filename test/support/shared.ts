/** A backend that exists: signs tokens with a secret that it shares with the service (SPEC 14). */
import { SignJWT } from "jose";

export const SHARED_SECRET = "the-secret-of-a-backend-that-was-there-before";
const encode = (text: string) => new TextEncoder().encode(text);

type Claims = Record<string, unknown>;

/** As its login answers it: `type` says that it is no refresh token. */
export const signShared = (claims: Claims, secret = SHARED_SECRET, header: Record<string, unknown> = {}) =>
  new SignJWT({ type: "access", exp: Math.floor(Date.now() / 1000) + 600, ...claims })
    .setProtectedHeader({ alg: "HS256", typ: "JWT", ...header })
    .sign(encode(secret));

export const freshExternalId = (): string => `ext-${crypto.randomUUID()}`;
