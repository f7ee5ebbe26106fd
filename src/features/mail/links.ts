/**
 * The tokens in mailed links. A token is derived from our key and from an id that stands with its mail: so the database has
 * its hash alone, and a mail that is sent a second time has the same link.
 */
import type { Config } from "../../config.ts";
import { base64url, fingerprint, randomSecret, sha256 } from "../../platform/digest.ts";

/** Where a link leads, below PUBLIC_URL. The token stands behind `#`: browsers send that to no server, and into no `Referer`. */
const PAGES = { verify: "/account/verify", reset: "/account/reset" } as const;

/** What a token proves: that mail arrives, or that who has forgotten their password may set a new one. */
export type LinkKind = keyof typeof PAGES;

const LIFE_MS: Record<LinkKind, number> = { verify: 24 * 3_600_000, reset: 30 * 60_000 };

/** A token to be mailed: its id and hash are stored, with the time when it ends. */
export type NewLink = { kind: LinkKind; tokenId: string; hash: string; expiresAt: Date };

export async function newLink({ config, now }: { config: Config; now: Date }, kind: LinkKind): Promise<NewLink> {
  const tokenId = randomSecret(16);
  const hash = await fingerprint(await tokenOf(config, kind, tokenId));
  return { kind, tokenId, hash, expiresAt: new Date(now.getTime() + LIFE_MS[kind]) };
}

async function tokenOf({ JWT_SECRET_KEY }: Config, kind: LinkKind, tokenId: string): Promise<string> {
  const secret = await sha256(`roomcast mail links\n${JWT_SECRET_KEY}`);
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const text = new TextEncoder().encode(`${kind}\n${tokenId}`);
  return base64url(new Uint8Array(await crypto.subtle.sign("HMAC", key, text)));
}

/** Never made from the request's host, which whoever asks may choose. */
export async function linkOf(config: Config, kind: LinkKind, tokenId: string): Promise<string> {
  return `${config.mailOrigin}${PAGES[kind]}#token=${await tokenOf(config, kind, tokenId)}`;
}
