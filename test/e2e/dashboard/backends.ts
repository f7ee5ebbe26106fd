/** What the product's own backend has: keys, endpoints with their deliveries, and the hook before a message. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { Page } from "playwright-core";
import { check } from "../checks.ts";
import type { Admin } from "./admin.ts";
import { backends } from "./seed.ts";

/** A product's backend on this machine, which takes whatever comes; `types`: what it was told of. */
async function startBackend(): Promise<{ url: string; types: string[]; stop: () => void }> {
  const types: string[] = [];
  const backend = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    types.push(JSON.parse(Buffer.concat(chunks).toString()).type);
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));
  const address = backend.address();
  assert.ok(address !== null && typeof address === "object");
  return { url: `http://127.0.0.1:${address.port}/hooks`, types, stop: () => backend.close() };
}

/** Waits until an endpoint's secret is shown, and closes its dialog. */
async function closeSecret(page: Page): Promise<void> {
  await page.locator("dialog .copy-row code", { hasText: /^whsec_/ }).waitFor();
  await page.keyboard.press("Escape");
}

export async function checkBackends(admin: Admin): Promise<void> {
  const { page, server } = admin;

  await check("a key is made by keyboard, shown once, works, and is dead once revoked", async () => {
    await page.click('.side a[href="#keys"]');
    await page.waitForSelector("text=There is no key yet.");
    await admin.shoot("keys-empty");
    await page.focus("text=Create a key");
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog[open] [name=name]:focus");
    await page.keyboard.type("Backend of the shop");
    await page.keyboard.press("Enter");
    await page.waitForSelector("text=Choose at least one scope.");
    await page.focus("dialog [value=read]");
    await page.keyboard.press("Space");
    await admin.shoot("key-create");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    const line = page.locator("dialog:has-text('shown this once') .copy-row code");
    const key = (await line.textContent()) ?? "";
    assert.match(key, /^rc_/);
    await admin.shoot("key-once");
    assert.equal((await server.call("/server/presence?users=1", { token: key })).status, 200);
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog", { state: "detached" });
    await page.locator("tbody tr", { hasText: "Backend of the shop" }).waitFor();
    assert.ok(!(await page.content()).includes(key));
    await page.click("tbody tr >> text=Revoke");
    await page.click("dialog[open] button.danger");
    await page.waitForSelector("text=There is no key yet.");
    assert.equal((await server.call("/server/presence?users=1", { token: key })).status, 401);
  });

  await check("an endpoint is made, its secret shown once, tried, and its delivery seen and sent again", async () => {
    const backend = await startBackend();
    try {
      await page.click('.side a[href="#webhooks"]');
      await page.waitForSelector("text=There is no endpoint yet.");
      await page.waitForSelector("text=Nobody is asked.");
      await page.click("text=Create an endpoint");
      await page.fill("dialog [name=url]", "https://10.0.0.1/hooks");
      await page.check("dialog [value='room.created']");
      await page.click("dialog [type=submit]");
      await page.waitForSelector("dialog [name=url][aria-invalid=true]");
      await admin.shoot("webhook-create");
      await page.fill("dialog [name=url]", backend.url);
      await page.click("dialog [type=submit]");
      await closeSecret(page);
      await page.click("tbody tr >> text=Open");
      await page.waitForSelector("text=Nothing was sent to it yet.");
      await page.click("dialog >> text=Send a test");
      await page.waitForSelector("text=The endpoint took the test: answered 204");
      const delivery = page.locator(".deliveries li", { hasText: "webhook.test" });
      await delivery.locator("text=1 attempt: answered 204").waitFor();
      await page.fill(".deliveries [type=search]", "no such event");
      await page.waitForSelector(".deliveries >> text=Nothing matches.");
      await page.fill(".deliveries [type=search]", "WEBHOOK.test");
      await delivery.waitFor();
      assert.deepEqual(backend.types, ["webhook.test"]);
      await admin.shoot("webhook-open");
      await delivery.locator("text=Redeliver").click();
      await page.waitForSelector("text=It is sent again");
      await page.click("dialog >> text=Switch off");
      await page.waitForSelector("dialog >> text=Switched off by an admin");
      await page.click("dialog >> text=Delete…");
      await page.click("dialog button.danger.primary");
      await page.waitForSelector("text=There is no endpoint yet.");
    } finally {
      backend.stop();
    }
  });

  await check("who is asked before a message is set, seen and removed", async () => {
    await page.click("text=Set up the hook");
    await page.fill("dialog [name=url]", "https://example.com/ask");
    await page.selectOption("dialog [name=onFailure]", "allow");
    await page.click("dialog [type=submit]");
    await closeSecret(page);
    await page.waitForSelector(".hook >> text=Let the message through");
    await admin.shoot("hook-desktop");
    await page.click(".hook >> text=Remove…");
    await page.click("dialog button.danger");
    await page.waitForSelector("text=Nobody is asked.");
  });

  await check("keys and endpoints are searched, filtered and turned over", async () => {
    server.sql(backends);
    for (const [view, off] of [
      ["keys", "expired"],
      ["webhooks", "off"],
    ] as const) {
      await admin.go("overview");
      await admin.go(view);
      await page.waitForSelector('text="24 records"');
      await admin.shoot(`${view}-desktop`);
      await page.click("text=Next ›");
      await page.waitForSelector("text=Page 2 of 2");
      await page.fill(".filters [type=search]", "STELLE ÖST 12");
      await page.waitForSelector('text="1 record"');
      await page.fill(".filters [type=search]", "");
      await page.waitForSelector('text="24 records"');
      await page.selectOption(".filters [name=status]", off);
      await page.waitForSelector('text="1 record"');
      await page.locator("tbody tr", { hasText: off }).waitFor();
    }
  });
}
