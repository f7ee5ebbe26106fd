/**
 * Sessions of tokens that somebody else signed: nothing is stored for them, so their id says what a request or a reconnect
 * needs: what was signed, and the role that the token gives.
 */
import { z } from "zod";
import { fingerprint } from "./digest.ts";

const Role = z.enum(["user", "moderator", "admin"]);
export type Role = z.infer<typeof Role>;

const PREFIX = "outside:";

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
  return isOutsideSession(sessionId) ? (Role.safeParse(sessionId.split(":")[2]).data ?? null) : null;
}
