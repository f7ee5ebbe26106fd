/** Where a user's browsers are reached. */
import { and, eq, sql } from "drizzle-orm";
import { isOutsideSession, outsideTokenHash } from "../../auth/outside-session.ts";
import type { UserCtx } from "../../context.ts";
import { after } from "../../db/batch.ts";
import { deliverSoon, enqueueSelect, pendingFor } from "../../db/outbox.ts";
import { pushSubscriptions } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import type { HubPayload } from "../../hub/delivery.ts";
import { badField } from "../../input.ts";
import { fingerprint, randomSecret } from "../../platform/digest.ts";
import type { NewSubscription } from "./contract.ts";
import { mayPushTo } from "./endpoints.ts";

export { pushItemIn, sendPushes } from "./sending.ts";

const SUBSCRIPTIONS_MAX = 10;

/** @throws AppError NOT_FOUND Web Push is not set up */
export function readPushKey({ config: { VAPID } }: UserCtx): { key: string } {
  if (!VAPID) throw new AppError("NOT_FOUND", "Web Push is not set up here.");
  return { key: VAPID.publicKey };
}

/**
 * Registers a browser with the caller's session: it is pushed to until that ends. One that somebody else had registered is
 * the caller's from now on. Registering again renews it.
 * @throws AppError NOT_FOUND Web Push is not set up · INVALID_REQUEST an address or key that is none · CONFLICT 10 are registered
 */
export async function subscribe(ctx: UserCtx, { endpoint, keys }: NewSubscription): Promise<{ id: string }> {
  readPushKey(ctx);
  if (!mayPushTo(ctx, endpoint)) throw badField("endpoint", "must be https, at a push service that is allowed here");
  await requireKey(keys.p256dh);
  const { id: userId, sessionId } = ctx.actor;
  const [id, hash] = [randomSecret(16), await fingerprint(endpoint)];
  const payload: HubPayload = { hasPush: true };
  const { made, pending } = await ctx.db.batch({
    made: ctx.db
      .insert(pushSubscriptions)
      .select(
        sql`SELECT ${id}, ${userId}, ${sessionId}, ${hash}, ${endpoint}, ${keys.p256dh}, ${keys.auth}, ${ctx.now.getTime()}
          WHERE ${isLive(sessionId)} AND (SELECT count(*) FROM push_subscriptions
            WHERE user_id = ${userId} AND endpoint_hash <> ${hash}) < ${SUBSCRIPTIONS_MAX}`,
      )
      .onConflictDoUpdate({
        target: pushSubscriptions.endpointHash,
        set: {
          // Whoever had it before must not know it by its id.
          id: sql`iif(${pushSubscriptions.userId} = excluded.user_id, ${pushSubscriptions.id}, excluded.id)`,
          userId: sql`excluded.user_id`,
          sessionId: sql`excluded.session_id`,
          p256dh: sql`excluded.p256dh`,
          auth: sql`excluded.auth`,
        },
      })
      .returning({ id: pushSubscriptions.id }),
    told: after(
      "made",
      enqueueSelect(ctx, sql`SELECT ${`user:${userId}`}, ${JSON.stringify(payload)} WHERE changes() > 0`),
    ),
    pending: pendingFor(ctx, `user:${userId}`),
  });
  const [subscription] = made;
  if (!subscription) throw new AppError("CONFLICT", `${SUBSCRIPTIONS_MAX} browsers are registered. Remove one first.`);
  deliverSoon(ctx, pending);
  return subscription;
}

/** The session may have ended since the caller was let in. */
const isLive = (sessionId: string) =>
  isOutsideSession(sessionId)
    ? sql`NOT EXISTS (SELECT 1 FROM revoked_tokens WHERE hash = ${outsideTokenHash(sessionId)})`
    : sql`EXISTS (SELECT 1 FROM sessions WHERE id = ${sessionId})`;

/** A key that is no point of the curve would fail at every push. @throws AppError INVALID_REQUEST */
async function requireKey(p256dh: string): Promise<void> {
  const point = Uint8Array.fromBase64(p256dh, { alphabet: "base64url" });
  try {
    await crypto.subtle.importKey("raw", point, { name: "ECDH", namedCurve: "P-256" }, false, []);
  } catch {
    throw badField("keys.p256dh", "must be a point of P-256");
  }
}

/** @throws AppError NOT_FOUND the caller has none of this id */
export async function unsubscribe(ctx: UserCtx, id: string): Promise<void> {
  const removed = await ctx.db
    .delete(pushSubscriptions)
    .where(and(eq(pushSubscriptions.id, id), eq(pushSubscriptions.userId, ctx.actor.id)))
    .returning({ id: pushSubscriptions.id });
  if (removed.length === 0) throw new AppError("NOT_FOUND");
}
