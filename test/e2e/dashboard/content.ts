/** What people made and what others say of it: reports and videos. */
import assert from "node:assert/strict";
import { check } from "../checks.ts";
import type { Admin } from "./admin.ts";

export async function checkContent(admin: Admin): Promise<void> {
  const { page } = admin;

  await check("a report is resolved, and leaves the pending ones", async () => {
    await admin.go("reports");
    await admin.shoot("reports-desktop");
    assert.match((await page.locator("tbody tr").first().textContent()) ?? "", /The newest report/);
    await page.click("tbody tr:first-child >> text=Resolve");
    await admin.giveReason("The seller is banned", "Report resolved");
    await page.waitForFunction(() => !document.querySelector("tbody")?.textContent?.includes("The newest report"));
  });

  await check("two videos are chosen and deleted together", async () => {
    await admin.go("videos");
    await page.check("tbody tr:nth-child(1) [type=checkbox]");
    await page.check("tbody tr:nth-child(2) [type=checkbox]");
    await admin.shoot("videos-desktop");
    await page.click("text=Delete chosen (2)");
    await admin.giveReason("Twice the same", "2 videos deleted");
  });
}
