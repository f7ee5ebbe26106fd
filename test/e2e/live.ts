/**
 * A livestream's page in real browsers against a real server that crashes on the way: `node test/e2e/live.ts`. The media
 * server is played by its hooks, in nginx' form. Takes about a minute.
 */
import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { isChromiumHere, launch } from "./browser.ts";
import { check, finish } from "./checks.ts";
import { Server } from "./restartable-server.ts";
import { Watcher } from "./watcher.ts";

const PORT = Number(process.env.PORT ?? 8890);
const SECRET = "end-to-end-secret-of-the-media-server";
const TITLE = "Evening <b>jazz</b>";

/** nginx-rtmp's call when a publisher starts or stops; answers the status. */
async function hook(call: "publish" | "publish_done", key: string, session: string): Promise<number> {
  const answer = await fetch(`${server.origin}/webhook/stream-event?secret=${SECRET}`, {
    method: "POST",
    body: new URLSearchParams({ call, name: key, app: "live", clientid: session, addr: "203.0.113.7" }),
  });
  await answer.body?.cancel();
  return answer.status;
}

async function upload(token: string, streamId: string, name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const form = new FormData();
  form.set("streamId", streamId);
  form.set("title", name);
  form.set("file", new Blob([bytes]), name);
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch(`${server.origin}/api/v1/vod/upload`, { method: "POST", headers, body: form });
  assert.equal(answer.status, 201, await answer.text());
}

/** As much of a recording as the service asks for, in a format that no browser plays. */
const flv = new Uint8Array(2000);
flv.set([0x46, 0x4c, 0x56, 1, 5, 0, 0, 0, 9]);

/** Half a second of moving picture, recorded by the browser itself. */
const webm = ({ page }: Watcher): Promise<Uint8Array<ArrayBuffer>> =>
  page
    .evaluate(async () => {
      const canvas = document.createElement("canvas");
      const pen = canvas.getContext("2d");
      const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: "video/webm" });
      const parts: Blob[] = [];
      recorder.ondataavailable = ({ data }) => parts.push(data);
      const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve));
      recorder.start();
      for (let step = 0; step < 15; step += 1) {
        pen?.fillRect(step * 10, 0, 9, 100);
        await new Promise((resolve) => setTimeout(resolve, 40));
      }
      recorder.stop();
      await stopped;
      return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
    })
    .then((bytes) => Uint8Array.from(bytes));

async function run(browser: Browser): Promise<void> {
  const { origin } = server;
  let key = "";
  let owner!: Watcher;
  let viewer!: Watcher;

  await check("who has no account sees the list; a wrong password is told in words", async () => {
    await fetch(`${origin}/api/v1/auth/register`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ username: "host", email: "host@example.com", password: "correct horse" }),
    });
    const { page } = await Watcher.open(browser, `${origin}/live`);
    await page.locator(".none", { hasText: "Nobody is live" }).waitFor();
    await page.click("#sign-in");
    await page.fill("[name=username]", "host");
    await page.fill("[name=password]", "wrong password");
    await page.keyboard.press("Enter");
    await page.locator("dialog .problem", { hasText: "password" }).waitFor();
    await page.context().close();
  });

  await check("the owner signs in and makes a stream; the key is shown once", async () => {
    owner = await Watcher.open(browser, `${origin}/live`);
    const { page } = owner;
    await page.click("text=Create a stream");
    await page.fill("[name=username]", "host");
    await page.fill("[name=password]", "correct horse");
    await page.keyboard.press("Enter");
    await page.fill("[name=title]", TITLE);
    await page.fill("textarea", "Two sets");
    await page.click("dialog [type=submit]");
    const lines = page.locator("dialog.wide code");
    await lines.first().waitFor();
    const [shown = "", url, ffmpeg = ""] = await lines.allTextContents();
    key = shown;
    assert.match(key, /^sk_/);
    assert.equal(url, "rtmp://127.0.0.1/live");
    assert.ok(ffmpeg.endsWith(`-f flv rtmp://127.0.0.1/live/${key}`));
    await page.fill("dialog.wide input", "media.example");
    assert.equal(await lines.nth(1).textContent(), "rtmp://media.example/live");
    await page.click("dialog >> text=I have saved it");
    await page.reload();
    await owner.online();
    assert.ok(!(await page.content()).includes(key));
  });

  await check("a viewer opens its address; what the owner wrote stays text", async () => {
    viewer = await Watcher.asGuest(browser, owner.page.url());
    assert.equal((await viewer.page.locator("h1").innerText()).replaceAll("\u2060", ""), TITLE);
    await viewer.facts.filter({ hasText: "Not started" }).waitFor();
    for (const { facts } of [owner, viewer]) await facts.filter({ hasText: "2 here" }).waitFor();
    for (const { page } of [owner, viewer]) await page.evaluate(() => Object.assign(window, { isSamePage: true }));
  });

  await check("they talk both ways, and see that it was delivered", async () => {
    await owner.deliver("Good evening");
    await viewer.message("Good evening").filter({ hasText: "host" }).waitFor();
    await viewer.say("Hello 1 < 2 & <i>you</i>");
    await viewer.message("Hello 1 < 2 &").locator(".delivered").waitFor();
    await owner.message("Hello 1 < 2 &").waitFor();
    assert.equal(await owner.page.locator(".log i").count(), 0);
  });

  await check("the media server's hook makes both pages live", async () => {
    assert.equal(await hook("publish", key, "1"), 200);
    for (const { facts } of [owner, viewer]) await facts.filter({ hasText: /Live.*2 watching.*since/ }).waitFor();
    await viewer.page.locator(".stage code", { hasText: /^rtmp:.*\/pub\/\d+$/ }).waitFor();
  });

  await check("the list shows it live; the count follows who comes and goes", async () => {
    const third = await Watcher.asGuest(browser, owner.page.url());
    for (const { facts } of [owner, viewer, third]) await facts.filter({ hasText: "3 watching" }).waitFor();
    await third.page.click("text=All streams");
    await third.page.locator(".stream-card", { hasText: "jazz" }).filter({ hasText: "Live" }).waitFor();
    for (const { facts } of [owner, viewer]) await facts.filter({ hasText: "2 watching" }).waitFor();
    assert.deepEqual(third.complaints, []);
    await third.page.context().close();
  });

  await check("slow mode is told in words, and a refused message can be sent again", async () => {
    await owner.page.selectOption(".slow select", "300");
    await viewer.page.locator(".notice", { hasText: "one message every 300 s" }).waitFor();
    await viewer.say("Too fast");
    await viewer.message("Too fast").filter({ hasText: "Not sent. Slow mode: wait" }).waitFor();
    await owner.page.selectOption(".slow select", "0");
    await viewer.page.locator(".notice:empty").waitFor({ state: "attached" });
    await viewer.page.click("text=Try again");
    await viewer.message("Too fast").locator(".delivered").waitFor();
    await owner.message("Too fast").waitFor();
    assert.equal(await viewer.message("Too fast").count(), 1);
  });

  await check("a deleted message goes from both pages", async () => {
    await owner.act("Too fast", "Delete");
    for (const watcher of [owner, viewer]) await watcher.message("Too fast").waitFor({ state: "detached" });
  });

  await check("who is muted is told until when, and can write when it is lifted", async () => {
    await owner.act("Hello 1", "Mute");
    await owner.page.click("dialog >> text=10 minutes");
    await viewer.page.locator(".notice", { hasText: "You are muted until" }).waitFor();
    assert.ok(await viewer.page.isDisabled(".chat .say input"));
    await owner.act("Hello 1", "Mute");
    await owner.page.click("dialog >> text=Lift the mute");
    await viewer.page.locator(".notice:empty").waitFor({ state: "attached" });
    await viewer.deliver("Thanks");
  });

  await check("a dropped socket resumes where it was: what was missed comes once", async () => {
    await viewer.page.evaluate(() => window.sockets.at(-1)?.close());
    await viewer.page.locator(".line", { hasText: "Coming back" }).waitFor();
    await owner.deliver("Said meanwhile");
    await viewer.message("Said meanwhile").waitFor();
    assert.equal(await viewer.message("Said meanwhile").count(), 1);
    assert.match(viewer.socketUrls.at(-1) ?? "", /[?&]since=\d+&epoch=/);
  });

  await check("until here, the pages have complained of nothing at all", async () => {
    assert.deepEqual(
      [owner, viewer].map(({ complaints }) => complaints),
      [[], []],
    );
  });

  await check("the server crashes and comes back: nothing is lost, nothing comes twice", async () => {
    const token = await owner.token();
    const id = new URL(owner.page.url()).hash.slice(1);
    await server.kill();
    for (const { page } of [owner, viewer]) await page.locator(".line", { hasText: "Coming back" }).waitFor();
    await viewer.say("Written in the dark");
    await viewer.message("Written in the dark").filter({ hasText: "Waits for the connection" }).waitFor();
    await server.start();
    const said = await fetch(`${origin}/api/v1/streams/${id}/chat`, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify({ message: "Back again" }),
    });
    assert.equal(said.status, 201);
    for (const watcher of [owner, viewer]) {
      await watcher.online();
      for (const text of ["Back again", "Written in the dark"]) {
        await watcher.message(text).filter({ hasNotText: "Waits" }).waitFor();
        assert.equal(await watcher.message(text).count(), 1);
      }
    }
    await viewer.deliver("All is well");
    await owner.message("All is well").waitFor();
    assert.equal(await owner.page.locator(".log li").count(), await viewer.page.locator(".log li").count());
  });

  await check("the owner ends it: both pages change, and the chat stays", async () => {
    await owner.page.click("text=End the stream");
    await owner.page.click("dialog .danger");
    for (const { facts } of [owner, viewer]) await facts.filter({ hasText: /Ended.*viewers? at most/ }).waitFor();
    await viewer.message("Good evening").waitFor();
    for (const { page } of [owner, viewer]) assert.ok(await page.evaluate(() => window.isSamePage));
  });

  await check("recordings show up; what the browser plays is played, the rest is a download", async () => {
    const token = await owner.token();
    const id = new URL(owner.page.url()).hash.slice(1);
    await upload(token, id, "first set.webm", await webm(owner));
    await upload(token, id, "raw.flv", flv);
    const row = (name: string) => viewer.page.locator(".recordings li", { hasText: name });
    for (const name of ["first set.webm", "raw.flv"]) await row(name).waitFor();
    assert.equal(await row("raw.flv").locator("button").count(), 0);
    assert.match((await row("raw.flv").locator("a").getAttribute("href")) ?? "", /^\/api\/v1\/vod\/\d+\/content$/);
    await row("first set.webm").locator("button").click();
    await viewer.page.waitForFunction(
      () => (document.querySelector<HTMLVideoElement>(".stage video")?.currentTime ?? 0) > 0,
    );
  });

  await check("a new key: the old one is refused", async () => {
    await owner.page.click("text=New stream key");
    await owner.page.click("dialog .danger");
    const fresh = await owner.page.locator("dialog.wide code").first().textContent();
    assert.notEqual(fresh, key);
    assert.equal(await hook("publish", key, "2"), 403);
    await owner.page.keyboard.press("Escape");
  });

  await check("everything fits a phone, and a stream that is not there is told in words", async () => {
    const { page } = owner;
    await page.setViewportSize({ width: 390, height: 844 });
    for (const hash of [new URL(page.url()).hash, "#"]) {
      await page.evaluate((next) => location.assign(next), hash);
      await page.waitForSelector(hash === "#" ? ".stream-card" : ".about");
      const spare = await page.evaluate(() => innerWidth - document.documentElement.scrollWidth);
      assert.ok(spare >= 0, `${hash} is ${-spare} px too wide`);
    }
    const lost = await Watcher.open(browser, `${origin}/live#999999`);
    await lost.page.locator("h1", { hasText: "There is no such stream." }).waitFor();
  });

  await check("no fault, no violation of the policy, and no token in any address", async () => {
    for (const { faults, socketUrls, requestUrls } of [owner, viewer]) {
      assert.deepEqual(faults, []);
      assert.ok(socketUrls.length > 1);
      for (const url of socketUrls)
        assert.match(url, /\?batch=1&heartbeat=client(&since=\d+&epoch=[^&]+)?&ticket=[^&]+$/);
      for (const url of [...socketUrls, ...requestUrls]) assert.doesNotMatch(url, /token=|eyJ/);
    }
  });

  await check("who is signed out elsewhere is asked to sign in, and can watch on", async () => {
    const headers = { Authorization: `Bearer ${await viewer.token()}` };
    await fetch(`${origin}/api/v1/auth/logout`, { method: "POST", headers });
    await viewer.page.locator(".notices", { hasText: "Your session has ended." }).waitFor();
    await viewer.page.locator(".chat.closed", { hasText: "Sign in to read the chat" }).waitFor();
    await viewer.facts.filter({ hasText: "Ended" }).waitFor();
  });
}

if (!isChromiumHere()) {
  console.log("skipped: there is no Chromium here (apt-get install chromium, or set CHROMIUM to its path)");
  process.exit(0);
}
const server = new Server(PORT, { WEBHOOK_SECRET: SECRET });
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
