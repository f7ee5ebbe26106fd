/** How it looks: every section on a phone, and in the dark. */
import assert from "node:assert/strict";
import { check } from "../checks.ts";
import { type Admin, DESKTOP, PHONE } from "./admin.ts";

const SECTIONS = [
  ...["overview", "live", "users", "videos", "comments", "rooms", "streams", "calls", "files"],
  ...["reports", "keys", "webhooks", "media", "parked", "audit"],
];

export async function checkLooks(admin: Admin): Promise<void> {
  const { page, server, people } = admin;

  await check("everything fits a phone", async () => {
    const { token } = people.boss;
    const key = { name: "The shop", scopes: ["users", "tokens", "publish", "rooms", "read"] };
    await server.call("/admin/keys", { method: "POST", token, body: key });
    const webhook = { url: "https://hooks.shop.example/roomcast/events/of/the/messenger", events: ["room.created"] };
    await server.call("/admin/webhooks", { method: "POST", token, body: webhook });
    await page.setViewportSize(PHONE);
    for (const view of SECTIONS) {
      await admin.go(view);
      const spare = await page.evaluate(() => innerWidth - document.documentElement.scrollWidth);
      assert.ok(spare >= 0, `${view} is ${-spare} px too wide`);
      await admin.shoot(`${view}-phone`);
    }
    await page.setViewportSize(DESKTOP);
  });

  await check("dark is dark", async () => {
    await page.emulateMedia({ colorScheme: "dark" });
    await admin.go("overview");
    await admin.shoot("overview-dark");
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(ground, "rgb(14, 16, 22)");
  });
}
