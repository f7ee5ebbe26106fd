/**
 * `npm run test:backend`: examples/existing-backend as its README starts it, in a real browser: its customer asks in a room, the
 * shop hears of it by a signed call, and publishes an answer that the page shows. `-- --port 8920 --screenshots DIR`.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { Webhook } from "standardwebhooks";
import { option, root } from "../../scripts/tools.ts";
import { isChromiumHere, launch } from "./browser.ts";
import { check, finish } from "./checks.ts";
import { type Server, startServer } from "./server.ts";

const port = Number(option(process.argv, "port") ?? "8920");
const shots = option(process.argv, "screenshots");
const FOLDER = join(root, "examples/existing-backend");
const SHOP = `http://localhost:${port + 5}`;
const ADMIN = { username: "demo", password: "demo-password" };

if (!isChromiumHere()) {
  console.log("skipped: there is no Chromium here (apt-get install chromium, or set CHROMIUM to its path)");
  process.exit(0);
}

/** The key and the endpoint, as `npm run connect` prints them. */
function connect({ origin }: Server): Record<string, string> {
  const args = ["connect.ts", "--url", origin, "--shop", SHOP];
  const printed = execFileSync(process.execPath, args, { cwd: FOLDER, encoding: "utf8" });
  return Object.fromEntries(
    printed
      .trim()
      .split("\n")
      .map((line) => line.split(/=(.*)/).slice(0, 2)),
  );
}

let shop: ChildProcess | undefined;

async function openShop(settings: Record<string, string>): Promise<void> {
  const env = { ...process.env, ...settings, PORT: String(port + 5) };
  const child = spawn(process.execPath, ["--no-warnings", "server.ts"], {
    cwd: FOLDER,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  shop = child;
  await once(child.stdout, "data");
}

async function closeShop(): Promise<void> {
  if (!shop) return;
  const ended = once(shop, "exit");
  shop.kill();
  await ended;
  shop = undefined;
}

async function signIn(browser: Browser, email: string): Promise<Page> {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  page.on("pageerror", (error) => assert.fail(error));
  await page.goto(SHOP);
  await page.fill("[name=email]", email);
  await shoot(page, "sign-in");
  await page.click("#sign-in [type=submit]");
  await page.locator("#status.open").waitFor();
  return page;
}

async function ask(page: Page, question: string): Promise<void> {
  await page.fill("[name=question]", question);
  await page.keyboard.press("Enter");
  await page.locator("#talk .customer", { hasText: question }).last().waitFor();
}

const talk = (page: Page): Promise<string[]> => page.locator("#talk li").allTextContents();

/** As wide as a desk and as a phone, light and dark. */
async function shoot(page: Page, name: string): Promise<void> {
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    for (const colorScheme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(shots, `backend-${name}-${width}-${colorScheme}.png`) });
    }
  }
}

async function run(browser: Browser, settings: Record<string, string>): Promise<void> {
  const secret = settings.ROOMCAST_SECRET ?? "";
  await openShop(settings);
  const QUESTION = "Where is my order 1041?";
  const ANSWER = "Your Boston fern (order 1041) is on its way, with you on Thursday.";

  await check("what it adds has less than 100 lines", async () => {
    const added = ["realtime.ts", "page/help.ts"].map((file) => readFileSync(join(FOLDER, file), "utf8"));
    assert.ok(added.join("").trimEnd().split("\n").length < 100);
  });

  const ann = await signIn(browser, "ann@example.com");
  await check("a customer of the shop asks, and sees the shop's answer", async () => {
    await shoot(ann, "empty");
    await ask(ann, QUESTION);
    await ann.locator("#talk .shop", { hasText: ANSWER }).waitFor();
    await ask(ann, "Do you have pots & soil?");
    await ann.locator("#talk .shop", { hasText: "Thank you, Ann" }).waitFor();
    await shoot(ann, "answered");
  });

  await check("the answer is there after a reload and in another tab, once, and nobody else's", async () => {
    const before = await talk(ann);
    assert.equal(before.length, 4);
    const other = await ann.context().newPage();
    await other.goto(SHOP);
    await ann.reload();
    for (const page of [ann, other]) {
      await page.locator("#talk li").nth(3).waitFor();
      assert.deepEqual(await talk(page), before);
    }
    await other.close();
    const bo = await signIn(browser, "bo@example.com");
    await ask(bo, QUESTION);
    await bo.locator("#talk .shop", { hasText: "Thank you, Bo" }).waitFor();
    assert.equal((await talk(bo)).length, 2);
    await bo.context().close();
    assert.deepEqual(await talk(ann), before);
  });

  await check("a call that Roomcast did not sign is refused; one that comes twice is answered once", async () => {
    const before = await talk(ann);
    const body = JSON.stringify(await lastCall());
    const tell = (by: string) => {
      const at = new Date();
      const signature = new Webhook(by).sign("again", at, body);
      const signed = { "webhook-id": "again", "webhook-timestamp": String(Math.floor(at.getTime() / 1000)) };
      const headers = { "Content-Type": "application/json", ...signed, "webhook-signature": signature };
      return fetch(`${SHOP}/roomcast`, { method: "POST", headers, body });
    };
    assert.equal((await tell(`whsec_${Buffer.alloc(32, 1).toString("base64")}`)).status, 401);
    assert.equal((await tell(secret)).status, 204);
    await ask(ann, "Hello?");
    await ann.locator("#talk .shop").nth(2).waitFor();
    assert.equal((await talk(ann)).length, before.length + 2);
  });

  await check("what is asked while the shop is closed is answered when it is open again", async () => {
    await closeShop();
    await ask(ann, "And the watering can?");
    await openShop(settings);
    await ann.locator("#talk .shop", { hasText: "Your Watering can (order 1038) is delivered." }).waitFor();
  });

  await check("the docs say what the shop is told", async () => {
    const page = await ann.context().newPage();
    await page.goto(`${server.origin}/docs#webhook-room.message_sent`);
    await page.locator("#webhooks table", { hasText: "externalIds" }).waitFor();
    await shoot(page, "docs");
    await page.close();
  });

  await check("nothing is wider than a phone", async () => {
    await ann.setViewportSize({ width: 390, height: 844 });
    const spare = await ann.evaluate(() => innerWidth - document.documentElement.scrollWidth);
    assert.ok(spare >= 0, `${-spare} px too wide`);
  });

  /** What Roomcast told the shop of the newest message, as its admin sees it. */
  async function lastCall(): Promise<unknown> {
    const { token } = (await server.call("/auth/login", { method: "POST", body: ADMIN })).body;
    const { webhooks } = (await server.call("/admin/webhooks", { token })).body;
    const { deliveries } = (await server.call(`/admin/webhooks/${webhooks[0].id}/deliveries`, { token })).body;
    return deliveries[0].body;
  }
}

execFileSync("npm", ["run", "--silent", "build:packages"], { cwd: root, stdio: "inherit" });
execFileSync("npm", ["run", "--silent", "build"], { cwd: FOLDER, stdio: "inherit" });
const folder = mkdtempSync(join(tmpdir(), "roomcast-shop-"));
const server = await startServer(port);
const browser = await launch();
try {
  await server.call("/auth/register", { method: "POST", body: { ...ADMIN, email: "demo@example.com" } });
  server.sql("UPDATE users SET role = 'admin' WHERE username = 'demo';");
  await run(browser, { ...connect(server), SHOP_DATABASE: join(folder, "shop.sqlite") });
} finally {
  await closeShop();
  await browser.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
finish();
