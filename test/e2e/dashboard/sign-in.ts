/** Who may see the dashboard: the page itself, who is refused, who is let in. */
import assert from "node:assert/strict";
import { check } from "../checks.ts";
import { type Admin, numbersIn, PASSWORD } from "./admin.ts";

export async function checkSignIn(admin: Admin): Promise<void> {
  const { page, server, people } = admin;

  await check("/admin serves the page, under a strict policy", async () => {
    const response = await page.goto(`${server.origin}/admin`);
    assert.equal(response?.status(), 200);
    const policy = response?.headers()["content-security-policy"] ?? "";
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    await admin.shoot("login");
  });

  await check("a wrong password, and somebody who is no admin, are refused in words, with a way back", async () => {
    await admin.logIn("boss", "wrong password");
    await page.locator(".gate .problem", { hasText: /wrong username or password/i }).waitFor();
    await page.fill("[name=password]", "");
    await admin.logIn("nobody", PASSWORD);
    await page.locator(".gate", { hasText: "this account is not an admin" }).waitFor();
    await admin.shoot("not-an-admin");
    await page.click("text=Back to the home page");
    await page.waitForURL(`${server.origin}/`);
    await page.goBack();
    await page.click("text=Sign in as somebody else");
  });

  await check("an admin logs in by keyboard alone and sees the figures of the API", async () => {
    await admin.logIn("boss", PASSWORD);
    await page.waitForSelector(".figures .big");
    const { body } = await server.call("/admin/stats/overview", { token: people.boss.token });
    const shown = await numbersIn(page.locator(".figures .big"));
    assert.deepEqual(shown, [body.users.total, body.videos.total, body.reports.pending, body.engagement.total_views]);
  });
}
