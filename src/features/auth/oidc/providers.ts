/** The providers of OIDC_PROVIDERS, spoken to by `openid-client`: where to send people, and whom an answer names. */
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  Configuration,
  clockTolerance,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
} from "openid-client";
import { z } from "zod";
import { CLOCK_SKEW_SECONDS, ProfileClaims } from "../../../auth/outside-session.ts";
import { type Ctx, publicOrigin } from "../../../context.ts";
import { AppError } from "../../../errors.ts";
import { fingerprint } from "../../../platform/digest.ts";
import { isLoopbackHttp, type SignInProvider } from "../../../settings/sign-in-providers.ts";
import { GITHUB, GITHUB_SCOPES, githubProfile, isGitHub } from "./github.ts";
import type { ProviderProfile } from "./profile.ts";

/** What one way to a provider and back is known by: `state` stands in addresses, `browser` in a cookie alone. */
export type Handshake = { state: string; browser: string };

const TIMEOUT_SECONDS = 10;
const DISCOVERY_KEPT_MS = 60 * 60_000;
const OIDC_SCOPES = ["openid", "email", "profile"];

/** @throws AppError NOT_FOUND for a name that OIDC_PROVIDERS does not have */
export function providerNamed({ config: { OIDC_PROVIDERS } }: Ctx, name: string): SignInProvider {
  const provider = OIDC_PROVIDERS.find((known) => known.name === name);
  if (!provider) throw new AppError("NOT_FOUND", "There is no such sign-in provider.");
  return provider;
}

/** What was discovered, in each isolate: data alone, since a promise belongs to the request that made it. */
const discovered = new WeakMap<SignInProvider, { configuration: Configuration; until: number }>();

/** @throws Error the provider cannot be reached, or its discovery document is another's */
async function configurationOf(provider: SignInProvider, now: Date): Promise<Configuration> {
  const kept = discovered.get(provider);
  if (kept && kept.until > now.getTime()) return kept.configuration;
  const configuration = isGitHub(provider.issuer) ? githubConfiguration(provider) : await discover(provider);
  discovered.set(provider, { configuration, until: now.getTime() + DISCOVERY_KEPT_MS });
  return configuration;
}

function githubConfiguration({ clientId, clientSecret }: SignInProvider): Configuration {
  const configuration = new Configuration(GITHUB, clientId, undefined, ClientSecretPost(clientSecret));
  configuration.timeout = TIMEOUT_SECONDS;
  return configuration;
}

const discover = ({ issuer, clientId, clientSecret }: SignInProvider): Promise<Configuration> =>
  discovery(new URL(issuer), clientId, { [clockTolerance]: CLOCK_SKEW_SECONDS }, authenticateClient(clientSecret), {
    timeout: TIMEOUT_SECONDS,
    // The id token's signature counts even though it comes straight from the provider.
    execute: [enableNonRepudiationChecks, ...(isLoopbackHttp(new URL(issuer)) ? [allowInsecureRequests] : [])],
  });

/** By whichever of the two ways the provider knows; Basic is what it means by saying nothing (OIDC Discovery 1.0, 3). */
function authenticateClient(secret: string): ClientAuth {
  const [inBody, inHeader] = [ClientSecretPost(secret), ClientSecretBasic(secret)];
  return (server, ...call) => {
    const takesBody = server.token_endpoint_auth_methods_supported?.includes("client_secret_post");
    return (takesBody ? inBody : inHeader)(server, ...call);
  };
}

/** Derived from what no database has, so that one that leaks lets nobody finish a sign-in that is under way. */
const proofOf = async ({ state, browser }: Handshake) => ({
  verifier: await fingerprint(`verifier\n${browser}\n${state}`),
  nonce: await fingerprint(`nonce\n${browser}\n${state}`),
});

const callbackOf = (ctx: Ctx, { name }: SignInProvider): URL =>
  new URL(`${publicOrigin(ctx)}/api/v1/auth/oidc/${name}/callback`);

/**
 * The provider's page that asks people to sign in, with PKCE, state and (OIDC) a nonce.
 * @throws AppError UNAVAILABLE the provider cannot be reached
 */
export async function signInPage(ctx: Ctx, provider: SignInProvider, handshake: Handshake): Promise<URL> {
  const isOidc = !isGitHub(provider.issuer);
  const { verifier, nonce } = await proofOf(handshake);
  const configuration = await configurationOf(provider, ctx.now).catch((cause) => {
    throw new AppError("UNAVAILABLE", "The sign-in provider does not answer.", { cause });
  });
  return buildAuthorizationUrl(configuration, {
    redirect_uri: callbackOf(ctx, provider).href,
    scope: (provider.scopes ?? (isOidc ? OIDC_SCOPES : GITHUB_SCOPES)).join(" "),
    state: handshake.state,
    code_challenge: await fingerprint(verifier),
    code_challenge_method: "S256",
    ...(isOidc ? { nonce } : {}),
  });
}

/**
 * Whom the provider names in its answer to `handshake`.
 * @throws Error of the library: the provider refuses, or something does not belong to this sign-in (issuer, nonce, signature …)
 */
export async function readAnswer(
  ctx: Ctx,
  provider: SignInProvider,
  answer: URLSearchParams,
  handshake: Handshake,
): Promise<ProviderProfile> {
  const configuration = await configurationOf(provider, ctx.now);
  const { verifier, nonce } = await proofOf(handshake);
  const url = callbackOf(ctx, provider);
  url.search = answer.toString();
  const checks = { expectedState: handshake.state, pkceCodeVerifier: verifier };
  if (isGitHub(provider.issuer)) {
    const { access_token } = await authorizationCodeGrant(configuration, url, checks);
    return githubProfile(configuration, access_token);
  }
  const tokens = await authorizationCodeGrant(configuration, url, { ...checks, expectedNonce: nonce });
  return oidcProfile(configuration, tokens);
}

const Claims = ProfileClaims.omit({ exp: true }).extend({ sub: z.string().min(1).max(255) });

/** Many providers tell the email to who asks with the access token, and not in the id token. */
async function oidcProfile(
  configuration: Configuration,
  tokens: Awaited<ReturnType<typeof authorizationCodeGrant>>,
): Promise<ProviderProfile> {
  const claims = tokens.claims();
  if (!claims) throw new Error("The provider sent no id token.");
  const isTold = claims.email_verified !== undefined || !configuration.serverMetadata().userinfo_endpoint;
  const more = isTold ? {} : await fetchUserInfo(configuration, tokens.access_token, claims.sub);
  const { sub, preferred_username, name, email, email_verified } = Claims.parse({ ...claims, ...more });
  return {
    subject: sub,
    username: preferred_username,
    displayName: name,
    email,
    emailVerified: email_verified ?? false,
  };
}
