/**
 * Calls between real browsers through the real server: `node test/e2e/webrtc.ts`. Takes about two minutes, most of which
 * is waiting for a page that hangs to be given up.
 */
import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { Caller, isChromiumHere, launch } from "./browser.ts";
import { check, finish } from "./checks.ts";
import { startServer } from "./server.ts";

const PORT = Number(process.env.PORT ?? 8880);
/** SPEC 2: a client that vanishes is gone from presence within 75 s; the alarm and this test's look add a little. */
const VANISHED_WITHIN_MS = 78_000;

const idOf = (caller: Caller, name: string): Promise<number> =>
  caller.page.evaluate(
    (displayName) => [...window.roomcast.people].find(([, person]) => person.displayName === displayName)?.[0] ?? 0,
    name,
  );

const state = (caller: Caller, name: string, what: string, value: unknown): Promise<void> =>
  caller.until(
    `for ${name}'s ${what} to be ${value}`,
    ({ name: displayName, what: key, value: wanted }) =>
      [...window.roomcast.people.values()].some(
        (person) => person.displayName === displayName && person[key] === wanted,
      ),
    { name, what, value },
  );

/** Both sides make an offer before either has seen the other's, then send them. */
async function collide(ann: Caller, bob: Caller): Promise<void> {
  const pages = [ann.page, bob.page];
  await Promise.all(
    pages.map((page) =>
      page.evaluate(() => {
        window.heldOffers = [];
        for (const { pc } of window.roomcast.peers.values()) pc.restartIce();
      }),
    ),
  );
  for (const caller of [ann, bob]) await caller.until("for an offer", () => window.heldOffers?.length === 1);
  const before = await Promise.all(pages.map((page) => page.evaluate(() => window.ufrags())));
  await Promise.all(pages.map((page) => page.evaluate(() => window.releaseOffers())));
  for (const [index, caller] of [ann, bob].entries()) {
    await caller.until(
      "for the collision to be settled",
      (old) =>
        [...window.roomcast.peers.values()].every(
          ({ pc }) => pc.signalingState === "stable" && pc.connectionState === "connected",
        ) && window.ufrags() !== old,
      before[index],
    );
    await caller.untilConnected(1);
  }
}

async function run(browser: Browser, url: string): Promise<void> {
  const ann = await Caller.enter(browser, `${url}/call`, "Ann");
  const invitation = ann.page.url();
  const bob = await Caller.enter(browser, invitation, "Bob");
  let cem: Caller | undefined;

  await check("two pages: sound and picture flow both ways", async () => {
    for (const caller of [ann, bob]) await caller.untilConnected(1);
  });

  await check("of the two exactly one is polite", async () => {
    const polite = await Promise.all(
      [ann, bob].map(({ page }) =>
        page.evaluate(() => [...window.roomcast.peers.values()].map((peer) => peer.isPolite)),
      ),
    );
    assert.deepEqual(polite.flat().sort(), [false, true]);
  });

  await check("what one switches, the other sees", async () => {
    for (const [button, what, values] of [
      ["#toggle-audio", "audioEnabled", [false, true]],
      ["#toggle-video", "videoEnabled", [false, true]],
      ["#toggle-hand", "handRaised", [true, false]],
    ] as const) {
      for (const value of values) {
        await bob.page.click(button);
        await state(ann, "Bob", what, value);
      }
    }
  });

  await check("a shared screen arrives as a picture of its own, and goes", async () => {
    await bob.page.click("#toggle-screen");
    await state(ann, "Bob", "screenSharing", true);
    const id = await idOf(ann, "Bob");
    await ann.until(
      "for the screen's picture",
      (key) => (document.querySelector<HTMLVideoElement>(`[data-key="${key}-screen"] video`)?.videoWidth ?? 0) > 0,
      String(id),
    );
    await bob.page.click("#toggle-screen");
    await state(ann, "Bob", "screenSharing", false);
    await ann.until("for the tile to go", (key) => !document.querySelector(`[data-key="${key}-screen"]`), String(id));
    await ann.untilConnected(1);
  });

  await check("glare, forced 10 times, ends connected", async () => {
    await Promise.all([ann, bob].map((caller) => caller.interceptOffers()));
    for (let time = 0; time < 10; time += 1) await collide(ann, bob);
    await Promise.all([ann, bob].map(({ page }) => page.evaluate(() => window.releaseOffers())));
  });

  await check("a reload is not seen, and media flows again", async () => {
    ann.received.length = 0;
    await bob.page.reload();
    await bob.until("to be back", () => window.roomcast?.isOnline === true);
    await bob.untilConnected(1);
    await ann.untilConnected(1);
    assert.deepEqual(
      ann.received.filter((type) => type === "webrtc:user_left" || type === "webrtc:user_joined"),
      [],
    );
  });

  await check("three pages: everybody sees and hears everybody", async () => {
    cem = await Caller.enter(browser, invitation, "Cem <b>");
    for (const caller of [ann, bob, cem]) await caller.untilConnected(2);
    const label = await ann.page.locator("#people-list .name", { hasText: "Cem" }).innerText();
    assert.match(label.replaceAll("\u2060", ""), /^Cem <b>/);
  });

  await check("the pages have complained of nothing", async () => {
    assert.deepEqual(
      [ann, bob, cem].flatMap((caller) => caller?.complaints ?? []),
      [],
    );
  });

  await check("a page that crashes leaves after the grace, one that hangs within the bound", async () => {
    const crashed = await bob.page.context().newCDPSession(bob.page);
    const started = Date.now();
    // Neither answers: the one is gone, the other busy for ever.
    crashed.send("Page.crash").catch(() => undefined);
    cem?.page
      .evaluate(() => {
        for (;;);
      })
      .catch(() => undefined);
    const gone = async (name: string, withinMs: number) => {
      await ann.until(
        `for ${name} to leave`,
        (displayName) => ![...window.roomcast.people.values()].some((person) => person.displayName === displayName),
        name,
        withinMs,
      );
      console.log(`     ${name} left after ${((Date.now() - started) / 1000).toFixed(1)} s`);
    };
    await gone("Bob", 20_000);
    await gone("Cem <\u2060b>", VANISHED_WITHIN_MS);
  });

  await check("who stays alone is told so, can leave, and can come again", async () => {
    await ann.page.locator("#status", { hasText: "Nobody else" }).waitFor();
    await ann.page.click("#leave");
    await ann.page.click("#again");
    await ann.page.click("#enter");
    await ann.until("to be back", () => window.roomcast.isOnline && window.roomcast.people.size === 1);
  });

  await check("the host ends the call for everybody", async () => {
    const dan = await Caller.enter(browser, invitation, "Dan");
    await dan.untilConnected(1);
    await ann.page.click("#end");
    for (const { page } of [ann, dan]) await page.locator("#over-reason", { hasText: "ended" }).waitFor();
  });

  await check("a wrong password is told in words", async () => {
    const page = await (await browser.newContext({ viewport: { width: 390, height: 844 } })).newPage();
    await page.goto(`${url}/call`);
    await page.fill("[name=username]", "nobody");
    await page.fill("[name=password]", "wrong password");
    await page.click("#signin .primary");
    await page.locator("#signin .problem", { hasText: "Wrong username or password" }).waitFor();
  });
}

if (!isChromiumHere()) {
  console.log("skipped: there is no Chromium here (apt-get install chromium, or set CHROMIUM to its path)");
  process.exit(0);
}
const server = await startServer(PORT);
try {
  const browser = await launch();
  try {
    await run(browser, server.origin);
  } finally {
    await browser.close();
  }
} finally {
  await server.stop();
}
finish();
