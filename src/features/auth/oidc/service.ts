/**
 * Signing in by others. A page sends people to `beginSignIn`, which sends them to the provider; the provider sends them to
 * `finishSignIn`, which sends them back to the page with a code; the page exchanges the code with the verifier that it kept.
 * Nothing happens to an account before that: whoever is lured through the first two steps has not signed in.
 */
import { and, eq, gt } from "drizzle-orm";
import { AuthorizationResponseError } from "openid-client";
import { refuseBannedAddress } from "../../../auth/banned-address.ts";
import { cookieIn } from "../../../auth/cookies.ts";
import { isAllowedOrigin } from "../../../config.ts";
import { type Ctx, publicOrigin } from "../../../context.ts";
import { signInCodes, signInStates } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import { badField } from "../../../input.ts";
import { fingerprint, randomSecret } from "../../../platform/digest.ts";
import { logFailure } from "../../../platform/log.ts";
import { limitAddress } from "../limits.ts";
import type { BeginSignIn, ExchangeCode } from "./contract.ts";
import { providerNamed, readAnswer, signInPage } from "./providers.ts";

/** How long people may take at the provider. */
const STATE_LIFE_SECONDS = 10 * 60;
const CODE_LIFE_MS = 60_000;

const COOKIE = "roomcast-sign-in";

/** Only https, and this host alone, can set a `__Host-` cookie; plain http in development can have none. */
const cookieName = (isSecure: boolean): string => (isSecure ? `__Host-${COOKIE}` : COOKIE);

const isSecure = (ctx: Ctx): boolean => ctx.config.isProduction || publicOrigin(ctx).startsWith("https:");

/** The browser that sign-ins belong to: of several tabs, all of them come to their end. */
const browserOf = (ctx: Ctx, cookies: string | undefined): string | undefined =>
  cookieIn(cookies, cookieName(isSecure(ctx)));

function browserCookie(ctx: Ctx, browser: string): string {
  const secure = isSecure(ctx);
  // Lax: the provider sends people back by a link, which takes it along; no page of another site can read or embed us with it.
  const attributes = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${STATE_LIFE_SECONDS}${secure ? "; Secure" : ""}`;
  return `${cookieName(secure)}=${browser}; ${attributes}`;
}

/**
 * Begins a sign-in in this browser.
 * @returns where to go, and the cookie that the end will ask for
 * @throws AppError NOT_FOUND no such provider · INVALID_REQUEST a page that may not use the API · RATE_LIMIT · UNAVAILABLE
 */
export async function beginSignIn(ctx: Ctx, name: string, input: BeginSignIn, cookies: string | undefined) {
  const provider = providerNamed(ctx, name);
  const redirect = allowedPage(ctx, input.redirect);
  await limitAddress(ctx);
  const known = browserOf(ctx, cookies);
  const browser = known !== undefined && /^[\w-]{32}$/.test(known) ? known : randomSecret();
  const state = randomSecret();
  const page = await signInPage(ctx, provider, { state, browser });
  await ctx.db.insert(signInStates).values({
    hash: await fingerprint(state),
    browserHash: await fingerprint(browser),
    provider: provider.name,
    redirect,
    codeChallenge: input.code_challenge,
    expiresAt: new Date(ctx.now.getTime() + STATE_LIFE_SECONDS * 1000),
  });
  return { location: page.href, cookie: browserCookie(ctx, browser) };
}

/** Codes go to pages that may use the API anyway, and to no other. */
function allowedPage({ config, origin: ownOrigin }: Ctx, redirect: string): string {
  const url = new URL(redirect);
  // Apps have schemes of their own, whose origin the URL standard calls opaque.
  const origin = url.origin === "null" ? `${url.protocol}//${url.host}` : url.origin;
  const isPlain = url.username === "" && url.password === "";
  if (!isPlain || !isAllowedOrigin(config, origin, ownOrigin)) {
    throw badField("redirect", "must be a page of ALLOWED_ORIGINS");
  }
  return url.href;
}

/**
 * Takes what the provider sent along, once, and in the browser that began.
 * @returns the page to go back to, with `code`, or with `error` and `error_description`
 * @throws AppError INVALID_REQUEST the state is unknown, used, too old, another provider's or another browser's
 */
export async function finishSignIn(
  ctx: Ctx,
  name: string,
  answer: URLSearchParams,
  cookies: string | undefined,
): Promise<string> {
  const provider = providerNamed(ctx, name);
  await refuseBannedAddress(ctx);
  const [state, browser] = [answer.get("state") ?? "", browserOf(ctx, cookies) ?? ""];
  const [begun] = await ctx.db
    .delete(signInStates)
    .where(
      and(
        eq(signInStates.hash, await fingerprint(state)),
        eq(signInStates.browserHash, await fingerprint(browser)),
        eq(signInStates.provider, provider.name),
        gt(signInStates.expiresAt, ctx.now),
      ),
    )
    .returning();
  if (!begun) {
    const why = "This sign-in has expired, was finished already, or began in another browser. Please begin again.";
    throw new AppError("INVALID_REQUEST", why);
  }
  try {
    const profile = await readAnswer(ctx, provider, answer, { state, browser });
    const code = randomSecret();
    await ctx.db.insert(signInCodes).values({
      ...profile,
      issuer: provider.issuer,
      hash: await fingerprint(code),
      codeChallenge: begun.codeChallenge,
      expiresAt: new Date(ctx.now.getTime() + CODE_LIFE_MS),
    });
    return pageWith(begun.redirect, { code });
  } catch (error) {
    logFailure(ctx, "auth.oidc", error, { provider: provider.name });
    return pageWith(begun.redirect, failureOf(error));
  }
}

/** Said to the page, in words that it can show. The provider's own are not passed on: anybody could have written them. */
function failureOf(error: unknown): Record<string, string> {
  if (error instanceof AuthorizationResponseError && error.error === "access_denied") {
    return { error: "access_denied", error_description: "The sign-in was cancelled." };
  }
  const words = "The sign-in provider's answer could not be accepted. Please begin again.";
  return { error: "sign_in_failed", error_description: words };
}

function pageWith(page: string, parameters: Record<string, string>): string {
  const url = new URL(page);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

export type CodeHolder = typeof signInCodes.$inferSelect;

/**
 * Uses up a page's code: of any number of calls that come with it and its verifier, one gets whom the provider named.
 * @throws AppError INVALID_REQUEST
 */
export async function redeemCode(ctx: Ctx, { code, verifier }: ExchangeCode): Promise<CodeHolder> {
  const [held] = await ctx.db
    .delete(signInCodes)
    .where(
      and(
        eq(signInCodes.hash, await fingerprint(code)),
        // S256 is what `fingerprint` makes (RFC 7636, 4.2).
        eq(signInCodes.codeChallenge, await fingerprint(verifier)),
        gt(signInCodes.expiresAt, ctx.now),
      ),
    )
    .returning();
  if (!held) {
    throw new AppError("INVALID_REQUEST", "This code has expired, was used already, or is another page's.");
  }
  return held;
}
