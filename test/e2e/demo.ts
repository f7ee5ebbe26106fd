/**
 * `[SCREENSHOTS=DIR] npm run test:demo`: the demo world is made in a server of its own, twice; the second time adds nothing.
 * With a Chromium its pages are looked at, too.
 */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { PASSWORD } from "../../scripts/demo/people.ts";
import { makeDemo } from "../../scripts/demo.ts";
import { positionals } from "../../scripts/tools.ts";
import { isChromiumHere, launch } from "./browser.ts";
import { databaseFile, type Server, startServer } from "./server.ts";

const PORT = 8976;
const SECRET = "demo-only-secret-of-media-servers";
const shots = process.env.SCREENSHOTS;
process.env.WEBHOOK_SECRET = SECRET;

/** All but what a sign-in leaves, and what is being delivered. */
const COUNTED = [
  ...[
    "users",
    "videos",
    "likes",
    "comments",
    "follows",
    "friendships",
    "messages",
    "notifications",
    "reports",
    "files",
  ],
  ...["rooms", "room_members", "streams", "stream_events", "vods", "video_views", "audit", "stats_days"],
];

let server: Server;
before(async () => {
  server = await startServer(PORT, { WEBHOOK_SECRET: SECRET });
});
after(() => server.stop());

function inDatabase<T>(look: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(databaseFile(server.folder), { readOnly: true });
  try {
    return look(database);
  } finally {
    database.close();
  }
}

const counts = () =>
  inDatabase((database) =>
    Object.fromEntries(
      COUNTED.map((table) => [table, database.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.rows]),
    ),
  );

const login = async () => {
  const body = { username: "demo", password: PASSWORD };
  return String((await server.call("/auth/login", { method: "POST", body })).body.token);
};

test("the demo world is made in seconds, and a second time adds nothing", { timeout: 120_000 }, async () => {
  const started = Date.now();
  const told = await makeDemo(server.origin, ["--persist-to", server.folder]);
  assert.match(told, /demo-password/);
  console.log(`made in ${Date.now() - started} ms`);
  const once = counts();
  assert.equal(once.users, 20);
  for (const [table, rows] of Object.entries(once)) assert.notEqual(rows, 0, `${table} is empty`);
  await makeDemo(server.origin, ["--persist-to", server.folder]);
  assert.deepEqual(counts(), once);
});

test("its admin sees a week of statistics, in which counters and rows agree", async () => {
  const token = await login();
  const { body } = await server.call("/admin/stats/charts", { token });
  const sums = (chart: string, key: string) =>
    body[chart].reduce((sum: number, day: Record<string, number>) => sum + (day[key] ?? 0), 0);
  const { users, videos, likes, comments, follows, reports } = counts();
  assert.equal(sums("users_chart", "count"), users);
  assert.equal(sums("videos_chart", "count"), videos);
  assert.equal(sums("engagement_chart", "likes"), likes);
  assert.equal(sums("engagement_chart", "comments"), comments);
  assert.equal(sums("engagement_chart", "follows"), follows);
  assert.equal(
    ["pending", "resolved", "rejected"].reduce((sum, key) => sum + sums("reports_chart", key), 0),
    reports,
  );
  const lively = body.engagement_chart.filter(({ likes }: { likes: number }) => likes > 0);
  assert.ok(lively.length >= 5, JSON.stringify(body.engagement_chart));
  for (const day of body.users_chart) assert.ok(day.count >= 0 && day.active >= 0, JSON.stringify(day));
});

test("rooms have their history, the course its chat, streams their phases and a recording", async () => {
  const token = await login();
  const { body: listed } = await server.call("/rooms", { token });
  assert.equal(listed.rooms.length, 3);
  const { body: history } = await server.call("/rooms/demo-harbour-walk/messages?limit=100", { token });
  assert.equal(history.messages.length, 8);
  assert.ok(history.messages.some(({ reactions }: { reactions: unknown[] }) => reactions.length === 2));
  const { body: course } = await server.call("/chat/courses/waves-101/messages?limit=100", { token });
  assert.equal(course.messages.length, 9);
  const titles = async (status: string) =>
    (await server.call(`/streams?status=${status}`)).body.streams.map(({ title }: { title: string }) => title);
  assert.deepEqual(await titles("live"), ["Saturn tonight"]);
  assert.deepEqual(await titles("upcoming"), ["Open rehearsal"]);
  assert.ok((await titles("ended")).includes("Soup for sixty, live"));
  const { body: recorded } = await server.call("/vod");
  const film = await fetch(new URL(recorded.vods[0].url, server.origin));
  assert.equal(film.headers.get("content-type"), "video/webm");
  await film.body?.cancel();
});

test("npm run admin takes no option's value for the name", () => {
  assert.deepEqual(positionals(["--persist-to", "data", "--remote", "demo"], ["env", "persist-to"]), ["demo"]);
});

test("no other machine, and no server in production, gets a demo world", async () => {
  await assert.rejects(makeDemo("http://roomcast.example.com", []), /not of this machine/);
  await assert.rejects(makeDemo("https://localhost", []), /not of this machine/);
  const production = createServer((_, response) => response.end('{"status":"ok"}')).listen(PORT + 2, "127.0.0.1");
  try {
    await assert.rejects(makeDemo(`http://127.0.0.1:${PORT + 2}`, []), /in production/);
  } finally {
    production.close();
  }
});

const skip = isChromiumHere() ? false : "there is no Chromium here";
test("the dashboard, the messenger and the livestream page show it", { skip, timeout: 120_000 }, async () => {
  const browser = await launch();
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 } });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  try {
    await page.goto(`${server.origin}/admin`);
    await page.fill("[name=username]", "demo");
    await page.fill("[name=password]", PASSWORD);
    await page.keyboard.press("Enter");
    await page.waitForSelector(".charts canvas");
    await shoot(page, "admin");
    await page.goto(`${server.origin}/chat`);
    await page.locator(".rooms a", { hasText: "Harbour walk" }).click();
    await page.locator("text=Fine. I'll be there, with bread.").first().waitFor();
    await page.locator(".who", { hasText: "Harbour walk" }).waitFor();
    await shoot(page, "chat");
    await page.goto(`${server.origin}/live`);
    await page.locator("text=Saturn tonight").first().waitFor();
    await shoot(page, "live");
    await page.locator("text=Soup for sixty, live").first().click();
    await page.locator("video").waitFor();
    await page.locator("text=Until the pot says so.").waitFor();
    await shoot(page, "recording");
  } finally {
    await browser.close();
  }
});

async function shoot(page: Page, name: string): Promise<void> {
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  await page.waitForLoadState("networkidle");
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}
