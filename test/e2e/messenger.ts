/**
 * The messenger at /chat in real browsers against a real server: `node test/e2e/messenger.ts [--port 8910] [--screenshots DIR]`.
 * Needs a Chromium at CHROMIUM or /usr/bin/chromium; says so and ends well where there is none.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { option } from "../../scripts/tools.ts";
import { makeVapidKeys } from "../../scripts/vapid-keys.ts";
import { isChromiumHere, launch } from "./browser.ts";
import { check, finish } from "./checks.ts";
import { listen, openProvider } from "./identity-provider.ts";
import { clickNotification, deliverPush, giveSubscriptions, shownTitles } from "./messenger-push.ts";
import { startServer } from "./server.ts";
import { Talker } from "./talker.ts";

const port = Number(option(process.argv, "port") ?? "8910");
const shots = option(process.argv, "screenshots");
const GROUP = "Evening at the harbour";
const FIVE = [1, 2, 3, 4, 5];
const PUSH_SERVICE = `http://127.0.0.1:${port + 3}/subscription`;

/** Waits until something outside of the page is so. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`Waited in vain until ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

if (!isChromiumHere()) {
  console.log("skipped: there is no Chromium here (apt-get install chromium, or set CHROMIUM to its path)");
  process.exit(0);
}

async function run(browser: Browser, origin: string, pushed: { count: number }): Promise<void> {
  const ann = await Talker.open(browser, `${origin}/chat`, "ann");
  const bob = await Talker.open(browser, `${origin}/chat`, "bob");
  const both = [ann, bob];

  const shoot = async (name: string, who = ann) => {
    if (shots) await who.shoot(join(shots, name));
  };

  await check("a wrong password is told in words; two people make accounts", async () => {
    await ann.signIn("nobody", "wrong password");
    await ann.page.locator(".problem", { hasText: "password is wrong" }).waitFor();
    await shoot("sign-in");
    for (const one of both) await one.signUp();
    await ann.page.locator("text=No conversations yet.").waitFor();
    await shoot("empty");
  });

  await check("one makes a group with the other, who finds it in the list", async () => {
    await ann.makeGroup(GROUP, "bob");
    await ann.page.locator("text=Nobody has said anything yet.").waitFor();
    await shoot("empty-conversation");
    await bob.openRoom(GROUP);
    await ann.page.locator(".who", { hasText: "2 members, 2 here now" }).waitFor();
  });

  await check("they talk, and see typing, and that it was seen", async () => {
    await ann.type("Are you coming tonight?");
    await bob.page.locator(".typing", { hasText: "ann is typing" }).waitFor();
    await ann.page.keyboard.press("Enter");
    await bob.message("Are you coming tonight?").waitFor();
    await ann.message("Are you coming tonight?").locator(".state.seen").waitFor();
    await bob.type("Yes! I'll bring <b>lemons</b> & 1 < 2", true);
    await ann.message("lemons").waitFor();
    const [shown = ""] = await ann.message("lemons").locator(".prose").allTextContents();
    assert.equal(shown.replaceAll("\u2060", ""), "Yes! I'll bring <b>lemons</b> & 1 < 2");
  });

  await check("reactions, replies and edits, by keyboard alone, show at the other", async () => {
    await bob.message("coming tonight").focus();
    await bob.page.keyboard.press("r");
    await bob.page.keyboard.type("At eight, as always");
    await bob.page.keyboard.press("Enter");
    await ann.message("At eight").locator("blockquote", { hasText: "coming tonight" }).waitFor();
    await ann.message("At eight").focus();
    await ann.page.keyboard.press("Tab");
    await ann.page.keyboard.press("Enter");
    await ann.page.locator(".emoji-choice button").first().focus();
    await ann.page.keyboard.press("Enter");
    await bob.message("At eight").locator(".reactions button", { hasText: "👍 1" }).click();
    await ann.message("At eight").locator(".reactions button", { hasText: "👍 2" }).waitFor();
    await ann.page.getByRole("textbox", { name: "Message" }).focus();
    await ann.page.keyboard.press("ArrowUp");
    await ann.page.keyboard.press("End");
    await ann.page.keyboard.type(" It will be warm.");
    await ann.page.keyboard.press("Enter");
    await bob.message("It will be warm.").locator("text=edited").waitFor();
  });

  await check("a file is sent and opens at the other", async () => {
    await ann.page.setInputFiles("input[type=file]", {
      name: "harbour.png",
      mimeType: "image/png",
      buffer: await ann.picture(),
    });
    const picture = bob.page.locator(".message .picture img");
    await picture.waitFor();
    await bob.page.waitForFunction(() => {
      const shown = document.querySelector<HTMLImageElement>(".message .picture img");
      return shown?.complete && shown.naturalWidth > 0;
    });
    await ann.page.setInputFiles("input[type=file]", {
      name: "no.exe",
      mimeType: "application/x-msdownload",
      buffer: Buffer.from("MZ"),
    });
    await ann.page.locator(".composer .problem").waitFor();
    await shoot("error");
    await ann.page.click("[aria-label='Do not send the file']");
    await shoot("conversation");
    await shoot("conversation-other", bob);
  });

  await check("search finds parts of words", async () => {
    await ann.page.click("[aria-label='Search in this conversation']");
    await ann.page.keyboard.type("lemon");
    await ann.page.keyboard.press("Enter");
    await ann.page.locator(".found mark", { hasText: "lemon" }).waitFor();
    await shoot("search");
    await ann.page.keyboard.press("Escape");
    await ann.page.click("[aria-label='Members']");
    await ann.page.locator(".members", { hasText: "bob" }).waitFor();
    await shoot("members");
    await ann.page.click("[aria-label='Close group']");
  });

  await check("the network is cut, each writes five, it is back: all are there once, in one order, sent", async () => {
    for (const one of both) await one.page.context().setOffline(true);
    for (const one of both) await one.page.locator(".offline").waitFor();
    for (const number of FIVE) for (const one of both) await one.type(`${one.name} offline ${number}`, true);
    for (const one of both) assert.equal(await one.page.locator(".message.sending").count(), 5);
    await shoot("offline");
    for (const one of both) await one.page.context().setOffline(false);
    for (const one of both) await one.untilSent("offline", 10);
    const [anns, bobs] = await Promise.all(both.map((one) => one.contents("offline")));
    assert.deepEqual(anns, bobs);
    for (const { name } of both) {
      assert.deepEqual(
        anns?.filter((content) => content.startsWith(name)),
        FIVE.map((number) => `${name} offline ${number}`),
      );
    }
  });

  await check("what was unsent when the tab was closed goes out when the app is opened again", async () => {
    const { page } = ann;
    await page.context().setOffline(true);
    await page.locator(".offline").waitFor();
    await ann.type("written before the tab closed", true);
    await page.locator(".message.sending").waitFor();
    await page.goto("about:blank");
    await page.context().setOffline(false);
    await page.goto(`${origin}/chat`);
    await bob.message("written before the tab closed").waitFor();
    assert.equal(await bob.message("written before the tab closed").count(), 1);
    await ann.openRoom(GROUP);
  });

  await check("a tab that slept is up to date within a second of waking", async () => {
    await ann.sleep();
    await bob.say("while you slept");
    const tookMs = await ann.wakeUntil("while you slept");
    assert.ok(tookMs < 1000, `it took ${tookMs} ms`);
  });

  await check("a private conversation shows who is here, and what is unread", async () => {
    await bob.messagePerson("ann");
    await bob.page.locator(".who", { hasText: "online" }).waitFor();
    await bob.say("Just between us");
    await ann.room("bob").locator(".count", { hasText: "1" }).waitFor({ timeout: 30_000 });
    await ann.page.evaluate(() => location.assign("#/"));
    await ann.page.locator(".nothing").waitFor();
    await shoot("rooms");
    await ann.openRoom("bob");
    await ann.message("Just between us").waitFor();
  });

  await check("who switches it on is woken while away, and what is clicked opens", async () => {
    const { page } = bob;
    const bell = page.getByRole("button", { name: "Notify me" });
    const untilOn = (isOn: boolean) => page.getByRole("button", { name: "Notify me", pressed: isOn }).waitFor();
    await giveSubscriptions(page.context(), PUSH_SERVICE);
    await page.reload();
    await bell.click();
    await untilOn(true);
    await shoot("push", bob);
    await page.reload();
    await untilOn(true);
    const roomId = decodeURIComponent(new URL(page.url()).hash.slice(2));
    await page.goto("about:blank");
    await ann.openRoom("bob");
    await ann.say("Are you there?");
    await until(() => pushed.count > 0);
    await page.goto(`${origin}/chat`);
    await bob.room("ann").waitFor();
    const sender = { id: 1, username: "ann", displayName: "Ann", avatarUrl: null };
    await deliverPush(page, { type: "room", count: 2, tag: `room-${roomId}`, roomId, sender });
    await until(async () => (await shownTitles(page)).includes("Ann"));
    await clickNotification(page.context());
    await bob.message("Are you there?").waitFor();
    await bell.click();
    await untilOn(false);
  });

  await check("who leaves a group is shown the list; a message that is deleted goes for both", async () => {
    await bob.openRoom(GROUP);
    await bob.message("while you slept").focus();
    await bob.page.keyboard.press("Delete");
    await bob.page.click("dialog .danger");
    await ann.openRoom(GROUP);
    await bob.message("while you slept").waitFor({ state: "detached" });
    await ann.message("At eight").waitFor();
    assert.equal(await ann.message("while you slept").count(), 0);
    await bob.page.click("[aria-label='Members']");
    await bob.page.click("text=Leave the group");
    await bob.room(GROUP).waitFor({ state: "detached" });
  });

  await check("a provider's button leads there and back, and its user is in", async () => {
    const zoe = await Talker.open(browser, `${origin}/chat`, "zoe");
    await zoe.page.getByRole("button", { name: "Continue with Acme" }).waitFor();
    await shoot("providers", zoe);
    await zoe.page.getByRole("button", { name: "Continue with Acme" }).click();
    await zoe.page.fill("[name=login]", "zoe");
    await zoe.page.fill("[name=password]", "anything");
    await zoe.page.click("[type=submit]");
    await zoe.page.click("[type=submit]:has-text('Continue')");
    await zoe.page.locator(".rooms").waitFor();
    assert.equal(new URL(zoe.page.url()).pathname.replace(/\/$/, ""), "/chat");
  });

  await check("nothing is wider than a phone, signed in or out", async () => {
    for (const one of both) {
      await one.page.setViewportSize({ width: 390, height: 844 });
      const spare = await one.page.evaluate(() => innerWidth - document.documentElement.scrollWidth);
      assert.ok(spare >= 0, `${-spare} px too wide`);
    }
  });

  await check("the browsers had nothing to complain about", async () => {
    for (const one of both) assert.deepEqual(one.complaints, []);
  });
}

const origin = `http://127.0.0.1:${port}`;
const provider = await openProvider(port + 2, origin);
const pushed = { count: 0 };
const pushService = await listen(port + 3, (_, response) => {
  pushed.count += 1;
  response.writeHead(201).end();
});
const server = await startServer(port, {
  ...makeVapidKeys(),
  VAPID_SUBJECT: "mailto:admin@example.com",
  OIDC_PROVIDERS: provider.setting,
});
const browser = await launch();
try {
  await run(browser, server.origin, pushed);
} finally {
  await browser.close();
  await server.stop();
  for (const each of [provider, pushService]) each.close();
}
finish();
