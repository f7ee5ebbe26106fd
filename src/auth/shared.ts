/** Tokens of a backend that exists (SPEC 14): HS256, signed with JWT_SHARED_SECRET; the account is made on first sight. */
import { decodeProtectedHeader, jwtVerify } from "jose";
import { z } from "zod";
import type { Config } from "../config.ts";
import type { Ctx } from "../context.ts";
import { AppError } from "../errors.ts";
import { ROLES, type Role } from "../roles.ts";
import { accountOf, BACKEND, idIn } from "./identities.ts";
import { CLOCK_SKEW_SECONDS, outsideExpiry, outsideSessionId, ProfileClaims, profileIn } from "./outside-session.ts";
import { isOwnToken } from "./tokens.ts";

const Subject = z.union([z.string().min(1).max(255), z.number().int().transform(String)]);
const Claims = ProfileClaims.loose().extend({ username: z.string().optional().catch(undefined) });

/** Whether this token claims to be the backend's. Our own have a `kid` of ours. */
export async function isShared(settings: Config, token: string): Promise<boolean> {
  if (!settings.JWT_SHARED_SECRET) return false;
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    return alg === "HS256" && !(await isOwnToken(settings, token, kid));
  } catch {
    return false;
  }
}

/**
 * Verifies the token and finds or makes its account.
 * @throws AppError UNAUTHORIZED
 */
export async function verifySharedToken(ctx: Ctx, token: string) {
  const { config } = ctx;
  let verified: { subject: string; claims: z.infer<typeof Claims> };
  try {
    const { payload } = await jwtVerify(token, new TextEncoder().encode(config.JWT_SHARED_SECRET), {
      algorithms: ["HS256"],
      requiredClaims: ["exp"],
      ...(config.JWT_SHARED_AUDIENCE ? { audience: config.JWT_SHARED_AUDIENCE } : {}),
      currentDate: ctx.now,
      clockTolerance: CLOCK_SKEW_SECONDS,
    });
    const claims = Claims.parse(payload);
    for (const [name, value] of config.JWT_SHARED_REQUIRE) {
      if (String(claims[name]) !== value) throw new Error(`The claim ${name} is not ${value}.`);
    }
    verified = { subject: Subject.parse(claims[config.JWT_SUBJECT_CLAIM]), claims };
  } catch (error) {
    throw new AppError("UNAUTHORIZED", undefined, { cause: error });
  }
  const { subject, claims } = verified;
  const userId = await accountOf(ctx, {
    issuer: BACKEND,
    subject,
    ...profileIn({ ...claims, preferred_username: claims.preferred_username ?? claims.username }),
    userId: config.USER_IDS === "subject" ? idOf(subject) : undefined,
  });
  return {
    userId,
    sessionId: await outsideSessionId(token, roleIn(config, claims)),
    expiresAt: outsideExpiry(claims),
    identity: { issuer: BACKEND, subject },
  };
}

/** `USER_IDS=subject`: the backend's ids are numbers, and are the numbers here. @throws AppError UNAUTHORIZED */
function idOf(subject: string): number {
  const id = idIn(subject);
  if (id === null) throw new AppError("UNAUTHORIZED");
  return id;
}

/** What JWT_ROLE_CLAIM gives, up to JWT_ROLE_MOST. */
function roleIn({ JWT_ROLE_CLAIM, JWT_ROLE_MOST }: Config, claims: Record<string, unknown>): Role | undefined {
  const rank = ROLES.findIndex((role) => JWT_ROLE_CLAIM !== undefined && role === claims[JWT_ROLE_CLAIM]);
  return ROLES[Math.min(rank, ROLES.indexOf(JWT_ROLE_MOST))];
}
