/**
 * Web Push in this browser: one service worker for all pages of this origin. A subscription ends with the session that registered
 * it, so each page that has the header registers it anew.
 */
import { call } from "/api.js";
import { currentSession } from "/session.js";

const WORKER = "/push-worker.js";

/** Whether this browser has all that is needed; on a phone, some have it in an installed app alone. */
export const canPush = () => "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

/** The subscription of this browser, or null. */
async function subscriptionHere() {
  if (!canPush()) return null;
  const registration = await navigator.serviceWorker.getRegistration(WORKER);
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** Whether this browser is notified. */
export const isPushOn = async () => Notification.permission === "granted" && (await subscriptionHere()) !== null;

const register = (subscription) => call("POST", "/push/subscriptions", subscription.toJSON());

/** Asks for permission, and has this browser notified. Throws a Refusal of the service; answers whether it was allowed. */
export async function switchPushOn() {
  const { key } = await call("GET", "/push/key");
  if ((await Notification.requestPermission()) !== "granted") return false;
  await navigator.serviceWorker.register(WORKER);
  const { pushManager } = await navigator.serviceWorker.ready;
  await register(await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
  return true;
}

/** This browser is notified no more, whoever is signed in. Throws a Refusal. */
export async function switchPushOff() {
  const subscription = await subscriptionHere();
  if (!subscription) return;
  const { id } = await register(subscription);
  await call("DELETE", `/push/subscriptions/${encodeURIComponent(id)}`);
  await subscription.unsubscribe();
}

/** Has it registered with the session of now. Guests are not told: they are gone with their tab. */
export async function renewPush() {
  const session = currentSession();
  if (!session || session.isGuest) return;
  const subscription = await subscriptionHere();
  if (subscription) await register(subscription);
}
