import type { Context } from "hono";
import { type Ctx, publicOrigin } from "../../../context.ts";
import { AppError } from "../../../errors.ts";
import { Done, done } from "../../../http/answers.ts";
import { Elsewhere, route, router } from "../../../http/route.ts";
import { SignedIn } from "../contract.ts";
import { giveFileCookie } from "../routes.ts";
import { exchangeCode, linkIdentity, listIdentities, unlinkIdentity } from "./accounts.ts";
import { BeginSignIn, ExchangeCode, IdentityList, ProviderAnswer, ProviderParam, SignInProviders } from "./contract.ts";
import { beginSignIn, finishSignIn } from "./service.ts";

type Caller = Pick<Context, "req"> & { var: { ctx: Ctx } };

/**
 * Where to go on; or, for people in front of a browser, the own page that tells them why not: no page of a product is known that
 * could. Whoever else asks gets the error as it is.
 */
async function orToldWhy(c: Caller, go: () => Promise<string>): Promise<string> {
  try {
    return await go();
  } catch (thrown) {
    if (!(thrown instanceof AppError) || !c.req.header("accept")?.includes("text/html")) throw thrown;
    const fields = thrown.details?.map(({ path, message }) => `${path} ${message}`) ?? [];
    const words = new URLSearchParams({ error: thrown.code, error_description: [thrown.message, ...fields].join(" ") });
    return `${publicOrigin(c.var.ctx)}/account/provider?${words}`;
  }
}

export const oidcRoutes = router()
  .openapi(
    route("get", "/auth/oidc", {
      who: "anyone",
      summary: "Who else may sign people in",
      answers: { 200: SignInProviders },
    }),
    (c) => c.json({ providers: c.var.ctx.config.OIDC_PROVIDERS.map(({ name }) => ({ name })) }, 200),
  )
  .openapi(
    route("post", "/auth/oidc/exchange", {
      who: "anyone",
      summary: "Sign in with what a provider's sign-in came back with",
      body: ExchangeCode,
      answers: { 200: SignedIn },
    }),
    async (c) => c.json(await giveFileCookie(c, await exchangeCode(c.var.ctx, c.req.valid("json"))), 200),
  )
  .openapi(
    route("get", "/auth/oidc/{provider}", {
      who: "anyone",
      summary: "Sign in by a provider: a page goes here",
      description:
        "Sends the browser to the provider, and back to `redirect` with a one-time `code` for `/auth/oidc/exchange` or " +
        "`/auth/identities/{provider}`. A page keeps the verifier of its `code_challenge` to itself, in its session storage.",
      params: ProviderParam,
      query: BeginSignIn,
      answers: { 302: Elsewhere },
    }),
    async (c) => {
      const { provider } = c.req.valid("param");
      return c.redirect(
        await orToldWhy(c, async () => {
          const begun = await beginSignIn(c.var.ctx, provider, c.req.valid("query"), c.req.header("cookie"));
          c.header("Set-Cookie", begun.cookie);
          return begun.location;
        }),
        302,
      );
    },
  )
  .openapi(
    route("get", "/auth/oidc/{provider}/callback", {
      who: "anyone",
      summary: "Where providers send people back: to be registered there as the redirect URI",
      params: ProviderParam,
      query: ProviderAnswer,
      answers: { 302: Elsewhere },
    }),
    async (c) => {
      const { provider } = c.req.valid("param");
      // As it was sent: the library judges all of it, also what is there twice.
      const answer = new URL(c.req.url).searchParams;
      const finish = () => finishSignIn(c.var.ctx, provider, answer, c.req.header("cookie"));
      return c.redirect(await orToldWhy(c, finish), 302);
    },
  )
  .openapi(
    route("get", "/auth/identities", {
      who: "user",
      summary: "Who else signs me in",
      answers: { 200: IdentityList },
    }),
    async (c) => c.json({ identities: await listIdentities(c.var.ctx) }, 200),
  )
  .openapi(
    route("post", "/auth/identities/{provider}", {
      who: "user",
      summary: "Let a provider sign me in",
      description:
        "With the code that its sign-in came back with: begin at `GET /auth/oidc/{provider}`, as to sign in.",
      params: ProviderParam,
      body: ExchangeCode,
      answers: { 200: IdentityList },
    }),
    async (c) => {
      const { provider } = c.req.valid("param");
      return c.json({ identities: await linkIdentity(c.var.ctx, provider, c.req.valid("json")) }, 200);
    },
  )
  .openapi(
    route("delete", "/auth/identities/{provider}", {
      who: "user",
      summary: "Let a provider sign me in no more",
      description: "409 for the last way in.",
      params: ProviderParam,
      answers: { 200: Done },
    }),
    async (c) => {
      await unlinkIdentity(c.var.ctx, c.req.valid("param").provider);
      return c.json(done("Identity removed"), 200);
    },
  );
