/**
 * Signing in by a real OIDC provider, through a real browser: `npm run test:oidc`. The provider is npm's `oidc-provider`, the
 * page the one of docs/sign-in.md.
 */
import assert from "node:assert/strict";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { isChromiumHere, launch } from "./browser.ts";
import { check, finish } from "./checks.ts";
import { listen, openProvider } from "./identity-provider.ts";
import { type Server, startServer } from "./server.ts";

const PORT = Number(process.env.PORT ?? 8940);
const API = `http://127.0.0.1:${PORT}/api/v1`;
const PAGE = `http://127.0.0.1:${PORT + 3}/`;
const CALLBACK = `${API}/auth/oidc/acme/callback`;

/** The page: a link to sign in by, and what came of it. */
const HTML = `<!doctype html><title>page</title><button>Sign in</button><pre></pre><script>
const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=/g, "");
const shown = document.querySelector("pre");
document.querySelector("button").onclick = async () => {
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
  sessionStorage.setItem("verifier", verifier);
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const query = new URLSearchParams({ redirect: "${PAGE}", code_challenge: base64url(new Uint8Array(hash)) });
  location.href = "${API}/auth/oidc/acme?" + query;
};
const given = new URL(location.href).searchParams;
if (given.has("error")) shown.textContent = given.get("error_description");
if (given.has("code")) {
  const body = JSON.stringify({ code: given.get("code"), verifier: sessionStorage.getItem("verifier") });
  const headers = { "Content-Type": "application/json" };
  const token = sessionStorage.getItem("link");
  const call = token
    ? fetch("${API}/auth/identities/acme", { method: "POST", headers: { ...headers, Authorization: "Bearer " + token }, body })
    : fetch("${API}/auth/oidc/exchange", { method: "POST", headers, body });
  call.then((answer) => answer.json()).then((answer) => { shown.textContent = JSON.stringify(answer); });
}
</script>`;

/** What the page shows once it is back. */
async function shown(page: Page): Promise<string> {
  await page.waitForFunction(() => document.querySelector("pre")?.textContent);
  return (await page.locator("pre").textContent()) ?? "";
}

async function atProvider(page: Page, name: string): Promise<void> {
  await page.fill("[name=login]", name);
  await page.fill("[name=password]", "anything");
  await page.click("[type=submit]");
  await page.click("[type=submit]:has-text('Continue')");
}

/** From the page to the provider, and back as `name`. */
async function signIn(page: Page, name: string): Promise<string> {
  await page.goto(PAGE);
  await page.click("button");
  await atProvider(page, name);
  return shown(page);
}

/** A browser that nobody is signed in to anywhere. */
async function fresh<T>(browser: Browser, work: (page: Page, context: BrowserContext) => Promise<T>): Promise<T> {
  const context = await browser.newContext();
  try {
    return await work(await context.newPage(), context);
  } finally {
    await context.close();
  }
}

async function runChecks(browser: Browser, server: Server): Promise<void> {
  let zoe = 0;

  await check("somebody new is signed in, under the name and email that the provider tells", async () => {
    const { user, token } = JSON.parse(await fresh(browser, (page) => signIn(page, "zoe")));
    zoe = user.id;
    assert.equal(user.username, "zoe");
    assert.equal(user.email, "zoe@example.org");
    assert.equal(user.emailVerified, true);
    assert.equal((await server.call("/auth/me", { token })).body.id, zoe);
  });

  await check("they come back to the same account; what was used is refused, in words", async () => {
    await fresh(browser, async (page) => {
      const addresses: string[] = [];
      page.on("request", (request) => void addresses.push(request.url()));
      assert.equal(JSON.parse(await signIn(page, "zoe")).user.id, zoe);
      const replayed = addresses.find((url) => url.startsWith(CALLBACK));
      await page.goto(replayed ?? "");
      assert.match((await page.textContent("body")) ?? "", /was finished already/);
      const used = addresses.find((url) => url.startsWith(`${PAGE}?code=`));
      await page.goto(used ?? "");
      assert.match(await shown(page), /was used already/);
    });
  });

  await check("who cancels at the provider is told so on the page", async () => {
    await fresh(browser, async (page) => {
      await page.goto(PAGE);
      await page.click("button");
      await page.click("text=Cancel");
      assert.equal(await shown(page), "The sign-in was cancelled.");
    });
  });

  await check("an answer with a state that began in another browser signs nobody in", async () => {
    const query = new URLSearchParams({ redirect: PAGE, code_challenge: "x".repeat(43) });
    const { headers } = await fetch(`${API}/auth/oidc/acme?${query}`, { redirect: "manual" });
    const state = new URL(headers.get("location") ?? "").searchParams.get("state");
    await fresh(browser, async (page) => {
      await page.goto(`${CALLBACK}?code=stolen&state=${state}&iss=${encodeURIComponent(provider.issuer)}`);
      assert.match((await page.textContent("body")) ?? "", /began in another browser/);
    });
  });

  await check("a page that may not use the API is sent nobody", async () => {
    const query = new URLSearchParams({ redirect: "https://evil.example.com/", code_challenge: "x".repeat(43) });
    const answer = await fetch(`${API}/auth/oidc/acme?${query}`, { redirect: "manual" });
    assert.equal(answer.status, 400);
    assert.equal(answer.headers.get("location"), null);
    await answer.body?.cancel();
  });

  await check("an email that the provider has not verified opens nobody's account", async () => {
    assert.match(await fresh(browser, (page) => signIn(page, "unverified-zoe")), /There is an account with this email/);
  });

  await check("a signed-in user links the provider, and is let in by it from then on", async () => {
    const account = { username: "local", email: "local@example.com", password: "correct horse" };
    const { body } = await server.call("/auth/register", { method: "POST", body: account });
    const linked = await fresh(browser, async (page) => {
      await page.goto(PAGE);
      await page.evaluate((token) => sessionStorage.setItem("link", token), String(body.token));
      return signIn(page, "linked");
    });
    assert.equal(JSON.parse(linked).identities[0].provider, "acme");
    assert.equal(JSON.parse(await fresh(browser, (page) => signIn(page, "linked"))).user.id, body.user.id);
  });

  const own = `${server.origin}/account`;
  /** From the account's own page to the provider, and back as `name`. */
  const comeByAccount = async (page: Page, name: string) => {
    await page.goto(own);
    await page.click("text=Sign in with Acme");
    await atProvider(page, name);
  };
  const told = async (page: Page, words: RegExp) => {
    await page.locator(".gate .problem", { hasText: words }).waitFor({ timeout: 10_000 });
    assert.equal(new URL(page.url()).search, "");
  };

  await check("the account's own pages sign in by the provider; what was used there is refused in words", async () => {
    await fresh(browser, async (page) => {
      const addresses: string[] = [];
      page.on("request", (request) => void addresses.push(request.url()));
      await comeByAccount(page, "zoe");
      await page.locator("h1", { hasText: "Account" }).waitFor();
      await page.locator(".bar .account", { hasText: "Real zoe" }).waitFor();
      await page.goto(addresses.find((url) => url.startsWith(CALLBACK)) ?? "");
      await told(page, /was finished already/);
      await page.goto(addresses.find((url) => url.startsWith(`${own}/provider?code=`)) ?? "");
      await told(page, /is over already/);
      const left = { name: "acme", verifier: "x".repeat(43), isLink: false, from: own };
      await page.evaluate((kept) => sessionStorage.setItem("roomcast.provider", JSON.stringify(kept)), left);
      await page.goto(addresses.find((url) => url.startsWith(`${own}/provider?code=`)) ?? "");
      await told(page, /was used already/);
    });
  });

  await check("and say why of a foreign state, a foreign page, and an email that is another's", async () => {
    await fresh(browser, async (page) => {
      const query = new URLSearchParams({ redirect: PAGE, code_challenge: "x".repeat(43) });
      const { headers } = await fetch(`${API}/auth/oidc/acme?${query}`, { redirect: "manual" });
      const state = new URL(headers.get("location") ?? "").searchParams.get("state");
      await page.goto(`${CALLBACK}?code=stolen&state=${state}&iss=${encodeURIComponent(provider.issuer)}`);
      await told(page, /began in another browser/);
      query.set("redirect", "https://evil.example.com/");
      await page.goto(`${API}/auth/oidc/acme?${query}`);
      await told(page, /must be a page of ALLOWED_ORIGINS/);
      await comeByAccount(page, "unverified-zoe");
      await told(page, /There is an account with this email/);
    });
  });
}

if (!isChromiumHere()) {
  console.log("skipped: there is no Chromium here (apt-get install chromium, or set CHROMIUM to its path)");
  process.exit(0);
}
const provider = await openProvider(PORT + 2, `http://127.0.0.1:${PORT}`);
const page = await listen(PORT + 3, (_, response) => void response.setHeader("Content-Type", "text/html").end(HTML));
const server = await startServer(PORT, { OIDC_PROVIDERS: provider.setting });
try {
  const browser = await launch();
  try {
    await runChecks(browser, server);
  } finally {
    await browser.close();
  }
} finally {
  await server.stop();
  for (const each of [provider, page]) each.close();
}
finish();
