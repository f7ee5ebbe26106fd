/** What the service wrote down: the audit, the calls of media servers, the deliveries that are parked. */
import assert from "node:assert/strict";
import { check } from "../checks.ts";
import type { Admin } from "./admin.ts";

export async function checkRecords(admin: Admin): Promise<void> {
  const { page } = admin;

  await check("the audit tells it all", async () => {
    await admin.go("audit");
    const rows = await page.locator("tbody tr").allTextContents();
    assert.equal(rows.length, 5);
    assert.match(rows.join("\n"), /ban[\s\S]*Sells what is not theirs/);
    assert.match(rows[2] ?? "", /resolve[\s\S]*The seller is banned/);
    await admin.shoot("audit-desktop");
  });

  await check("what media servers sent is listed, and found by its stream", async () => {
    await admin.go("media");
    await admin.shoot("media-desktop");
    await page.fill("[name=streamId]", "2");
    await page.waitForFunction(() => {
      const shown = [...document.querySelectorAll("tbody [data-label=Stream]")];
      return shown.length > 0 && shown.every(({ textContent }) => textContent === "2");
    });
  });

  await check("a parked delivery is tried again, another given up for a reason", async () => {
    await admin.go("parked");
    await admin.shoot("parked-desktop");
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
}
