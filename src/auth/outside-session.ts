/**
 * Sessions of tokens that somebody else signed: nothing is stored for them, so their id says what a request or a reconnect
 * needs: what was signed, and the role that the token gives.
 */
import { z } from "zod";
import { fingerprint } from "../platform/digest.ts";
import { ROLES, type Role } from "../roles.ts";
import { userText } from "../text.ts";

const PREFIX = "outside:";

/** What clocks of others differ by from ours. Their tokens count that much longer everywhere: for sockets, and for a logout. */
export const CLOCK_SKEW_SECONDS = 30;

/** What such a token says of its bearer, as far as it can be used. */
export const ProfileClaims = z.object({
  // NumericDate may have a fraction (RFC 7519, 2).
  exp: z.number(),
  email: z.email().max(255).optional().catch(undefined),
  email_verified: z.boolean().optional().catch(undefined),
  preferred_username: z.string().optional().catch(undefined),
  name: userText(100).optional().catch(undefined),
});
type ProfileClaims = z.infer<typeof ProfileClaims>;

/** When it stops to count, ms. */
export const outsideExpiry = ({ exp }: ProfileClaims): number => Math.floor((exp + CLOCK_SKEW_SECONDS) * 1000);

/** The account that it speaks of, but for who that is. */
export const profileIn = ({ preferred_username, name, email, email_verified }: ProfileClaims) => ({
  username: preferred_username,
  displayName: name,
  email: email_verified ? email : undefined,
});

/**
 * Named by what is signed, not by how the signature is spelled: its last character has bits that nobody reads, and ECDSA has
 * two signatures for everything (RFC 4648, 3.5; RFC 8725, 2.6).
 */
export async function outsideSessionId(token: string, role?: Role): Promise<string> {
  const hash = await fingerprint(token.slice(0, token.lastIndexOf(".")));
  return role === undefined || role === "user" ? `${PREFIX}${hash}` : `${PREFIX}${hash}:${role}`;
}

export const isOutsideSession = (sessionId: string): boolean => sessionId.startsWith(PREFIX);

/** What a logout notes, so that the token is dead before its time. */
export const outsideTokenHash = (sessionId: string): string => sessionId.slice(PREFIX.length).split(":")[0] ?? "";

/** The role that the token gives for as long as it is held; null: none beyond the account's own. */
export function roleOfSession(sessionId: string): Role | null {
  const given = isOutsideSession(sessionId) ? sessionId.split(":")[2] : undefined;
  return ROLES.find((role) => role === given) ?? null;
}
