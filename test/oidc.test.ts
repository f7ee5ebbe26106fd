/** Signing in by others (SPEC 13), against providers that are played here; `npm run test:oidc` runs a real one. */
import { env } from "cloudflare:workers";
import { generateKeyPair } from "jose";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { config } from "../src/config.ts";
import { runCron } from "../src/cron.ts";
import { mintAdmin, run } from "./support/admin.ts";
import { call, mintUser } from "./support/api.ts";
import { passTime } from "./support/clock.ts";
import { whereStands } from "./support/everywhere.ts";
import { Browser, FakeProvider, type Lies, PAGE, playProviders } from "./support/oidc.ts";
import { PRODUCTION } from "./support/production.ts";
import { callWith } from "./support/settings.ts";
import { openHub } from "./support/socket.ts";

const acme = new FakeProvider("https://acme.example.com", "us-at-acme");
const other = new FakeProvider("https://other.example.com/realms/main", "us-at-other");
const github = new FakeProvider("https://github.com/login/oauth", "us-at-github", { isOidc: false });
/** By access token: what GitHub's API says. */
const octocat = { id: 583231, login: "octocat", name: "The Octocat" };
let emails = [{ email: "octo@example.org", primary: true, verified: true }];
let asked: string[] = [];

beforeAll(() => {
  asked = playProviders(async (request) => {
    if (request.url === "https://github.com/login/oauth/access_token") {
      const [form, headers] = [await request.clone().formData(), new Headers()];
      expect([form.get("client_id"), form.get("client_secret")]).toEqual(["us-at-github", "s3cret"]);
      headers.set("authorization", `Basic ${btoa("us-at-github:s3cret")}`);
      return github.answer(
        new Request("https://github.com/login/oauth/token", { method: "POST", headers, body: form }),
      );
    }
    if (request.url === "https://api.github.com/user") return Response.json(octocat);
    if (request.url === "https://api.github.com/user/emails") return Response.json(emails);
    return (await acme.answer(request)) ?? other.answer(request);
  });
});
afterAll(() => vi.restoreAllMocks());

const someone = (more: Record<string, unknown> = {}) => {
  const sub = `sub-${crypto.randomUUID()}`;
  return { sub, email: `${sub}@example.org`, email_verified: true, preferred_username: sub.slice(0, 12), ...more };
};

/** Which mails about identities were queued for a user, the oldest first. */
const mailedTo = async (userId: number) => {
  const rows = await run(
    "SELECT template FROM mail_outbox WHERE user_id = ? AND template LIKE 'identity%' ORDER BY id",
    userId,
  );
  return rows.map(({ template }) => template);
};

describe("signing in by a provider", () => {
  it("comes back to the page with a code, which the page makes a session of", async () => {
    const [browser, claims] = [new Browser(), someone({ name: "Zoë <b>" })];
    const page = await browser.sent("acme");
    expect(page.origin + page.pathname).toBe("https://acme.example.com/authorize");
    expect(Object.fromEntries(page.searchParams)).toMatchObject({
      response_type: "code",
      client_id: "us-at-acme",
      redirect_uri: "http://localhost:8787/api/v1/auth/oidc/acme/callback",
      scope: "openid email profile",
      code_challenge_method: "S256",
    });
    const { headers } = await browser.back(acme.signIn(page, claims));
    const back = new URL(headers.get("Location") ?? "");
    expect(back.href.startsWith(`${PAGE}&code=`)).toBe(true);
    const { status, body } = await browser.exchange(back.searchParams.get("code"));
    expect(status).toBe(200);
    expect(body.user).toMatchObject({ username: claims.preferred_username.replace(/-/g, ""), email: claims.email });
    expect(body.user.displayName).not.toMatch(/<b/);
    const me = await call("/auth/me", { token: body.token });
    expect(me.body.id).toBe(body.user.id);
    expect((await openHub({ token: body.token })).frames[0]?.userId).toBe(body.user.id);
  });

  it("finds the same account again, also by providers that tell the email to who asks", async () => {
    const claims = someone();
    const first = await new Browser().signIn(other, "other", claims);
    other.tellsByUserinfo = true;
    const second = await new Browser().signIn(other, "other", { ...claims, preferred_username: "renamed" });
    const fresh = await new Browser().signIn(other, "other", someone({ email: "by-userinfo@example.org" }));
    other.tellsByUserinfo = false;
    expect(second.body.user.id).toBe(first.body.user.id);
    expect(fresh.body.user.email).toBe("by-userinfo@example.org");
  });

  it("gives a username that is free, and no unverified email", async () => {
    const local = await mintUser();
    const claims = someone({ preferred_username: local.username, email_verified: false });
    const { body } = await new Browser().signIn(acme, "acme", claims);
    expect(body.user.id).not.toBe(local.id);
    expect(body.user.username).not.toBe(local.username);
    expect(body.user.email).not.toBe(claims.email);
  });

  it("works by GitHub, which is no OIDC provider", async () => {
    const browser = new Browser();
    const page = await browser.sent("github");
    expect(page.href).toMatch(/^https:\/\/github\.com\/login\/oauth\/authorize\?/);
    expect(page.searchParams.get("scope")).toBe("read:user user:email");
    const answer = { iss: "https://github.com/login/oauth" };
    const { headers } = await browser.back(github.signIn(page, {}, { answer }));
    const { body } = await browser.exchange(new URL(headers.get("Location") ?? "").searchParams.get("code"));
    expect(body.user).toMatchObject({ username: "octocat", displayName: "The Octocat", email: "octo@example.org" });
    emails = [{ email: "octo@example.org", primary: true, verified: false }];
    expect((await new Browser().signIn(github, "github", {})).body.user.id).toBe(body.user.id);
  });

  it("asks a provider for its discovery document and keys once", async () => {
    await new Browser().signIn(acme, "acme", someone());
    expect(asked.filter((url) => url.startsWith("https://acme.example.com/.well-known/"))).toHaveLength(1);
    expect(asked.filter((url) => url === "https://acme.example.com/jwks")).toHaveLength(1);
  });

  it("tells a page which providers there are, and is 404 for others", async () => {
    const names = (await call("/auth/oidc")).body.providers.map(({ name }: { name: string }) => name);
    expect(names).toEqual(["acme", "other", "github"]);
    expect((await new Browser().begin("nobody")).status).toBe(404);
  });

  it("lets in no banned account, says why, and nobody whose account was erased", async () => {
    const [admin, claims] = [await mintAdmin(), someone()];
    const { id } = (await new Browser().signIn(acme, "acme", claims)).body.user;
    const by = { token: admin.token, body: { reason: "spam" } };
    await call(`/admin/users/${id}/ban`, { method: "POST", ...by });
    const banned = await new Browser().signIn(acme, "acme", claims);
    expect([banned.status, banned.body.error.message]).toEqual([403, expect.stringContaining("spam")]);
    await call(`/admin/users/${id}`, { method: "DELETE", ...by });
    expect((await new Browser().signIn(acme, "acme", claims)).status).toBe(401);
    expect(await run("SELECT email FROM identities WHERE subject = ?", claims.sub)).toEqual([{ email: null }]);
  });
});

describe("the way to the provider", () => {
  it("is refused for a page that may not use the API, and without a challenge", async () => {
    for (const redirect of [
      "https://evil.example.com/",
      "https://localhost.evil.example/",
      "http://localhost:5173@evil.example.com/",
      "http://user:pass@localhost:5173/",
      "javascript:alert(1)",
      "//evil.example.com",
      "/relative",
    ]) {
      const { status, body, headers } = await new Browser().begin("acme", { redirect });
      expect([redirect, status, headers.get("Location")]).toEqual([redirect, 400, null]);
      expect(body.error.details[0].path).toBe("redirect");
    }
    for (const code_challenge of ["", "short", "x".repeat(44)]) {
      expect((await new Browser().begin("acme", { code_challenge })).status).toBe(400);
    }
    expect((await new Browser().begin("acme", { code_challenge_method: "plain" })).status).toBe(400);
  });

  it("binds it to the browser: a __Host- cookie where there is https, and a plain one in development without", async () => {
    const query = new URLSearchParams({ redirect: PAGE, code_challenge: "x".repeat(43) });
    const plain = (await call(`/auth/oidc/acme?${query}`)).headers.get("Set-Cookie");
    expect(plain).toMatch(/^roomcast-sign-in=[\w-]{32}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/);
    const settings = { PUBLIC_URL: "https://api.example.com" };
    const { headers } = await callWith(settings, `/auth/oidc/acme?${query}`, {});
    expect(headers.get("Set-Cookie")).toMatch(
      /^__Host-roomcast-sign-in=[\w-]{32}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600; Secure$/,
    );
    const { searchParams } = new URL(headers.get("Location") ?? "");
    expect(searchParams.get("redirect_uri")).toBe("https://api.example.com/api/v1/auth/oidc/acme/callback");
  });

  it("is not there for USER_IDS=subject", async () => {
    const settings = { USER_IDS: "subject", JWT_JWKS_URL: "" };
    const query = new URLSearchParams({ redirect: PAGE, code_challenge: "x".repeat(43) });
    expect((await callWith(settings, `/auth/oidc/acme?${query}`, {})).status).toBe(404);
    expect((await callWith(settings, "/auth/oidc", {})).body).toEqual({ providers: [] });
  });
});

describe("what comes back from the provider is refused, in words,", () => {
  const words = /expired, was finished already, or began in another browser/;

  it("with a state that nobody was given, in another browser, at another provider, twice, and after ten minutes", async () => {
    const browser = new Browser();
    const back = acme.signIn(await browser.sent("acme"), someone());
    const refusal = async (by: Browser, url: URL) => {
      const { status, body, headers } = await by.back(url);
      expect([status, headers.get("Location")]).toEqual([400, null]);
      expect(body.error.message).toMatch(words);
    };
    const unknown = new URL(back);
    unknown.searchParams.set("state", "another-state");
    await refusal(browser, unknown);
    await refusal(new Browser(), back);
    const stranger = new Browser();
    await stranger.sent("acme");
    await refusal(stranger, back);
    await refusal(browser, new URL(back.href.replace("/acme/", "/other/")));
    expect((await browser.back(back)).status).toBe(302);
    await refusal(browser, back);
    const late = acme.signIn(await browser.sent("acme"), someone());
    passTime(601);
    await refusal(browser, late);
  });

  it("on a page of ours where a browser asks, and as it is for who else does", async () => {
    const asBrowser = (path: string) => call(path, { headers: { Accept: "text/html,*/*" } });
    const foreign = `/auth/oidc/acme?${new URLSearchParams({ redirect: "https://evil.example", code_challenge: "x".repeat(43) })}`;
    for (const [path, words] of [
      ["/auth/oidc/acme/callback?code=x&state=unknown", /began in another browser/],
      [foreign, /redirect must be a page of ALLOWED_ORIGINS/],
    ] as const) {
      const { status, headers } = await asBrowser(path);
      const page = new URL(headers.get("Location") ?? "");
      expect([status, page.pathname, page.searchParams.get("error_description")]).toEqual([
        302,
        "/account/provider",
        expect.stringMatching(words),
      ]);
      expect((await call(path)).status).toBe(400);
    }
  });

  it("of twenty at once, but for one", async () => {
    const browser = new Browser();
    const back = acme.signIn(await browser.sent("acme"), someone());
    const answers = await Promise.all(Array.from({ length: 20 }, () => browser.back(back)));
    expect(answers.filter(({ status }) => status === 302)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(19);
  });

  it("with another issuer, nonce, audience, signature, or too old: no code, and the page is told", async () => {
    const forged = await generateKeyPair("ES256");
    const told: Lies[] = [
      { answer: { iss: "https://other.example.com" } },
      { idToken: { iss: "https://other.example.com" } },
      { idToken: { nonce: "another" } },
      { idToken: { nonce: undefined } },
      { idToken: { aud: "somebody-else" } },
      { idToken: { exp: Math.floor(Date.now() / 1000) - 60 } },
      { answer: { code: "another-code" } },
      { key: forged.privateKey },
    ];
    for (const lies of told) {
      const page = await new Browser().come(acme, "acme", someone(), lies);
      expect([lies, page.get("code"), page.get("error")]).toEqual([lies, null, "sign_in_failed"]);
      expect(page.get("error_description")).toMatch(/could not be accepted/);
    }
    const answer = { error: "access_denied", error_description: "<b>Click here</b>" };
    const page = await new Browser().come(acme, "acme", someone(), { answer });
    expect([page.get("error"), page.get("error_description")]).toEqual(["access_denied", "The sign-in was cancelled."]);
  });

  it("with a code of another sign-in: the verifiers are others", async () => {
    const [mine, victim] = [new Browser(), new Browser()];
    const stolen = acme.signIn(await victim.sent("acme"), someone());
    const own = acme.signIn(await mine.sent("acme"), someone());
    own.searchParams.set("code", stolen.searchParams.get("code") ?? "");
    const { headers } = await mine.back(own);
    expect(headers.get("Location")).toMatch(/error=sign_in_failed/);
  });
});

describe("a page's code", () => {
  it("is good once, for one of twenty at once, with the page's own verifier, for a minute", async () => {
    const browser = new Browser();
    const code = (await browser.come(acme, "acme", someone())).get("code");
    const stranger = await new Browser().exchange(code);
    expect([stranger.status, stranger.body.error.message]).toEqual([400, expect.stringMatching(/another page's/)]);
    const answers = await Promise.all(Array.from({ length: 20 }, () => browser.exchange(code)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(400)]);
    const late = (await browser.come(acme, "acme", someone())).get("code");
    passTime(61);
    expect((await browser.exchange(late)).status).toBe(400);
  });

  it("stands hashed in the database, as the state does; the verifiers and the nonce stand nowhere", async () => {
    const browser = new Browser();
    const page = await browser.sent("acme");
    const secrets = [page.searchParams.get("state"), page.searchParams.get("nonce"), browser.cookie?.split("=")[1]];
    expect(await whereStands(secrets.map(String))).toEqual([]);
    const { headers } = await browser.back(acme.signIn(page, someone()));
    const code = new URL(headers.get("Location") ?? "").searchParams.get("code");
    expect(await whereStands([...secrets.map(String), String(code), browser.verifier])).toEqual([]);
    passTime(601);
    await runCron(env, { waitUntil: () => {} });
    expect(await run("SELECT 1 FROM sign_in_states UNION ALL SELECT 1 FROM sign_in_codes")).toEqual([]);
  });
});

describe("an email that another account has", () => {
  it("opens that account to nobody whose provider did not verify it, and says what to do", async () => {
    const local = await mintUser();
    for (const email of [local.email, local.email.toUpperCase()]) {
      const { status, body } = await new Browser().signIn(acme, "acme", someone({ email, email_verified: false }));
      expect([status, body.error.message]).toEqual([409, expect.stringMatching(/Sign in to it, and link/)]);
    }
    expect(await run("SELECT 1 FROM identities WHERE user_id = ?", local.id)).toEqual([]);
  });

  it("opens it where both sides have verified it, and its owner is told, once", async () => {
    const [local, claims] = [await mintUser(), someone()];
    await run("UPDATE users SET email_verified_at = 1 WHERE id = ?", local.id);
    const socket = await openHub({ token: local.token });
    const email = local.email.toUpperCase();
    const { status, body } = await new Browser().signIn(acme, "acme", { ...claims, email });
    expect([status, body.user?.id]).toEqual([200, local.id]);
    const told = { type: "identity_linked", actor: null, target: { type: "user", id: local.id, title: "acme" } };
    expect((await socket.next("notification:new")).data).toMatchObject(told);
    expect((await call("/notifications", { token: local.token })).body.notifications).toMatchObject([told]);
    await new Browser().signIn(acme, "acme", { ...claims, email });
    expect((await call("/notifications", { token: local.token })).body.notifications).toHaveLength(1);
    expect(await mailedTo(local.id)).toEqual(["identity-linked"]);
    const second = await new Browser().signIn(acme, "acme", someone({ email }));
    expect([second.status, second.body.error.message]).toEqual([409, expect.stringMatching(/another identity/)]);
  });

  it("opens it to nobody either while the account here has not verified it", async () => {
    const local = await mintUser();
    expect((await new Browser().signIn(acme, "acme", someone({ email: local.email }))).status).toBe(409);
  });
});

describe("identities", () => {
  const link = async (token: string, name: string, provider: FakeProvider, claims: Record<string, unknown>) => {
    const browser = new Browser();
    const code = (await browser.come(provider, name, claims)).get("code");
    return call(`/auth/identities/${name}`, { method: "POST", token, body: { code, verifier: browser.verifier } });
  };
  const unlink = (token: string, name: string) => call(`/auth/identities/${name}`, { method: "DELETE", token });

  it("are linked to the caller's account, listed, sign it in from then on, and are removed", async () => {
    const [user, claims] = [await mintUser(), someone()];
    const linked = await link(user.token, "acme", acme, claims);
    expect(linked).toMatchObject({
      status: 200,
      body: { identities: [{ provider: "acme", email: claims.email, linkedAt: expect.any(String) }] },
    });
    expect((await link(user.token, "acme", acme, claims)).body).toEqual(linked.body);
    expect((await new Browser().signIn(acme, "acme", claims)).body.user.id).toBe(user.id);
    expect((await unlink(user.token, "acme")).status).toBe(200);
    expect((await call("/auth/identities", { token: user.token })).body).toEqual({ identities: [] });
    expect((await unlink(user.token, "acme")).status).toBe(404);
    expect(await mailedTo(user.id)).toEqual(["identity-linked", "identity-removed"]);
    expect((await new Browser().signIn(acme, "acme", claims)).body.user.id).not.toBe(user.id);
  });

  it("belong to one account, one of each provider", async () => {
    const [first, second, claims] = [await mintUser(), await mintUser(), someone()];
    await link(first.token, "acme", acme, claims);
    const taken = await link(second.token, "acme", acme, claims);
    expect([taken.status, taken.body.error.message]).toEqual([409, expect.stringMatching(/another account/)]);
    expect((await link(first.token, "acme", acme, someone())).status).toBe(409);
    const wrong = await link(second.token, "other", acme, someone()).catch((error: Error) => error);
    expect(wrong).toBeInstanceOf(Error);
    const browser = new Browser();
    const body = { code: (await browser.come(acme, "acme", someone())).get("code"), verifier: browser.verifier };
    expect((await call("/auth/identities/other", { method: "POST", token: second.token, body })).status).toBe(400);
    expect((await call("/auth/identities", { token: second.token })).body).toEqual({ identities: [] });
  });

  it("leave a last way in, also when both are removed at once", async () => {
    const { body } = await new Browser().signIn(acme, "acme", someone());
    const { token } = body;
    const last = await unlink(token, "acme");
    expect([last.status, last.body.error.message]).toEqual([409, expect.stringMatching(/last way in/)]);
    expect(await mailedTo(body.user.id)).toEqual([]);
    await link(token, "other", other, someone());
    const answers = await Promise.all(["acme", "other"].map((name) => unlink(token, name)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect((await call("/auth/identities", { token })).body.identities).toHaveLength(1);
  });

  it("are nobody's business who is not signed in", async () => {
    const body = { code: "x", verifier: "x".repeat(43) };
    expect((await call("/auth/identities")).status).toBe(401);
    expect((await call("/auth/identities/acme", { method: "POST", body })).status).toBe(401);
    expect((await call("/auth/identities/acme", { method: "DELETE" })).status).toBe(401);
  });
});

describe("OIDC_PROVIDERS", () => {
  const provider = { name: "acme", issuer: "https://acme.example.com", clientId: "us", clientSecret: "hidden-secret" };
  const settings = (list: unknown, more = {}) => ({ ...env, ...more, OIDC_PROVIDERS: JSON.stringify(list) });

  it("is refused when it is no list of providers, without showing what stands in it", () => {
    for (const list of [
      { acme: provider },
      [{ ...provider, clientSecret: undefined }],
      [{ ...provider, issuer: "http://acme.example.com" }],
      [{ ...provider, name: "Acme/.." }],
      [provider, provider],
      [{ ...provider, secret: "hidden-secret" }],
    ]) {
      expect(() => config(settings(list)), JSON.stringify(list)).toThrow(/^Setting OIDC_PROVIDERS must be a JSON list/);
      expect(() => config(settings(list))).not.toThrow(/hidden-secret/);
    }
    expect(config(settings([{ ...provider, scopes: "openid email" }])).OIDC_PROVIDERS[0]?.scopes).toEqual([
      "openid",
      "email",
    ]);
  });

  it("needs PUBLIC_URL in production, and https there", () => {
    const list = [provider];
    expect(() => config(settings(list, PRODUCTION))).toThrow(/needs PUBLIC_URL/);
    const PUBLIC_URL = "https://api.example.com";
    expect(config(settings(list, { ...PRODUCTION, PUBLIC_URL })).OIDC_PROVIDERS).toHaveLength(1);
    const local = [{ ...provider, issuer: "http://127.0.0.1:9000" }];
    expect(config(settings(local)).OIDC_PROVIDERS).toHaveLength(1);
    expect(() => config(settings(local, { ...PRODUCTION, PUBLIC_URL }))).toThrow(/https in production: acme/);
  });
});
