/** The admin on the other pages: who is signed in on one of them is signed in on all. */
import assert from "node:assert/strict";
import { check } from "../checks.ts";
import type { Admin } from "./admin.ts";

export async function checkOtherPages(admin: Admin): Promise<void> {
  const { page, server } = admin;

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
    const other = await page.context().newPage();
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
    await admin.shoot("docs-try");
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
    const other = await page.context().newPage();
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
}
