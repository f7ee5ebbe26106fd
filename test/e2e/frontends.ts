/**
 * `npm run test:frontends`: the four products' clients of examples/frontends as they are written, against a real server; two of
 * them in Debian's chromium, from an origin of their own. The messenger's stays for three minutes, `-- --seconds N` for N.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs, promisify } from "node:util";
import { SignJWT } from "jose";
import type { Browser, Page } from "playwright-core";
import { root } from "../../scripts/tools.ts";
import { isChromiumHere, launch } from "./browser.ts";
import { check, finish } from "./checks.ts";
import { type Server, startServer } from "./server.ts";

const PORT = Number(process.env.PORT ?? 8895);
const PAGES = `http://localhost:${PORT + 5}`;
const SHARED_SECRET = "the-secret-of-the-backend-that-exists-already";
const WEBHOOK_SECRET = "end-to-end-secret-of-the-media-server";
const FOLDER = join(root, "examples/frontends");
const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };
const { values } = parseArgs({ options: { seconds: { type: "string" }, pictures: { type: "string" } } });
const seconds = Number(values.seconds ?? 180);
const run = promisify(execFile);

/** The products' own web servers: another origin than Roomcast's. */
function servePages() {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", PAGES);
    const file =
      pathname === "/socket.io.js"
        ? join(root, "node_modules/socket.io-client/dist/socket.io.min.js")
        : join(FOLDER, pathname);
    if (!file.startsWith(root) || !existsSync(file)) return void response.writeHead(404).end();
    response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" });
    createReadStream(file).pipe(response);
  });
  return server.listen(PORT + 5, "127.0.0.1");
}

/** As the product's backend signs them. */
const backendToken = (sub: string) =>
  new SignJWT({ sub, exp: Math.floor(Date.now() / 1000) + 3600 })
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(SHARED_SECRET));

async function register(server: Server, username: string): Promise<{ id: number; token: string }> {
  const body = { username, email: `${username}@example.com`, password: "correct horse" };
  const answer = await server.call("/auth/register", { method: "POST", body });
  return { id: answer.body.user.id, token: answer.body.token };
}

async function open(browser: Browser, path: string, query: Record<string, string>): Promise<Page> {
  const page = await (await browser.newContext({ acceptDownloads: true })).newPage();
  page.on("pageerror", (error) => assert.fail(error));
  await page.goto(`${PAGES}/${path}/index.html?${new URLSearchParams(query)}`);
  return page;
}

async function look(page: Page, name: string): Promise<void> {
  if (values.pictures) await page.screenshot({ path: join(values.pictures, `${name}.png`), fullPage: true });
}

async function messenger(browser: Browser, server: Server): Promise<void> {
  const api = server.origin.replace("http", "ws");
  const enter = async (user: string, room = "r1") =>
    open(browser, "messenger", { api, room, user, token: await backendToken(user) });
  const [one, two] = [await enter("u1"), await enter("u2")];
  const say = async (page: Page, text: string) => {
    await page.fill("[name=content]", text);
    await page.keyboard.press("Enter");
  };
  await check("messenger: a room and users of the product's own ids, made by coming in", async () => {
    for (const page of [one, two]) await page.locator("#status", { hasText: "connected" }).waitFor();
    await say(one, "hello from u1");
    for (const page of [one, two]) await page.locator("li", { hasText: "hello from u1" }).waitFor();
  });
  await check("messenger: typing names its user, a reaction its message", async () => {
    await two.locator("[name=content]").pressSequentially("hm");
    await one.locator("#typing", { hasText: "is typing" }).waitFor();
    await two.locator("li", { hasText: "hello from u1" }).locator("button").click();
    for (const page of [one, two]) await page.locator("li output", { hasText: "1" }).waitFor();
    await two.fill("[name=content]", "");
  });
  await check("messenger: its list of rooms tells, without polling, what is said where it is not", async () => {
    const [visit, elsewhere] = [await enter("u1", "r2"), await enter("u2", "r2")];
    for (const page of [visit, elsewhere]) await page.locator("#status", { hasText: "connected" }).waitFor();
    await visit.close();
    await say(elsewhere, "over here");
    await one.locator("#rooms li", { hasText: "r2: over here (1)" }).waitFor();
    await elsewhere.close();
  });
  await check(
    `messenger: is there after ${seconds} seconds in which it said nothing and answered no ping`,
    async () => {
      await sleep(seconds * 1000);
      for (const page of [one, two]) assert.equal(await page.locator("#status").innerText(), "connected");
      await say(two, "still here");
      for (const page of [one, two]) await page.locator("li", { hasText: "still here" }).waitFor();
    },
  );
  await look(one, "messenger");
}

async function learning(browser: Browser, server: Server): Promise<void> {
  const [ann, bob] = [await register(server, "ann"), await register(server, "bob")];
  const enter = (user: { id: number; token: string }, peer: { id: number }) =>
    open(browser, "lms", { api: server.origin, user: String(user.id), peer: String(peer.id), token: user.token });
  const [one, two] = [await enter(ann, bob), await enter(bob, ann)];
  await check("learning: a course that nobody made, joined before the connection stood", async () => {
    await two.fill("[name=message]", "good morning");
    await one.locator("#typing", { hasText: "bob is typing" }).waitFor();
    await two.keyboard.press("Enter");
    for (const page of [one, two]) await page.locator("li", { hasText: "bob: good morning" }).waitFor();
    const body = { message: "by curl" };
    const answer = await server.call("/chat/courses/course-id/messages", { method: "POST", token: ann.token, body });
    assert.equal(answer.status, 201);
    await two.locator("li", { hasText: "ann: by curl" }).waitFor();
  });
  await check("learning: a call by a name, to a user named by text", async () => {
    await one.click("#call");
    await two.locator("#state", { hasText: "hello from your peer" }).waitFor();
  });
  await check("learning: an uploaded image shows in <img>, and downloads by a plain link", async () => {
    const png = Buffer.from(
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
      "base64",
    );
    await one.setInputFiles("[name=file]", { name: "avatar.png", mimeType: "image/png", buffer: png });
    const image = one.locator("img");
    await image.waitFor();
    await one.waitForFunction(() => (document.querySelector("img")?.naturalWidth ?? 0) > 0);
    assert.match((await image.getAttribute("src")) ?? "", /\/files\/view\/lesson-materials\/avatar\.png$/);
    const [download] = await Promise.all([one.waitForEvent("download"), one.click("#files a")]);
    assert.equal(download.suggestedFilename(), "avatar.png");
  });
  await look(one, "lms");
}

async function social(server: Server): Promise<void> {
  await check("short videos: own keys, a backend's token, seen, and what was queued while away", async () => {
    const { stdout } = await run(process.execPath, [
      join(FOLDER, "social/client.js"),
      server.origin,
      await backendToken("lan-of-the-app"),
    ]);
    assert.match(stdout, /^Mai with \/avatars\/mai\.png/m);
    assert.match(stdout, /^received: hello$/m);
    assert.match(stdout, /^seen: 1 message$/m);
    assert.match(stdout, /^queued: while you were away$/m);
  });
}

async function livestream(server: Server): Promise<void> {
  await check("livestream: hooks, a chat without a join, recordings with filters", async () => {
    const { token } = await register(server, "host");
    const client = join(FOLDER, "livestream/client.js");
    const { stdout } = await run(process.execPath, [client, server.origin, token, WEBHOOK_SECRET]);
    assert.deepEqual(stdout.trim().split("\n"), [
      "status: live",
      "heard: Good evening",
      "status: ended",
      "recordings: 0",
    ]);
  });
}

const server = await startServer(PORT, {
  JWT_SHARED_SECRET: SHARED_SECRET,
  WEBHOOK_SECRET,
  FILES_DEFAULT_VISIBILITY: "public",
});
const pages = servePages();
try {
  await social(server);
  await livestream(server);
  if (isChromiumHere()) {
    const browser = await launch();
    try {
      await learning(browser, server);
      await messenger(browser, server);
    } finally {
      await browser.close();
    }
  } else console.warn("Debian's chromium is not here: the messenger and the learning product were not tried.");
} finally {
  pages.close();
  pages.closeAllConnections();
  await once(pages, "close").catch(() => undefined);
  await server.stop();
}
finish();
