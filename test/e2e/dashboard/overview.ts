/** The overview: its charts, what is new, and how often it asks for them. */
import assert from "node:assert/strict";
import { check } from "../checks.ts";
import { type Admin, numbersIn, statisticsAskedBy } from "./admin.ts";

export async function checkOverview(admin: Admin): Promise<void> {
  const { page, server, people } = admin;

  await check("four charts of seven days, and what is new", async () => {
    await page.waitForSelector(".charts canvas");
    assert.equal(await page.locator(".charts canvas").count(), 4);
    assert.equal(await page.locator(".charts tbody tr").count(), 28);
    const { body } = await server.call("/admin/stats/charts", { token: people.boss.token });
    const days: { likes: number }[] = body.engagement_chart;
    const likes = page.locator(".chart", { hasText: "Engagement" }).locator("tbody td:nth-child(2)");
    assert.deepEqual(
      await numbersIn(likes),
      days.map((day) => day.likes),
    );
    await page.waitForSelector(".recents li");
    assert.equal(await page.locator(".recents section").count(), 3);
    await admin.shoot("overview-desktop");
  });

  await check("it polls every 60 s and every 30 s, not in a hidden tab, and at once when it is back", async () => {
    const other = await page.context().newPage();
    await other.clock.install();
    const asked = statisticsAskedBy(other);
    await other.goto(`${server.origin}/admin`);
    await other.waitForSelector(".charts canvas");
    await other.waitForSelector(".recents li");
    asked.splice(0);
    const answered = (part: string) => other.waitForResponse((response) => response.url().includes(part));
    const first = answered("recent-activity");
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
    assert.deepEqual(asked.splice(0), []);
    const back = Promise.all([answered("recent-activity"), answered("overview"), answered("charts")]);
    await hide(false);
    await back;
    await other.close();
  });
}
