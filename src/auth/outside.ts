/** Tokens of an outside identity provider (JWT_JWKS_URL, JWT_ISSUER, JWT_AUDIENCE); the account is made on first sight. */
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { z } from "zod";
import type { Config } from "../config.ts";
import type { Ctx } from "../context.ts";
import { AppError } from "../errors.ts";
import { accountOf } from "./identities.ts";
import { CLOCK_SKEW_SECONDS, outsideExpiry, outsideSessionId, ProfileClaims, profileIn } from "./outside-session.ts";

/** Asymmetric only: with a symmetric one, whoever can read the public key set could sign (RFC 8725, 2.1). */
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

const Claims = ProfileClaims.extend({ sub: z.string().min(1).max(255) });
type Claims = z.infer<typeof Claims>;

/** Whether this token claims to come from the configured provider. Nothing of it is trusted yet. */
export function isFromOutside(settings: Config, token: string): boolean {
  if (!settings.JWT_JWKS_URL || !settings.JWT_ISSUER || !settings.JWT_AUDIENCE) return false;
  try {
    return decodeJwt(token).iss === settings.JWT_ISSUER;
  } catch {
    return false;
  }
}

const keySets = new Map<string, ReturnType<typeof createRemoteJWKSet>>();

/** One key set per isolate; jose refetches once for an unknown `kid`, at most every 30 s. */
function keySet(url: string) {
  let known = keySets.get(url);
  if (!known) {
    known = createRemoteJWKSet(new URL(url), { cooldownDuration: 30_000, timeoutDuration: 5000 });
    keySets.set(url, known);
  }
  return known;
}

/**
 * Verifies the token and finds or makes its account.
 * @throws AppError UNAUTHORIZED
 */
export async function verifyOutsideToken(ctx: Ctx, token: string) {
  const { JWT_JWKS_URL, JWT_ISSUER, JWT_AUDIENCE } = ctx.config;
  let claims: Claims;
  try {
    const { payload } = await jwtVerify(token, keySet(JWT_JWKS_URL ?? ""), {
      algorithms: ALGORITHMS,
      issuer: JWT_ISSUER ?? "",
      audience: JWT_AUDIENCE ?? "",
      currentDate: ctx.now,
      clockTolerance: CLOCK_SKEW_SECONDS,
    });
    claims = Claims.parse(payload);
  } catch (error) {
    throw new AppError("UNAUTHORIZED", undefined, { cause: error });
  }
  const identity = { issuer: JWT_ISSUER ?? "", subject: claims.sub };
  const userId = await accountOf(ctx, { ...identity, ...profileIn(claims) });
  return { userId, sessionId: await outsideSessionId(token), expiresAt: outsideExpiry(claims), identity };
}
