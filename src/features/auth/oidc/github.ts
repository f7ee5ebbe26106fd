/** GitHub, which signs people in by OAuth but is no OIDC provider: no discovery, no id token; its API says who it was. */
import { type Configuration, fetchProtectedResource, type ServerMetadata } from "openid-client";
import { z } from "zod";
import type { ProviderProfile } from "./profile.ts";

/** What OIDC_PROVIDERS calls it. */
const SETTING = /^https:\/\/github\.com(\/login\/oauth)?\/?$/;

export const isGitHub = (issuer: string): boolean => SETTING.test(issuer);

/** Since 2026 its answers name this issuer (RFC 9207), which the library compares. */
export const GITHUB: ServerMetadata = {
  issuer: "https://github.com/login/oauth",
  authorization_endpoint: "https://github.com/login/oauth/authorize",
  token_endpoint: "https://github.com/login/oauth/access_token",
  token_endpoint_auth_methods_supported: ["client_secret_post"],
};
export const GITHUB_SCOPES = ["read:user", "user:email"];

const Person = z.object({ id: z.number().int(), login: z.string(), name: z.string().nullish() });
const Emails = z.array(z.object({ email: z.email().max(255), primary: z.boolean(), verified: z.boolean() }));

/** The account behind an access token, with the address that GitHub writes to. */
export async function githubProfile(configuration: Configuration, accessToken: string): Promise<ProviderProfile> {
  const ask = async (path: string): Promise<unknown> => {
    const headers = new Headers({ Accept: "application/vnd.github+json", "User-Agent": "roomcast" });
    const url = new URL(`https://api.github.com${path}`);
    const answer = await fetchProtectedResource(configuration, accessToken, url, "GET", undefined, headers);
    if (!answer.ok) throw new Error(`GitHub answered ${answer.status} to ${path}`);
    return answer.json();
  };
  const { id, login, name } = Person.parse(await ask("/user"));
  const primary = Emails.parse(await ask("/user/emails")).find((email) => email.primary);
  return {
    subject: String(id),
    username: login,
    displayName: name ?? undefined,
    email: primary?.email,
    emailVerified: primary?.verified ?? false,
  };
}
