/** An endpoint as its senders know it. What is true of it stands in the database; they ask anew when they send. */
import { and, eq, isNull, sql } from "drizzle-orm";
import type { Ctx } from "../../context.ts";
import { after } from "../../db/batch.ts";
import { deliverSoon, pendingFor } from "../../db/outbox.ts";
import { webhooks } from "../../db/tables.ts";
import { notify } from "../notifications/service.ts";

/** Objects share one endpoint's events by their subjects, so that the throughput of one is no ceiling. */
const SHARDS = 8;

/** An endpoint's number, and its birth: a restored database may give the number to another. */
export type EndpointRef = { id: number; bornAt: number };

const baseName = ({ id, bornAt }: EndpointRef): string => `${id}-${bornAt}`;

/** The object that keeps this subject's order. */
export function senderFor(endpoint: EndpointRef, subject: string): string {
  // FNV-1a: the same everywhere and for ever, since what waits has to be found again.
  let hash = 0x811c9dc5;
  for (let at = 0; at < subject.length; at += 1) hash = Math.imul(hash ^ subject.charCodeAt(at), 0x01000193) >>> 0;
  return `${baseName(endpoint)}.${hash % SHARDS}`;
}

/** All objects of an endpoint, by the first part of their names. */
export const sendersOf = (endpoint: EndpointRef | string): string[] => {
  const base = typeof endpoint === "string" ? endpoint : baseName(endpoint);
  return Array.from({ length: SHARDS }, (_, shard) => `${base}.${shard}`);
};

const NAME = /^(\d+)-(\d+)\.(\d+)$/;

/** From the name of an object. */
export function endpointIn(sender: string): EndpointRef & { shard: number } {
  const [, id, bornAt, shard] = NAME.exec(sender) ?? [];
  if (!id || !bornAt || !shard) throw new Error(`${sender} is the name of no sender.`);
  return { id: Number(id), bornAt: Number(bornAt), shard: Number(shard) };
}

export type Endpoint = {
  url: string;
  secret: string;
  batchSize: number;
  isActive: boolean;
  /** As far as this object knows: whether the endpoint has taken nothing for a while. */
  isFailing: boolean;
};

/** Null: it was deleted. */
export async function readEndpoint(ctx: Ctx, { id, bornAt }: EndpointRef): Promise<Endpoint | null> {
  const [row] = await ctx.db
    .select()
    .from(webhooks)
    .where(and(eq(webhooks.id, id), eq(webhooks.createdAt, new Date(bornAt))));
  if (!row) return null;
  const { url, secret, batchSize } = row;
  return { url, secret, batchSize, isActive: row.offAt === null, isFailing: row.failingSince !== null };
}

/** Notes that an endpoint took something, or that it did not; once for each time that this changes. It is what /metrics shows. */
export async function noteFailing(ctx: Ctx, { id, bornAt }: EndpointRef, isFailing: boolean): Promise<void> {
  const { failingSince, createdAt } = webhooks;
  await ctx.db
    .update(webhooks)
    .set({ failingSince: isFailing ? ctx.now : null })
    .where(and(eq(webhooks.id, id), eq(createdAt, new Date(bornAt)), isFailing ? isNull(failingSince) : undefined));
}

/** It hears nothing more until an admin switches it on again. Whoever made it is told; doing it again tells nobody. */
export async function switchOff(ctx: Ctx, { id }: EndpointRef, reason: string): Promise<void> {
  const madeIt = sql`(SELECT created_by FROM webhooks WHERE id = ${id})`;
  const isNews = sql`SELECT created_by AS user_id, 'webhook_off' AS type, id AS ref_id, 'webhook' AS target_type,
    id AS target_id, url AS target_title FROM webhooks WHERE changes() > 0 AND id = ${id}`;
  const { pending } = await ctx.db.batch({
    off: ctx.db
      .update(webhooks)
      .set({
        offAt: ctx.now,
        offReason: reason,
        failingSince: sql`coalesce(${webhooks.failingSince}, ${ctx.now.getTime()})`,
      })
      .where(and(eq(webhooks.id, id), isNull(webhooks.offAt))),
    audited: after(
      "off",
      ctx.db.run(sql`INSERT INTO audit (admin_id, admin_username, action, target_type, target_id, reason, details, request_id, created_at)
        SELECT 0, 'system', 'switch_off', 'webhook', ${String(id)}, ${reason}, json_object('url', url), ${ctx.requestId},
          ${ctx.now.getTime()} FROM webhooks WHERE changes() > 0 AND id = ${id}`),
    ),
    ...notify(ctx, { who: isNews, onlyAfter: "audited", isOfficial: true }),
    pending: pendingFor(ctx, sql`SELECT 'user:' || ${madeIt}`),
  });
  deliverSoon(ctx, pending);
}
