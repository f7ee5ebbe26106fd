/** The users: found, banned, looked into, verified; and how every list is turned, filtered and kept over a reload. */
import assert from "node:assert/strict";
import { check } from "../checks.ts";
import { type Admin, openSocket } from "./admin.ts";

export async function checkUsers(admin: Admin): Promise<void> {
  const { page, server, people } = admin;

  await check("a user is found; what they wrote stays text", async () => {
    await page.focus('.side a[href="#users"]');
    await page.keyboard.press("Enter");
    await page.waitForSelector("tbody td:nth-child(2)");
    await admin.shoot("users-desktop");
    await page.fill("[type=search]", "victim");
    await page.waitForFunction(() => document.querySelector("tbody tr:only-child td.name") !== null);
    assert.match((await page.locator("tbody tr").first().textContent()) ?? "", /<img src=x onerror/);
    assert.equal(await page.locator("tbody img").count(), 0);
    assert.notEqual(await page.title(), "1");
  });

  await check("a connected user is banned: their socket closes with 4003", async () => {
    const { opened, closed } = openSocket(server, people.victim);
    await opened;
    await page.click("tbody tr >> text=Ban");
    await page.waitForSelector("dialog[open] textarea");
    await admin.shoot("ban-desktop");
    await page.keyboard.type("Sells what is not theirs");
    await page.click("dialog[open] button[type=submit]");
    await page.waitForSelector("text=User banned");
    assert.equal(await closed, 4003);
    await page.waitForSelector("tbody tr >> text=Unban");
  });

  await check("one user is shown with all that is known, and verified there", async () => {
    await page.click("tbody tr >> text=Open");
    await page.waitForSelector("dialog dl");
    await admin.shoot("user-desktop");
    await page.click("dialog >> text=Verify");
    await page.waitForSelector("dialog >> text=verified");
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog", { state: "detached" });
  });

  await check("a refused action is told in words", async () => {
    await page.fill("[type=search]", "boss");
    await page.waitForFunction(() => document.querySelector("tbody tr")?.textContent?.includes("boss"));
    await page.click("tbody tr >> text=Ban");
    await admin.giveReason("myself", "This is the last admin.");
  });

  await check("pages turn, and a filter starts again at the first", async () => {
    await admin.go("overview");
    await admin.go("users");
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
}
