/** Sends what a user's object has noted: to whom it still may be told, as it is now, and to every browser of theirs. */
import { encryptNotification } from "@block65/webcrypto-web-push";
import { z } from "zod";
import type { Ctx } from "../../context.ts";
import { inList } from "../../db/json.ts";
import { pushSubscriptions } from "../../db/tables.ts";
import type { DuePush, PushItem, PushOutcome } from "../../hub/pushes.ts";
import { logEvent } from "../../platform/log.ts";
import type { Frame } from "../../realtime/protocol.ts";
import type { Vapid } from "../../settings/web-push.ts";
import { payloadsOf } from "./content.ts";
import type { PushPayload } from "./contract.ts";
import { mayPushTo } from "./endpoints.ts";
import { quietUntil } from "./quiet-hours.ts";
import { type Receiver, readReceiver } from "./receiver.ts";
import { vapidHeader } from "./vapid.ts";

/** What is old by then is no news. */
const TTL_SECONDS = 24 * 60 * 60;
const TIMEOUT_MS = 10_000;

/** What is read of their frames. */
const DirectMessage = z.object({ id: z.number(), senderId: z.number(), receiverId: z.number() });
const Notification = z.object({ id: z.number() });

/** What of a user's frames their browsers are woken for. */
export function pushItemIn({ type, data }: Frame, userId: number): PushItem | null {
  if (type === "message:new") {
    const { id, senderId, receiverId } = DirectMessage.parse(data);
    return receiverId === userId ? { kind: "message", id, senderId } : null;
  }
  return type === "notification:new" ? { kind: "notification", id: Notification.parse(data).id } : null;
}

/** Never throws for what one push, or one push service, is to blame for. @throws the database's failures */
export async function sendPushes(ctx: Ctx, userId: number, due: DuePush[]): Promise<PushOutcome> {
  const { VAPID } = ctx.config;
  const receiver = VAPID && (await readReceiver(ctx, userId));
  if (!VAPID || !receiver || receiver.subscriptions.length === 0) return { isOn: false, done: [], left: [] };
  if (!receiver.isInGoodStanding) return { isOn: true, done: due.map(({ key }) => key), left: [] };
  const { quietHours } = receiver.settings;
  const until = quietHours ? quietUntil(quietHours, ctx.now.getTime()) : undefined;
  if (until !== undefined) return { isOn: true, done: [], left: [], until };
  const payloads = await payloadsOf(ctx, userId, receiver.settings, due);
  const outcome: PushOutcome = { isOn: true, done: [], left: [] };
  for (const push of due) {
    const payload = payloads.get(push.key);
    const to = receiver.subscriptions.filter(({ id }) => push.to === null || push.to.includes(id));
    const failed = payload ? await sendTo(ctx, VAPID, to, payload) : [];
    if (failed.length === 0) outcome.done.push(push.key);
    else outcome.left.push({ key: push.key, to: failed, isSent: failed.length < to.length });
  }
  return outcome;
}

type Sent = "sent" | "gone" | "later";

/** To all of them at once. @returns those to try again */
async function sendTo(ctx: Ctx, vapid: Vapid, to: Receiver["subscriptions"], payload: PushPayload): Promise<string[]> {
  const sent = await Promise.all(
    to.map(async (subscription) => ({ id: subscription.id, result: await sendOne(ctx, vapid, subscription, payload) })),
  );
  const idsOf = (result: Sent) => sent.filter((each) => each.result === result).map(({ id }) => id);
  const gone = idsOf("gone");
  if (gone.length > 0) await ctx.db.delete(pushSubscriptions).where(inList(pushSubscriptions.id, gone));
  return idsOf("later");
}

async function sendOne(
  ctx: Ctx,
  vapid: Vapid,
  { endpoint, p256dh, auth }: Receiver["subscriptions"][number],
  payload: PushPayload,
): Promise<Sent> {
  // PUSH_HOSTS may have been another when it was registered.
  if (!mayPushTo(ctx, endpoint)) return "gone";
  const controller = new AbortController();
  // Taken back: a timer that still ran would keep the user's object awake.
  const timer = setTimeout(() => controller.abort(), TIMEOUT_MS);
  try {
    const keys = { p256dh, auth };
    const text = new TextEncoder().encode(JSON.stringify(payload));
    const answer = await fetch(endpoint, {
      method: "POST",
      redirect: "manual",
      signal: controller.signal,
      headers: {
        Authorization: await vapidHeader(vapid, endpoint, ctx.now.getTime()),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        TTL: String(TTL_SECONDS),
        Urgency: payload.type === "notification" ? "normal" : "high",
      },
      body: await encryptNotification({ endpoint, expirationTime: null, keys }, text),
    });
    await answer.body?.cancel();
    return resultOf(answer.status);
  } catch (error) {
    logEvent("push.failed", {
      origin: new URL(endpoint).origin,
      error: error instanceof Error ? error.name : "unknown",
    });
    return "later";
  } finally {
    clearTimeout(timer);
  }
}

/** What a push service says (RFC 8030, 5 and 7.3). One that refuses this message will refuse it again: it is given up. */
function resultOf(status: number): Sent {
  if (status === 404 || status === 410) return "gone";
  if (status >= 200 && status < 300) return "sent";
  logEvent("push.refused", { status });
  return status === 429 || status >= 500 ? "later" : "sent";
}
