/**
 * The dashboard in a real browser against a real server: `node test/e2e/dashboard.ts [--port 8900] [--screenshots DIR]`.
 * Needs a Chromium at CHROMIUM or /usr/bin/chromium; says so and ends well where there is none.
 */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { option } from "../../scripts/tools.ts";
import { isChromiumHere, launch } from "./browser.ts";
import { type Server, startServer } from "./server.ts";

const port = Number(option(process.argv, "port") ?? "8900");
const shots = option(process.argv, "screenshots");
const DESKTOP = { width: 1360, height: 900 };
const PHONE = { width: 390, height: 844 };
const SECTIONS = [
  ...["overview", "live", "users", "videos", "comments", "rooms", "streams", "calls", "files"],
  ...["reports", "keys", "webhooks", "media", "parked", "audit"],
];
/** Of each list of places: what is searched in it, in another case; what is pressed on the one that is found; what is told then. */
const PLACES = [
  { view: "rooms", find: "HAFENWACHE ÖST 12", press: "End…", told: "Room deleted" },
  { view: "streams", find: "ÖDLAND 12", press: "End…", told: "Stream ended" },
  { view: "calls", find: "SPRECHSTUNDE ÜBER 12", press: "End…", told: "Call ended" },
  { view: "files", find: "ANHÄNGE-12", press: "Delete…", told: "File deleted" },
  { view: "comments", find: "SCHÖN 12", press: "Delete…", told: "Comment deleted" },
];
const PASSWORD = "correct horse";

if (!isChromiumHere()) {
  console.log("skipped: there is no Chromium here (apt-get install chromium, or set CHROMIUM to its path)");
  process.exit(0);
}

type Account = { id: number; token: string };

async function register(server: Server, username: string): Promise<Account> {
  const body = { username, email: `${username}@example.com`, password: PASSWORD };
  const answer = await server.call("/auth/register", { method: "POST", body });
  assert.equal(answer.status, 201);
  return { id: answer.body.user.id, token: answer.body.token };
}

/** A week of a small service's life, and markup where users write. */
const week = (victimId: number): string => `
  UPDATE users SET role = 'admin' WHERE username = 'boss';
  UPDATE users SET full_name = '<img src=x onerror=document.title=1>' WHERE id = ${victimId};
  INSERT INTO users (username, email, full_name, created_at, last_active_at, follower_count, is_verified)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 64)
    SELECT 'person_' || i, 'person_' || i || '@example.com', 'Person Number ' || i,
      unixepoch() * 1000 - (i * i % 7) * 86400000, unixepoch() * 1000 - (i % 5) * 86400000, i * 37 % 900, i % 4 = 0 FROM n;
  INSERT INTO videos (owner_id, title, video_url, visibility, shares, created_at)
    SELECT id, 'Evening at the harbour, part ' || id, '/v/' || id || '.mp4', iif(id % 5 = 0, 'private', 'public'), id % 7,
      unixepoch() * 1000 - (id % 7) * 86400000 FROM users WHERE username LIKE 'person%';
  INSERT INTO video_views (video_id, viewer, counted_at)
    SELECT v.id, 'user:' || u.id, unixepoch() * 1000 - ((v.id + u.id) % 7) * 86400000 FROM videos v, users u WHERE (v.id * u.id) % 3 = 0;
  INSERT INTO likes (video_id, user_id, created_at)
    SELECT v.id, u.id, unixepoch() * 1000 - ((v.id * 3 + u.id) % 7) * 86400000 FROM videos v, users u WHERE (v.id + u.id) % 19 < 2;
  INSERT INTO comments (video_id, author_id, content, created_at)
    SELECT v.id, u.id, 'What a light!', unixepoch() * 1000 - ((v.id + u.id * 2) % 6) * 86400000 FROM videos v, users u WHERE (v.id + u.id) % 23 = 0;
  INSERT INTO comments (video_id, author_id, content, created_at)
    SELECT 1, id, 'Wie schön ' || id, unixepoch() * 1000 FROM users WHERE username LIKE 'person%' AND id % 2 = 0;
  INSERT INTO follows (follower_id, followed_id, created_at)
    SELECT a.id, b.id, unixepoch() * 1000 - ((a.id + b.id) % 7) * 86400000 FROM users a, users b WHERE a.id <> b.id AND (a.id * b.id) % 31 = 1;
  INSERT INTO reports (reporter_id, target_type, target_id, reason, status, resolved_at, result, created_at)
    SELECT id, iif(id % 2, 'video', 'user'), 3 + id % 9, iif(id % 3, 'Spam or a scam', 'Somebody else made this'),
      CASE id % 3 WHEN 0 THEN 'resolved' WHEN 1 THEN 'rejected' ELSE 'pending' END, iif(id % 3 = 0, unixepoch() * 1000, NULL), NULL,
      unixepoch() * 1000 - (id % 7) * 86400000 FROM users WHERE username LIKE 'person%' AND id % 2 = 0;
  INSERT INTO reports (reporter_id, target_type, target_id, reason, created_at)
    VALUES (1, 'user', ${victimId}, 'The newest report', unixepoch() * 1000 + 1000);
  INSERT INTO stream_events (stream_id, source, event, session, outcome, request_id, created_at)
    SELECT iif(id % 4, id % 2 + 1, NULL), 'nginx-rtmp', iif(id % 2, 'publish', 'publish_done'), 'session-' || id,
      CASE id % 4 WHEN 0 THEN 'refused' WHEN 1 THEN 'live' ELSE 'ended' END, 'request-' || id, unixepoch() * 1000
    FROM users WHERE username LIKE 'person%' AND id % 3 = 0;
  INSERT INTO rooms (id, kind, name, owner_id, member_count, message_count, created_at, last_active_at)
    SELECT printf('room-%03d', id), 'group', 'Hafenwache Öst ' || id, id, id % 9, id * 11, unixepoch() * 1000, unixepoch() * 1000
    FROM users WHERE username LIKE 'person%' AND id % 2 = 0;
  INSERT INTO room_members (room_id, user_id, joined_at)
    SELECT 'room-014', id, unixepoch() * 1000 FROM users WHERE username LIKE 'person%' AND id < 40;
  INSERT INTO streams (user_id, title, key_hash, status, session, started_at, last_seen_at, created_at, updated_at, peak_viewers)
    SELECT id, 'Ödland ' || id, 'hash-' || id, iif(id = 12, 'live', 'ended'), iif(id = 12, 'session', NULL), unixepoch() * 1000,
      unixepoch() * 1000, unixepoch() * 1000, unixepoch() * 1000, id FROM users WHERE username LIKE 'person%' AND id % 2 = 0;
  INSERT INTO webrtc_sessions (id, host_id, title, max_participants, created_at)
    SELECT printf('call-%03d', id), id, 'Sprechstunde über ' || id, 50, unixepoch() * 1000 - 600000
    FROM users WHERE username LIKE 'person%' AND id % 2 = 0;
  INSERT INTO files (id, owner_id, folder, name, original_name, category, mime_type, size, sha256, key, created_at)
    SELECT printf('file-%03d', id), id, 'Anhänge', 'Anhänge-' || id || '.pdf', 'report.pdf', 'document', 'application/pdf', id * 4321,
      'none', 'key-' || id, unixepoch() * 1000 FROM users WHERE username LIKE 'person%' AND id % 2 = 0;
  INSERT INTO outbox_parked (id, target, payload, created_at, attempts, reason, parked_at)
    VALUES (900001, 'user:${victimId}', '{"frames":[]}', unixepoch() * 1000, 8, 'Network connection lost.', unixepoch() * 1000),
      (900003, 'stream:1', '{"y":2}', unixepoch() * 1000, 8, 'The object is overloaded.', unixepoch() * 1000),
      (900002, 'room:gone', '{"x":1}', unixepoch() * 1000, 8, '<b>Invalid</b> input', unixepoch() * 1000);`;

/** More keys and endpoints than a page has. */
const backends = `
  INSERT INTO server_keys (id, name, hash, scopes, created_by, created_at, expires_at)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 24)
    SELECT printf('%016x', i), 'Zweigstelle Öst ' || i, 'none', '["read","publish"]', 1, unixepoch() * 1000 - i,
      iif(i = 7, unixepoch() * 1000 - 1, NULL) FROM n;
  INSERT INTO webhooks (url, description, events, secret, created_by, created_at, off_at, off_reason)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 24)
    SELECT 'https://hooks.example/branch/' || i, 'Zweigstelle Öst ' || i, iif(i = 9, '["call.ended"]', '["room.created"]'),
      'none', 1, unixepoch() * 1000, iif(i = 7, unixepoch() * 1000, NULL), iif(i = 7, 'Switched off by an admin', NULL) FROM n;`;

let passed = 0;
const failures: string[] = [];
async function check(name: string, body: () => Promise<void>): Promise<void> {
  try {
    await body();
    passed += 1;
    console.log(`ok    ${name}`);
  } catch (error) {
    failures.push(name);
    console.log(`FAIL  ${name}\n${error instanceof Error ? error.stack : error}`);
  }
}

async function shoot(page: Page, name: string): Promise<void> {
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}

const go = async (page: Page, view: string): Promise<void> => {
  await page.click(`.side a[href="#${view}"]`);
  const title = `${view.charAt(0).toUpperCase()}${view.slice(1)}`;
  await page.waitForSelector(
    view === "overview" ? ".charts canvas" : `.records:has(h1:text-is("${title}")) td:nth-child(2)`,
  );
};

/** Opens the event socket and resolves with the code it closes with. */
function closeOf(server: Server, token: string): { opened: Promise<void>; closed: Promise<number> } {
  const socket = new WebSocket(`${server.origin.replace("http", "ws")}/api/v1/ws?token=${token}`);
  return {
    opened: new Promise((resolve) => socket.addEventListener("message", () => resolve(), { once: true })),
    closed: new Promise((resolve) => socket.addEventListener("close", (event) => resolve(event.code))),
  };
}

/** A product's backend on this machine, which takes whatever comes; `types`: what it was told of. */
async function startBackend(): Promise<{ url: string; types: string[]; stop: () => void }> {
  const types: string[] = [];
  const backend = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    types.push(JSON.parse(Buffer.concat(chunks).toString()).type);
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));
  const address = backend.address();
  assert.ok(address !== null && typeof address === "object");
  return { url: `http://127.0.0.1:${address.port}/hooks`, types, stop: () => backend.close() };
}

async function checkDashboard(browser: Browser, server: Server): Promise<void> {
  const boss = await register(server, "boss");
  const victim = await register(server, "victim");
  const nobody = await register(server, "nobody");
  server.sql(week(victim.id));
  const context = await browser.newContext({ viewport: DESKTOP, locale: "en-GB", timezoneId: "UTC" });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    // The browser itself reports every failed request; those are wanted here.
    if (message.type() === "error" && !message.text().includes("Failed to load resource")) errors.push(message.text());
  });
  const polled: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/stats/")) polled.push(new URL(request.url()).pathname.split("/").at(-1) ?? "");
  });

  await check("/admin serves the page, under a strict policy", async () => {
    const response = await page.goto(`${server.origin}/admin`);
    assert.equal(response?.status(), 200);
    const policy = response?.headers()["content-security-policy"] ?? "";
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    await shoot(page, "login");
  });

  const logIn = async (name: string, password: string) => {
    await page.fill("[name=username]", name);
    await page.keyboard.press("Tab");
    await page.keyboard.type(password);
    await page.keyboard.press("Enter");
  };

  await check("a wrong password, and somebody who is no admin, are refused in words, with a way back", async () => {
    await logIn("boss", "wrong password");
    await page.locator(".gate .problem", { hasText: /wrong username or password/i }).waitFor();
    await page.fill("[name=password]", "");
    await logIn("nobody", PASSWORD);
    await page.locator(".gate", { hasText: "this account is not an admin" }).waitFor();
    await shoot(page, "not-an-admin");
    await page.click("text=Back to the home page");
    await page.waitForURL(`${server.origin}/`);
    await page.goBack();
    await page.click("text=Sign in as somebody else");
  });

  await check("an admin logs in by keyboard alone and sees the figures of the API", async () => {
    await logIn("boss", PASSWORD);
    await page.waitForSelector(".figures .big");
    const { body } = await server.call("/admin/stats/overview", { token: boss.token });
    const shown = (await page.locator(".figures .big").allTextContents()).map((text) =>
      Number(text.replaceAll(",", "")),
    );
    assert.deepEqual(shown, [body.users.total, body.videos.total, body.reports.pending, body.engagement.total_views]);
  });

  await check("four charts of seven days, and what is new", async () => {
    await page.waitForSelector(".charts canvas");
    assert.equal(await page.locator(".charts canvas").count(), 4);
    assert.equal(await page.locator(".charts tbody tr").count(), 28);
    const { body } = await server.call("/admin/stats/charts", { token: boss.token });
    const days: { likes: number }[] = body.engagement_chart;
    const likes = page.locator(".chart", { hasText: "Engagement" }).locator("tbody td:nth-child(2)");
    assert.deepEqual(
      (await likes.allTextContents()).map((text) => Number(text.replaceAll(",", ""))),
      days.map((day) => day.likes),
    );
    await page.waitForSelector(".recents li");
    assert.equal(await page.locator(".recents section").count(), 3);
    await shoot(page, "overview-desktop");
  });

  await check("it polls every 60 s and every 30 s, not in a hidden tab, and at once when it is back", async () => {
    const other = await context.newPage();
    await other.clock.install();
    const asked: string[] = [];
    other.on("request", (request) => {
      if (request.url().includes("/stats/")) asked.push(new URL(request.url()).pathname.split("/").at(-1) ?? "");
    });
    const takeWhen = async (count: number) => {
      for (let tries = 0; asked.length < count && tries < 100; tries += 1)
        await other.waitForTimeout(50).catch(() => {});
      return asked.splice(0).sort();
    };
    await other.goto(`${server.origin}/admin`);
    await other.waitForSelector(".charts canvas");
    await other.waitForSelector(".recents li");
    asked.splice(0);
    const answered = (part: string) => other.waitForResponse((response) => response.url().includes(part));
    const [first] = [answered("recent-activity")];
    await other.clock.runFor(31_000);
    await first;
    assert.deepEqual(asked.splice(0), ["recent-activity"]);
    const both = Promise.all([answered("recent-activity"), answered("overview"), answered("charts")]);
    await other.clock.runFor(30_000);
    await both;
    assert.deepEqual(asked.splice(0).sort(), ["charts", "overview", "recent-activity"]);
    const hide = (isHidden: boolean) =>
      other.evaluate((value) => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
        document.dispatchEvent(new Event("visibilitychange"));
      }, isHidden);
    await hide(true);
    await other.clock.runFor(300_000);
    assert.deepEqual(await takeWhen(0), []);
    const back = Promise.all([answered("recent-activity"), answered("overview"), answered("charts")]);
    await hide(false);
    await back;
    await other.close();
  });

  await check("a user is found; what they wrote stays text", async () => {
    await page.focus('.side a[href="#users"]');
    await page.keyboard.press("Enter");
    await page.waitForSelector("tbody td:nth-child(2)");
    await shoot(page, "users-desktop");
    await page.fill("[type=search]", "victim");
    await page.waitForFunction(() => document.querySelector("tbody tr:only-child td.name") !== null);
    assert.match((await page.locator("tbody tr").first().textContent()) ?? "", /<img src=x onerror/);
    assert.equal(await page.locator("tbody img").count(), 0);
    assert.notEqual(await page.title(), "1");
  });

  await check("a connected user is banned: their socket closes with 4003", async () => {
    const { opened, closed } = closeOf(server, victim.token);
    await opened;
    await page.click("tbody tr >> text=Ban");
    await page.waitForSelector("dialog[open] textarea");
    await shoot(page, "ban-desktop");
    await page.keyboard.type("Sells what is not theirs");
    await page.click("dialog[open] button[type=submit]");
    await page.waitForSelector("text=User banned");
    assert.equal(await closed, 4003);
    await page.waitForSelector("tbody tr >> text=Unban");
  });

  await check("one user is shown with all that is known, and verified there", async () => {
    await page.click("tbody tr >> text=Open");
    await page.waitForSelector("dialog dl");
    await shoot(page, "user-desktop");
    await page.click("dialog >> text=Verify");
    await page.waitForSelector("dialog >> text=verified");
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog", { state: "detached" });
  });

  await check("a refused action is told in words", async () => {
    await page.fill("[type=search]", "boss");
    await page.waitForFunction(() => document.querySelector("tbody tr")?.textContent?.includes("boss"));
    await page.click("tbody tr >> text=Ban");
    await page.fill("dialog[open] textarea", "myself");
    await page.click("dialog[open] button[type=submit]");
    await page.waitForSelector("text=This is the last admin.");
  });

  await check("pages turn, and a filter starts again at the first", async () => {
    await go(page, "overview");
    await go(page, "users");
    const first = await page.locator("tbody tr").first().textContent();
    await page.click("text=Next ›");
    await page.waitForSelector("text=Page 2 of 4");
    assert.notEqual(await page.locator("tbody tr").first().textContent(), first);
    await page.selectOption("[name=status]", "banned");
    await page.waitForSelector('text="1 record"');
    assert.match((await page.locator("tbody tr").first().textContent()) ?? "", /victim/);
  });

  await check("a reload comes back to the same filter and page", async () => {
    await page.reload();
    await page.waitForSelector('text="1 record"');
    assert.equal(await page.inputValue("[name=status]"), "banned");
    await page.selectOption("[name=status]", "all");
    await page.click("text=Next ›");
    await page.waitForSelector("text=Page 2 of 4");
    await page.reload();
    await page.waitForSelector("text=Page 2 of 4");
  });

  await check("a report is resolved, and leaves the pending ones", async () => {
    await go(page, "reports");
    await shoot(page, "reports-desktop");
    assert.match((await page.locator("tbody tr").first().textContent()) ?? "", /The newest report/);
    await page.click("tbody tr:first-child >> text=Resolve");
    await page.fill("dialog[open] textarea", "The seller is banned");
    await page.click("dialog[open] button[type=submit]");
    await page.waitForSelector("text=Report resolved");
    await page.waitForFunction(() => !document.querySelector("tbody")?.textContent?.includes("The newest report"));
  });

  await check("two videos are chosen and deleted together", async () => {
    await go(page, "videos");
    await page.check("tbody tr:nth-child(1) [type=checkbox]");
    await page.check("tbody tr:nth-child(2) [type=checkbox]");
    await shoot(page, "videos-desktop");
    await page.click("text=Delete chosen (2)");
    await page.fill("dialog[open] textarea", "Twice the same");
    await page.click("dialog[open] button[type=submit]");
    await page.waitForSelector("text=2 videos deleted");
  });

  await check("the audit tells it all", async () => {
    await go(page, "audit");
    const rows = await page.locator("tbody tr").allTextContents();
    assert.equal(rows.length, 5);
    assert.match(rows.join("\n"), /ban[\s\S]*Sells what is not theirs/);
    assert.match(rows[2] ?? "", /resolve[\s\S]*The seller is banned/);
    await shoot(page, "audit-desktop");
  });

  await check("what media servers sent is listed, and found by its stream", async () => {
    await go(page, "media");
    await shoot(page, "media-desktop");
    await page.fill("[name=streamId]", "2");
    await page.waitForFunction(() => {
      const shown = [...document.querySelectorAll("tbody [data-label=Stream]")];
      return shown.length > 0 && shown.every(({ textContent }) => textContent === "2");
    });
  });

  await check("a parked delivery is tried again, another given up for a reason", async () => {
    await go(page, "parked");
    await shoot(page, "parked-desktop");
    await page.locator("tbody tr", { hasText: "<b>Invalid</b> input" }).locator("text=Give up").click();
    await page.fill("dialog textarea", "The room is gone");
    await page.click("dialog [type=submit]");
    await page.locator("tbody tr", { hasText: "room:gone" }).waitFor({ state: "detached" });
    const retried = page.locator("tbody tr", { hasText: "Network connection lost." });
    await retried.locator("text=Retry").click();
    await retried.waitFor({ state: "detached" });
    assert.equal(await page.locator("tbody tr").count(), 1);
  });

  await check("what is parked is found by its target", async () => {
    await page.fill("[type=search]", "STREAM:1");
    await page.waitForFunction(() => document.querySelector("tbody tr:only-child td.name")?.textContent === "stream:1");
    await page.fill("[type=search]", "room:nowhere");
    await page.waitForSelector("text=Nothing matches.");
  });

  for (const { view, find, press, told } of PLACES) {
    await check(`${view} are turned and searched, and one is ended for a reason`, async () => {
      await go(page, view);
      await page.click("text=Next ›");
      await page.waitForSelector("text=/Page 2 of \\d/");
      await page.fill("[type=search]", find);
      await page.waitForSelector('text="1 record"');
      await page.click(`tbody tr >> text=${press}`);
      await page.fill("dialog[open] textarea", "Not what this is for");
      await shoot(page, `${view}-end`);
      await page.click("dialog[open] button[type=submit]");
      await page.waitForSelector(`text=${told}`);
    });
  }

  await check("a call shows who was there", async () => {
    await go(page, "calls");
    await page.click("tbody tr:first-child .acts >> text=Open");
    await page.waitForSelector("dialog >> text=Nobody has joined it.");
    await page.fill("dialog [type=search]", "somebody");
    await page.waitForSelector("dialog >> text=Nothing matches.");
    await page.click("dialog [aria-label=Close]");
  });

  await check("a room shows its members, turned and searched beside the list that it was opened from", async () => {
    await go(page, "rooms");
    await page.fill("[type=search]", "Öst 14");
    await page.waitForSelector('text="1 record"');
    await page.click("tbody tr >> text=Open");
    await page.click("dialog >> text=Next ›");
    await page.waitForSelector("dialog >> text=Page 2 of 2");
    await page.fill("dialog [type=search]", "NUMBER 11");
    await page.waitForFunction(
      () => document.querySelector("dialog tbody tr:only-child b")?.textContent === "person_11",
    );
    assert.match(page.url(), /#rooms\?search=/);
    await shoot(page, "room");
    await page.setViewportSize(PHONE);
    await shoot(page, "room-phone");
    await page.setViewportSize(DESKTOP);
    await page.click("dialog [aria-label=Close]");
  });

  await check("who is connected is shown with where they are, and signed out everywhere", async () => {
    const { opened, closed } = closeOf(server, nobody.token);
    await opened;
    // Stays, so that there is somebody to show.
    await closeOf(server, boss.token).opened;
    await go(page, "live");
    await page.fill("[type=search]", "nobody");
    await page.waitForFunction(() => document.querySelector("tbody tr:only-child b")?.textContent === "nobody");
    await shoot(page, "live-desktop");
    await page.click("tbody tr >> text=Where?");
    await page.waitForSelector("dialog >> text=1 connection");
    await shoot(page, "live-where");
    await page.keyboard.press("Escape");
    await page.click("tbody tr >> text=Sign out…");
    await page.fill("dialog[open] textarea", "A stolen phone");
    await page.click("dialog[open] button[type=submit]");
    await page.waitForSelector("text=User signed out");
    assert.equal(await closed, 4001);
    assert.equal((await server.call("/auth/me", { token: nobody.token })).status, 401);
  });

  await check("a key is made by keyboard, shown once, works, and is dead once revoked", async () => {
    await page.click('.side a[href="#keys"]');
    await page.waitForSelector("text=There is no key yet.");
    await shoot(page, "keys-empty");
    await page.focus("text=Create a key");
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog[open] [name=name]:focus");
    await page.keyboard.type("Backend of the shop");
    await page.keyboard.press("Enter");
    await page.waitForSelector("text=Choose at least one scope.");
    await page.focus("dialog [value=read]");
    await page.keyboard.press("Space");
    await shoot(page, "key-create");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    const line = page.locator("dialog:has-text('shown this once') .copy-row code");
    const key = (await line.textContent()) ?? "";
    assert.match(key, /^rc_/);
    await shoot(page, "key-once");
    assert.equal((await server.call("/server/presence?users=1", { token: key })).status, 200);
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog", { state: "detached" });
    await page.locator("tbody tr", { hasText: "Backend of the shop" }).waitFor();
    assert.ok(!(await page.content()).includes(key));
    await page.click("tbody tr >> text=Revoke");
    await page.click("dialog[open] button.danger");
    await page.waitForSelector("text=There is no key yet.");
    assert.equal((await server.call("/server/presence?users=1", { token: key })).status, 401);
  });

  await check("an endpoint is made, its secret shown once, tried, and its delivery seen and sent again", async () => {
    const backend = await startBackend();
    try {
      await page.click('.side a[href="#webhooks"]');
      await page.waitForSelector("text=There is no endpoint yet.");
      await page.waitForSelector("text=Nobody is asked.");
      await page.click("text=Create an endpoint");
      await page.fill("dialog [name=url]", "https://10.0.0.1/hooks");
      await page.check("dialog [value='room.created']");
      await page.click("dialog [type=submit]");
      await page.waitForSelector("dialog [name=url][aria-invalid=true]");
      await shoot(page, "webhook-create");
      await page.fill("dialog [name=url]", backend.url);
      await page.click("dialog [type=submit]");
      await page.locator("dialog .copy-row code", { hasText: /^whsec_/ }).waitFor();
      await page.keyboard.press("Escape");
      await page.click("tbody tr >> text=Open");
      await page.waitForSelector("text=Nothing was sent to it yet.");
      await page.click("dialog >> text=Send a test");
      await page.waitForSelector("text=The endpoint took the test: answered 204");
      const delivery = page.locator(".deliveries li", { hasText: "webhook.test" });
      await delivery.locator("text=1 attempt: answered 204").waitFor();
      await page.fill(".deliveries [type=search]", "no such event");
      await page.waitForSelector(".deliveries >> text=Nothing matches.");
      await page.fill(".deliveries [type=search]", "WEBHOOK.test");
      await delivery.waitFor();
      assert.deepEqual(backend.types, ["webhook.test"]);
      await shoot(page, "webhook-open");
      await delivery.locator("text=Redeliver").click();
      await page.waitForSelector("text=It is sent again");
      await page.click("dialog >> text=Switch off");
      await page.waitForSelector("dialog >> text=Switched off by an admin");
      await page.click("dialog >> text=Delete…");
      await page.click("dialog button.danger.primary");
      await page.waitForSelector("text=There is no endpoint yet.");
    } finally {
      backend.stop();
    }
  });

  await check("who is asked before a message is set, seen and removed", async () => {
    await page.click("text=Set up the hook");
    await page.fill("dialog [name=url]", "https://example.com/ask");
    await page.selectOption("dialog [name=onFailure]", "allow");
    await page.click("dialog [type=submit]");
    await page.locator("dialog .copy-row code", { hasText: /^whsec_/ }).waitFor();
    await page.keyboard.press("Escape");
    await page.waitForSelector(".hook >> text=Let the message through");
    await shoot(page, "hook-desktop");
    await page.click(".hook >> text=Remove…");
    await page.click("dialog button.danger");
    await page.waitForSelector("text=Nobody is asked.");
  });

  await check("keys and endpoints are searched, filtered and turned over", async () => {
    server.sql(backends);
    for (const [view, off] of [
      ["keys", "expired"],
      ["webhooks", "off"],
    ] as const) {
      await go(page, "overview");
      await go(page, view);
      await page.waitForSelector('text="24 records"');
      await shoot(page, `${view}-desktop`);
      await page.click("text=Next ›");
      await page.waitForSelector("text=Page 2 of 2");
      await page.fill(".filters [type=search]", "STELLE ÖST 12");
      await page.waitForSelector('text="1 record"');
      await page.fill(".filters [type=search]", "");
      await page.waitForSelector('text="24 records"');
      await page.selectOption(".filters [name=status]", off);
      await page.waitForSelector('text="1 record"');
      await page.locator("tbody tr", { hasText: off }).waitFor();
    }
  });

  await check("everything fits a phone", async () => {
    const token = boss.token;
    const key = { name: "The shop", scopes: ["users", "tokens", "publish", "rooms", "read"] };
    await server.call("/admin/keys", { method: "POST", token, body: key });
    const webhook = { url: "https://hooks.shop.example/roomcast/events/of/the/messenger", events: ["room.created"] };
    await server.call("/admin/webhooks", { method: "POST", token, body: webhook });
    await page.setViewportSize(PHONE);
    for (const view of SECTIONS) {
      await go(page, view);
      const spare = await page.evaluate(() => innerWidth - document.documentElement.scrollWidth);
      assert.ok(spare >= 0, `${view} is ${-spare} px too wide`);
      await shoot(page, `${view}-phone`);
    }
    await page.setViewportSize(DESKTOP);
  });

  await check("dark is dark", async () => {
    await page.emulateMedia({ colorScheme: "dark" });
    await go(page, "overview");
    await shoot(page, "overview-dark");
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(ground, "rgb(14, 16, 22)");
  });

  await check("who is signed in here is signed in on every page", async () => {
    for (const [path, there] of [
      ["/", "#account-menu"],
      ["/live", "text=Watch, or go live yourself."],
      ["/call", "#lobby:not([hidden])"],
      ["/docs", "#account-menu"],
    ] as const) {
      await page.click(`.bar nav a[href="${path}"]`);
      await page.waitForSelector(there, { state: "attached" });
      await page.locator(".bar .account", { hasText: "boss" }).waitFor();
    }
  });

  await check("a guest is somebody else in one tab alone", async () => {
    const other = await context.newPage();
    await other.goto(`${server.origin}/call`);
    await other.click("#guest");
    await other.locator(".bar .account", { hasText: "guest_" }).waitFor();
    await page.goto(`${server.origin}/docs`);
    await page.locator(".bar .account", { hasText: "boss" }).waitFor();
    await other.click(".bar .account");
    await other.click("text=Leave the guest account");
    await other.locator(".bar .account", { hasText: "boss" }).waitFor();
    await other.close();
  });

  await check("on the docs page a call is tried out as who is signed in, and a refusal is shown as it is", async () => {
    await page.goto(`${server.origin}/docs#get/auth/me`);
    const mine = page.locator('[id="get/auth/me"]');
    await mine.locator(".try > summary").click();
    await mine.locator(".try", { hasText: "as boss" }).waitFor();
    await mine.locator(".try [type=submit]").click();
    await mine.locator(".tried", { hasText: '"username": "boss"' }).waitFor();
    await shoot(page, "docs-try");
    const other = page.locator('[id="get/rooms/id/messages"]');
    await other.locator("summary").first().click();
    await other.locator(".try > summary").click();
    await other.locator('[name="path.id"]').fill("no-such-room");
    await other.locator(".try [type=submit]").click();
    await other.locator(".tried", { hasText: "NOT_FOUND" }).waitFor();
    assert.equal(await page.locator('[id^="post/server/"] .try').count(), 0);
  });

  await check("who signs out on one page is signed out in all tabs, and a reload asks again", async () => {
    await page.goto(`${server.origin}/admin`);
    await page.waitForSelector(".figures .big");
    const token = await page.evaluate(() => JSON.parse(localStorage.getItem("roomcast.session") ?? "{}").token);
    const other = await context.newPage();
    await other.goto(`${server.origin}/live`);
    await other.click(".bar .account");
    const loggedOut = other.waitForResponse((response) => response.url().endsWith("/auth/logout"));
    await other.click("#sign-out");
    await other.waitForSelector("#sign-in");
    await page.waitForSelector(".gate form");
    assert.equal(await page.locator(".figures, .records").count(), 0);
    await loggedOut;
    assert.equal((await server.call("/auth/me", { token })).status, 401);
    await page.reload();
    await page.waitForSelector(".gate form");
    await other.close();
  });

  await check("the browser had nothing to complain about", async () => {
    assert.deepEqual(errors, []);
    assert.ok(polled.length > 0);
  });
}

const server = await startServer(port);
const browser = await launch();
try {
  await checkDashboard(browser, server);
} finally {
  await browser.close();
  await server.stop();
}
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length > 0 ? 1 : 0);
