/**
 * `npm run test:packed`: an empty folder, `npm create vite`, the packed packages, and the lines of packages/react/README.md as its
 * App.tsx: two browsers talk, are a minute without a network (`-- --seconds 60`), and sleep. Needs the package registry.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import { option, root } from "../../scripts/tools.ts";
import { packPackages } from "../packages/pack.ts";
import { isChromiumHere, launch } from "./browser.ts";
import { check, finish } from "./checks.ts";
import { freeze, wake } from "./lifecycle.ts";
import { startServer } from "./server.ts";

const port = Number(option(process.argv, "port") ?? "8930");
const offlineSeconds = Number(option(process.argv, "seconds") ?? "60");
const APP = `http://localhost:${port + 5}`;
const NAMES = ["demo", "friend"] as const;
const FIVE = [1, 2, 3, 4, 5];

if (!isChromiumHere()) {
  console.log("skipped: there is no Chromium here (apt-get install chromium, or set CHROMIUM to its path)");
  process.exit(0);
}

/** As its reader would make it. @returns its folder */
function makeApp(folder: string, serviceUrl: string): string {
  const npm = (cwd: string, ...args: string[]) =>
    execFileSync("npm", args, { cwd, stdio: ["ignore", "ignore", "inherit"] });
  const app = join(folder, "app");
  npm(folder, "create", "--yes", "vite@latest", "app", "--", "--template", "react-ts", "--no-interactive");
  const tarballs = packPackages(folder);
  const packages = ["@roomcast/client", "@roomcast/react"].map((name) => tarballs[name] ?? "");
  npm(app, "install", "--no-audit", "--no-fund", ...packages);
  const readme = readFileSync(join(root, "packages/react/README.md"), "utf8");
  const [, code = ""] = /```tsx\n([\s\S]*?)```/.exec(readme) ?? [];
  assert.match(code, /http:\/\/localhost:8787/);
  writeFileSync(join(app, "src/App.tsx"), code.replace("http://localhost:8787", serviceUrl));
  // The template's own: the compiler, strictly, then Vite.
  npm(app, "run", "build");
  return app;
}

async function serveApp(app: string) {
  const args = [
    "node_modules/vite/bin/vite.js",
    "preview",
    "--host",
    "127.0.0.1",
    "--strictPort",
    "--port",
    String(port + 5),
  ];
  const preview = spawn(process.execPath, args, { cwd: app, stdio: ["ignore", "pipe", "inherit"] });
  await once(preview.stdout, "data");
  return async () => {
    const ended = once(preview, "exit");
    preview.kill();
    await ended;
  };
}

async function open(browser: Browser, name: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => assert.fail(error));
  await page.goto(`${APP}/#${name}`);
  await page.locator("[name=words]").waitFor();
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.locator("[name=words]").pressSequentially(text);
  await page.keyboard.press("Enter");
  await page.locator("p", { hasText: text }).waitFor();
}

const lines = (page: Page, about: string): Promise<string[]> => page.locator("p", { hasText: about }).allTextContents();

async function run(browser: Browser): Promise<void> {
  const [demo, friend] = [await open(browser, "demo"), await open(browser, "friend")];
  const both = [demo, friend];

  await check("two browsers talk, and see each other type", async () => {
    await say(demo, "Hello there");
    await friend.locator("p", { hasText: "demo Hello there sent" }).waitFor();
    await friend.locator("[name=words]").pressSequentially("Good ");
    await demo.locator("p", { hasText: "friend is typing" }).waitFor();
    await friend.locator("[name=words]").pressSequentially("evening");
    await friend.keyboard.press("Enter");
    await demo.locator("p", { hasText: "friend Good evening sent" }).waitFor();
  });

  await check(
    `${offlineSeconds} s without a network, five messages each: all there once, in one order, sent`,
    async () => {
      for (const page of both) await page.context().setOffline(true);
      for (const number of FIVE) {
        for (const [at, page] of both.entries()) await say(page, `${NAMES[at]} offline ${number}`);
      }
      for (const page of both) {
        assert.ok((await lines(page, "offline")).every((line) => line.endsWith("sending")));
        assert.equal((await lines(page, "offline")).length, FIVE.length);
      }
      await sleep(offlineSeconds * 1000);
      for (const page of both) await page.context().setOffline(false);
      for (const page of both) {
        await page.waitForFunction(
          (count) =>
            [...document.querySelectorAll("p")].filter((one) => /offline \d sent$/.test(one.innerText)).length ===
            count,
          2 * FIVE.length,
        );
      }
      const [one = [], other = []] = await Promise.all(both.map((page) => lines(page, "offline")));
      assert.deepEqual(one, other);
      for (const name of NAMES) {
        const own = FIVE.map((number) => `${name} ${name} offline ${number} sent`);
        assert.deepEqual(
          one.filter((line) => line.startsWith(name)),
          own,
        );
      }
    },
  );

  await check("a tab that slept is up to date within a second of waking", async () => {
    await freeze(demo);
    await say(friend, "while you slept");
    const wokenAt = performance.now();
    await wake(demo);
    await demo.locator("p", { hasText: "friend while you slept sent" }).waitFor();
    const tookMs = performance.now() - wokenAt;
    assert.ok(tookMs < 1000, `it took ${tookMs} ms`);
  });
}

const folder = mkdtempSync(join(tmpdir(), "roomcast-packed-"));
const server = await startServer(port);
const browser = await launch();
try {
  for (const username of NAMES) {
    const body = { username, email: `${username}@example.com`, password: "demo-password" };
    const answer = await server.call("/auth/register", { method: "POST", body });
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
  }
  const stop = await serveApp(makeApp(folder, server.origin));
  try {
    await run(browser);
  } finally {
    await stop();
  }
} finally {
  await browser.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
finish();
