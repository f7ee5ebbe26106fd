/** Our own tokens: JWT, HS256, signed with the newest key, verified with either of two during a rotation (by `kid`). */
import { compactVerify, decodeProtectedHeader, errors, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";
import { base64url, sha256 } from "../platform/digest.ts";

const ALGORITHM = "HS256";

const Claims = z.object({
  sub: z.string().regex(/^\d{1,15}$/),
  sid: z.string().min(1).max(64),
  exp: z.number().int(),
});

export type OwnToken = { userId: number; sessionId: string; expiresAt: number };

type Key = { kid: string; secret: Uint8Array };

/** `kid` is derived from the key, so that a rotation needs no second setting. It says nothing about the key. */
async function keyOf(secret: string): Promise<Key> {
  const hash = await sha256(`roomcast key id\n${secret}`);
  return { kid: base64url(hash.slice(0, 6)), secret: new TextEncoder().encode(secret) };
}

const keyCache = new Map<string, Promise<Key>>();
function key(secret: string): Promise<Key> {
  let known = keyCache.get(secret);
  if (!known) {
    known = keyOf(secret);
    keyCache.set(secret, known);
  }
  return known;
}

const ownKeys = (settings: Config): Promise<Key[]> =>
  Promise.all(
    [settings.JWT_SECRET_KEY, settings.JWT_SECRET_KEY_PREVIOUS].flatMap((secret) => (secret ? [key(secret)] : [])),
  );

/** What a key of a product's backend begins with (server-keys.ts). */
export const SERVER_KEY_PREFIX = "rc_";

/** Whether this is meant to be such a key, good or bad: then it is no user's token. */
export const isServerKey = (credential: string): boolean => credential.startsWith(SERVER_KEY_PREFIX);

/** Whether a token is one of ours: by its `kid`; one that has none by its signature. */
export async function isOwnToken(settings: Config, token: string, kid: string | undefined): Promise<boolean> {
  const keys = await ownKeys(settings);
  if (kid !== undefined) return keys.some((own) => own.kid === kid);
  const tried = keys.map(({ secret }) => compactVerify(token, secret, { algorithms: [ALGORITHM] }));
  return (await Promise.allSettled(tried)).some(({ status }) => status === "fulfilled");
}

/** Signs a token for a session. Life: JWT_EXPIRE_MINUTES, if nothing else is said. */
export async function signToken(
  settings: Config,
  session: { userId: number; sessionId: string; now: Date; lifeSeconds?: number | undefined },
) {
  const { kid, secret } = await key(settings.JWT_SECRET_KEY);
  const issued = Math.floor(session.now.getTime() / 1000);
  const expires = issued + (session.lifeSeconds ?? settings.JWT_EXPIRE_MINUTES * 60);
  const token = await new SignJWT({ sid: session.sessionId })
    .setProtectedHeader({ alg: ALGORITHM, typ: "JWT", kid })
    // No two tokens are alike, also of one session in one second.
    .setJti(crypto.randomUUID())
    .setSubject(String(session.userId))
    .setIssuedAt(issued)
    .setExpirationTime(expires)
    .sign(secret);
  return { token, expiresAt: new Date(expires * 1000) };
}

/**
 * Verifies a token of ours. The algorithm is fixed (RFC 8725, 3.1), and key material in the header is never looked at.
 * @throws AppError UNAUTHORIZED
 */
export async function verifyToken(settings: Config, token: string, now: Date): Promise<OwnToken> {
  const keys = await ownKeys(settings);
  try {
    const { kid } = decodeProtectedHeader(token);
    const match = keys.find((candidate) => candidate.kid === kid) ?? keys[0];
    if (!match) throw new AppError("UNAUTHORIZED");
    const { payload } = await jwtVerify(token, match.secret, { algorithms: [ALGORITHM], currentDate: now });
    const { sub, sid, exp } = Claims.parse(payload);
    return { userId: Number(sub), sessionId: sid, expiresAt: exp * 1000 };
  } catch (error) {
    const message = error instanceof errors.JWTExpired ? "The token has expired." : undefined;
    throw new AppError("UNAUTHORIZED", message, { cause: error });
  }
}
