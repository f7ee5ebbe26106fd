/** Web Push in the messenger, with a push service of the test's own: headless browsers have none. */
import assert from "node:assert/strict";
import { createECDH, randomBytes } from "node:crypto";
import type { BrowserContext, CDPSession, Page } from "playwright-core";

/** From here on a subscription of this page leads to `endpoint`. */
export async function giveSubscriptions(context: BrowserContext, endpoint: string): Promise<void> {
  await context.grantPermissions(["notifications"]);
  const curve = createECDH("prime256v1");
  const keys = { p256dh: curve.generateKeys("base64url"), auth: randomBytes(16).toString("base64url") };
  await context.addInitScript(
    (made) => {
      const read = () => sessionStorage.getItem("subscribed");
      const subscription = {
        toJSON: () => made,
        unsubscribe: async () => {
          sessionStorage.removeItem("subscribed");
          return true;
        },
      };
      Object.assign(PushManager.prototype, {
        subscribe: async () => {
          sessionStorage.setItem("subscribed", "1");
          return subscription;
        },
        getSubscription: async () => (read() ? subscription : null),
      });
    },
    { endpoint, keys },
  );
}

/** Wakes the page's service worker with a push, as the browser does. */
export async function deliverPush(page: Page, payload: object): Promise<void> {
  const session: CDPSession = await page.context().newCDPSession(page);
  const registered = new Promise<string>((resolve) => {
    session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const [first] = registrations;
      if (first) resolve(first.registrationId);
    });
  });
  await session.send("ServiceWorker.enable");
  const origin = new URL(page.url()).origin;
  const data = JSON.stringify(payload);
  await session.send("ServiceWorker.deliverPushMessage", { origin, registrationId: await registered, data });
  await session.detach();
}

/** Titles of the notifications that are shown. */
export const shownTitles = (page: Page): Promise<string[]> =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    return (await registration.getNotifications()).map(({ title }) => title);
  });

/** Clicks the notification that is shown. */
export async function clickNotification(context: BrowserContext): Promise<void> {
  const [worker] = context.serviceWorkers();
  assert.ok(worker, "There is no service worker.");
  // The browser's own event waits for what it is given; one of a script may not.
  await worker.evaluate(`registration.getNotifications().then(([notification]) => {
    const event = new ExtendableEvent("notificationclick");
    dispatchEvent(Object.assign(event, { notification, waitUntil: () => {} }));
  })`);
}
