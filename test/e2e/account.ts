/**
 * The account's pages in a real browser, with the mail that the server kept: `node test/e2e/account.ts`. Takes half a minute.
 */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { Browser } from "playwright-core";
import { makeVapidKeys } from "../../scripts/vapid-keys.ts";
import { isChromiumHere, launch } from "./browser.ts";
import { check, finish } from "./checks.ts";
import { Server } from "./restartable-server.ts";
import { Watcher } from "./watcher.ts";

const PORT = Number(process.env.PORT ?? 8896);
const EMAIL = "ann@example.com";
const FIRST = "correct horse";
const SECOND = "battery staple";

/** The link in the newest mail for her that has one to the page, once it is there. */
async function mailedLink(page: "verify" | "reset"): Promise<string> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const answer = await fetch(`${server.origin}/dev/mail`, { headers: { Accept: "application/json" } });
    const { mails }: { mails: { to: string; text: string }[] } = JSON.parse(await answer.text());
    const pattern = new RegExp(`${server.origin}/account/${page}#token=\\S+`);
    const link = mails.filter(({ to }) => to === EMAIL).flatMap(({ text }) => pattern.exec(text)?.[0] ?? [])[0];
    if (link) return link;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`No mail with a link to /account/${page} came.`);
}

async function signIn({ page }: Watcher, password: string): Promise<void> {
  await page.fill("[name=username]", "ann");
  await page.fill("[name=password]", password);
  await page.keyboard.press("Enter");
}

/** A subscription as a browser's push service gives it. */
async function subscriptionAt(endpoint: string) {
  const pair = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]);
  const point = Buffer.from(await crypto.subtle.exportKey("raw", pair.publicKey));
  const auth = Buffer.from(crypto.getRandomValues(new Uint8Array(16)));
  return { endpoint, keys: { p256dh: point.toString("base64url"), auth: auth.toString("base64url") } };
}

/** In the page: a push service of this test's in the place of the browser's own, which a headless one has none of. */
function playPushManager(given: Awaited<ReturnType<typeof subscriptionAt>>): void {
  const kept = "test.subscribed";
  const subscription = {
    toJSON: () => given,
    unsubscribe: async () => {
      localStorage.removeItem(kept);
      return true;
    },
  };
  Object.assign(PushManager.prototype, {
    subscribe: async () => {
      localStorage.setItem(kept, "yes");
      return subscription;
    },
    getSubscription: async () => (localStorage.getItem(kept) ? subscription : null),
  });
}

/** Paths that the server pushed to within a second of `act`. */
async function pushedAfter(act: () => Promise<void>): Promise<string[]> {
  const paths: string[] = [];
  let heard = () => {};
  const first = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const service = createServer((request, response) => {
    paths.push(request.url ?? "");
    request.resume();
    response.writeHead(201).end(heard);
  });
  await new Promise<void>((resolve) => service.listen(PORT + 1, "127.0.0.1", resolve));
  await act();
  await Promise.race([first, new Promise((resolve) => setTimeout(resolve, 1000))]);
  service.close();
  return paths;
}

async function writeTo(username: string): Promise<void> {
  const { token } = await server.mintUser();
  const answer = await fetch(`${server.origin}/api/v1/messages`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ receiverId: `@${username}`, content: "hello" }),
  });
  assert.equal(answer.status, 201);
}

async function run(browser: Browser): Promise<void> {
  const { origin } = server;
  const ann = await Watcher.open(browser, `${origin}/live`);
  const { page } = ann;
  const other = await Watcher.open(browser, `${origin}/account`);
  const heading = (text: string) => page.locator("h1", { hasText: text }).waitFor();

  await check("she makes an account by the keyboard, by way of the sign-in of another page", async () => {
    await page.click("#sign-in");
    await page.click("dialog >> text=Make an account");
    await page.locator("[name=username]:focus").waitFor();
    for (const text of ["ann", EMAIL, FIRST]) {
      await page.keyboard.type(text);
      await page.keyboard.press("Tab");
    }
    await page.keyboard.press("Enter");
    await heading("Welcome, ann");
  });

  await check("the settings say that her email is not verified, until she follows the mailed link", async () => {
    await page.click("main >> text=Account settings");
    await page.locator(".address .badge", { hasText: "Not verified" }).waitFor();
    const link = await mailedLink("verify");
    await page.goto(link);
    await heading("Your email is verified");
    assert.doesNotMatch(page.url(), /token/);
    await page.goto(link);
    await heading("Your email is not verified");
    await page.goto(`${origin}/account`);
    await page.locator(".address .badge.good").waitFor();
  });

  await check("her profile is kept, and what is wrong with it is said at its field", async () => {
    await page.fill("[name=displayName]", "Ann Bee");
    await page.fill("[name=phone]", "what");
    await page.click("text=Save");
    await page.locator("label .problem", { hasText: "phone number" }).waitFor();
    await page.fill("[name=phone]", "+1 555 0100");
    await page.click("text=Save");
    await page.locator(".notices", { hasText: "Saved." }).waitFor();
    await page.reload();
    await page.locator(".bar .account", { hasText: "Ann Bee" }).waitFor();
    assert.equal(await page.inputValue("[name=phone]"), "+1 555 0100");
  });

  await check("a forgotten password is set anew by the mailed link, which works once", async () => {
    const forgetful = other.page;
    await forgetful.click("text=Forgotten your password?");
    await forgetful.fill("[name=email]", EMAIL);
    await forgetful.keyboard.press("Enter");
    await forgetful.locator("h1", { hasText: "Look into your mail" }).waitFor();
    const link = await mailedLink("reset");
    await forgetful.goto(link);
    await forgetful.fill("[name=password]", SECOND);
    await forgetful.fill("[name=again]", `${SECOND}!`);
    await forgetful.keyboard.press("Enter");
    await forgetful.locator("label .problem", { hasText: "Is not the same" }).waitFor();
    await forgetful.fill("[name=again]", SECOND);
    await forgetful.keyboard.press("Enter");
    await forgetful.locator("h1", { hasText: "Your password is changed" }).waitFor();
    assert.doesNotMatch(forgetful.url(), /token/);
    await signIn(other, SECOND);
    await forgetful.locator("h1", { hasText: "You are signed in" }).waitFor();
    await forgetful.goto(link);
    await forgetful.fill("[name=password]", FIRST);
    await forgetful.fill("[name=again]", FIRST);
    await forgetful.keyboard.press("Enter");
    await forgetful.locator("h1", { hasText: "of no use any more" }).waitFor();
  });

  await check(
    "the session from before has ended; the old password is refused in words, the new one is good",
    async () => {
      await page.reload();
      await page.locator(".notices", { hasText: "Your session has ended." }).waitFor();
      await signIn(ann, FIRST);
      await page.locator(".form .problem", { hasText: /\w/ }).waitFor();
      await signIn(ann, SECOND);
      await page.locator("h1", { hasText: "Account" }).waitFor();
    },
  );

  await check(
    "she has this browser notified while no page is open, in the hours that she likes, until she says no",
    async () => {
      await page.context().grantPermissions(["notifications"], { origin });
      await page.addInitScript(playPushManager, await subscriptionAt(`http://127.0.0.1:${PORT + 1}/ann`));
      await page.goto(`${origin}/account`);
      await page.click("text=Switch on in this browser");
      await page.locator(".push .badge.good", { hasText: "On" }).waitFor();
      await page.fill("[name=from]", "22:00");
      await page.fill("[name=to]", "22:00");
      await page.click("section:has-text('Quiet from') >> text=Save");
      await page.locator(".notices", { hasText: "Saved." }).waitFor();
      const renewed = page.waitForResponse((response) => response.url().endsWith("/push/subscriptions"));
      await page.reload();
      await renewed;
      assert.equal(await page.inputValue("[name=from]"), "22:00");
      assert.deepEqual(await pushedAfter(() => writeTo("ann")), ["/ann"]);
      await page.click("text=Switch off in this browser");
      await page.locator(".push .badge", { hasText: "Off" }).waitFor();
      assert.deepEqual(server.query("d1", "SELECT id FROM push_subscriptions"), []);
    },
  );

  await check("she ends the other session, and it is out", async () => {
    await page.locator(".things li", { hasText: "This one" }).waitFor();
    await page.locator(".things button", { hasText: "End" }).click();
    await page.locator(".notices", { hasText: "The session has ended." }).waitFor();
    await page.locator(".things button", { hasText: "End" }).waitFor({ state: "detached" });
    await other.page.goto(`${origin}/account`);
    await other.page.locator("h1", { hasText: "Sign in" }).waitFor();
  });

  await check("she takes her data along, once a day", async () => {
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=Download my data")]);
    assert.equal(download.suggestedFilename(), "account.json");
    await page.click("text=Download my data");
    await page.locator(".notices .bad", { hasText: /Try again in \d+ hours/ }).waitFor();
  });

  await check("everything fits a phone", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const path of ["", "/sign-up", "/forgot", "/reset#token=x", "/verify", "/provider"]) {
      await page.goto(`${origin}/account${path}`);
      await page.locator("h1").waitFor();
      const spare = await page.evaluate(() => innerWidth - document.documentElement.scrollWidth);
      assert.ok(spare >= 0, `${path} is ${-spare} px too wide`);
    }
  });

  await check("no fault but the refusals that were asked for, and no token is sent in an address", async () => {
    for (const { faults, requestUrls } of [ann, other]) {
      assert.deepEqual(
        faults.filter((text) => !/status of 4\d\d/.test(text)),
        [],
      );
      for (const url of requestUrls) assert.doesNotMatch(new URL(url).search, /token|eyJ/);
    }
  });
}

if (!isChromiumHere()) {
  console.log("skipped: there is no Chromium here (apt-get install chromium, or set CHROMIUM to its path)");
  process.exit(0);
}
const server = new Server(PORT, {
  PUBLIC_URL: `http://127.0.0.1:${PORT}`,
  MAIL_TRANSPORT: "local",
  ...makeVapidKeys(),
});
try {
  await server.start();
  const browser = await launch();
  try {
    await run(browser);
  } finally {
    await browser.close();
  }
} finally {
  await server.close();
}
finish();
