/** Tokens of an outside identity provider (JWT_JWKS_URL, JWT_ISSUER, JWT_AUDIENCE); the account is made on first sight. */
import { and, eq, sql } from "drizzle-orm";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { z } from "zod";
import type { Config } from "../config.ts";
import type { Ctx } from "../context.ts";
import { after } from "../db/batch.ts";
import { foldedNames } from "../db/folding.ts";
import { identities } from "../db/tables.ts";
import { AppError } from "../errors.ts";
import { userText } from "../text.ts";
import { fingerprint } from "./digest.ts";

/** Asymmetric only: with a symmetric one, whoever can read the public key set could sign (RFC 8725, 2.1). */
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

/** What clocks differ by. A token counts that much longer everywhere: for its sockets, and for its logout. */
const CLOCK_SKEW_SECONDS = 30;

const Claims = z.object({
  sub: z.string().min(1).max(255),
  // NumericDate may have a fraction (RFC 7519, 2).
  exp: z.number(),
  email: z.email().max(255).optional().catch(undefined),
  email_verified: z.boolean().optional().catch(undefined),
  preferred_username: z.string().optional().catch(undefined),
  name: userText(100).optional().catch(undefined),
});
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
  // What is signed, not how the signature is spelled: its last character has bits that nobody reads, and ECDSA has two
  // signatures for everything (RFC 4648, 3.5; RFC 8725, 2.6).
  const hash = await fingerprint(token.slice(0, token.lastIndexOf(".")));
  const userId = (await findAccount(ctx, claims.sub)) ?? (await makeAccount(ctx, claims));
  return { userId, sessionId: `outside:${hash}`, expiresAt: Math.floor((claims.exp + CLOCK_SKEW_SECONDS) * 1000) };
}

async function findAccount(ctx: Ctx, subject: string): Promise<number | undefined> {
  const [known] = await ctx.db
    .select({ userId: identities.userId })
    .from(identities)
    .where(and(eq(identities.issuer, ctx.config.JWT_ISSUER ?? ""), eq(identities.subject, subject)));
  return known?.userId;
}

/**
 * Makes the account. An email that a local account has already is not taken over: whoever controls the provider would
 * control that account.
 */
async function makeAccount(ctx: Ctx, claims: Claims): Promise<number> {
  const issuer = ctx.config.JWT_ISSUER ?? "";
  const wanted = (claims.preferred_username ?? claims.email?.split("@")[0] ?? "user").replace(/[^A-Za-z0-9_.]/g, "");
  const suffix = (await fingerprint(`${issuer}\n${claims.sub}`)).replace(/[^A-Za-z0-9]/g, "").slice(0, 10);
  const unique = `${wanted.slice(0, 19)}_${suffix}`;
  const placeholder = `${suffix.toLowerCase()}@identity.invalid`;
  const email = claims.email_verified && claims.email ? claims.email : placeholder;
  const { displayNameFolded = null } = foldedNames({ displayName: claims.name ?? null });
  const username = wanted.length >= 3 ? wanted.slice(0, 30) : unique;
  await ctx.db.batch({
    user: ctx.db.run(sql`
      INSERT INTO users (username, email, display_name, display_name_folded, is_folded, created_at)
      SELECT
        CASE WHEN EXISTS (SELECT 1 FROM users WHERE username = ${username} COLLATE NOCASE) THEN ${unique} ELSE ${username} END,
        CASE WHEN EXISTS (SELECT 1 FROM users WHERE email = ${email} COLLATE NOCASE) THEN ${placeholder} ELSE ${email} END,
        ${claims.name ?? null}, ${displayNameFolded}, 1, ${ctx.now.getTime()}
      WHERE NOT EXISTS (SELECT 1 FROM identities WHERE issuer = ${issuer} AND subject = ${claims.sub})`),
    identity: after(
      "user",
      ctx.db.run(sql`
      INSERT INTO identities (issuer, subject, user_id)
      SELECT ${issuer}, ${claims.sub}, last_insert_rowid() WHERE changes() > 0
      ON CONFLICT DO NOTHING`),
    ),
  });
  const made = await findAccount(ctx, claims.sub);
  if (made === undefined) throw new AppError("INTERNAL_ERROR");
  return made;
}

/** Ends an outside token before its time, for logout. */
export const isOutsideSession = (sessionId: string): boolean => sessionId.startsWith("outside:");

export const outsideTokenHash = (sessionId: string): string => sessionId.slice("outside:".length);
