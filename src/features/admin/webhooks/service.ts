/** Endpoints that hear what happens here: made, changed and deleted (SPEC 12). A change counts from the next event on. */
import { and, eq, isNotNull, isNull, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { AuditAction } from "../../../audit-terms.ts";
import { logEach, recordEach } from "../../../auth/audit.ts";
import type { UserCtx } from "../../../context.ts";
import { after, one } from "../../../db/batch.ts";
import { jsonObject } from "../../../db/json.ts";
import { deliverSoon, pendingFor } from "../../../db/outbox.ts";
import { offsetOf, pagination } from "../../../db/page.ts";
import { webhooks } from "../../../db/tables.ts";
import { noteListening } from "../../../db/webhook-facts.ts";
import { AppError } from "../../../errors.ts";
import { badField } from "../../../input.ts";
import { refusalOf } from "../../../platform/outside-address.ts";
import { listDeliveries, makeSecret, redeliver, tryEndpoint, WebhookEventType } from "../../webhooks/service.ts";
import { countMatches, hasPart } from "../search.ts";
import type { CreateWebhook, DeliveryQuery, NewWebhook, UpdateWebhook, Webhook, WebhookListQuery } from "./contract.ts";

type Row = typeof webhooks.$inferSelect;

const EventTypes = z.array(WebhookEventType);

const toWebhook = (row: Row): Webhook => ({
  id: row.id,
  url: row.url,
  events: EventTypes.parse(JSON.parse(row.events)),
  description: row.description,
  batchSize: row.batchSize,
  isActive: row.offAt === null,
  offReason: row.offReason,
  createdBy: row.createdBy,
  createdAt: row.createdAt.toISOString(),
});

/** More are a mistake: each of them is called for every event that it wants. */
const MOST = 50;

/** @throws AppError INVALID_REQUEST an address that must not be called · CONFLICT there are too many */
export async function createWebhook(ctx: UserCtx, { events, ...input }: CreateWebhook): Promise<NewWebhook> {
  requireCallable(ctx, input.url);
  const secret = makeSecret();
  const row = { ...input, events: JSON.stringify(events), secret, createdBy: ctx.actor.id, createdAt: ctx.now };
  const hasSpace = sql`(SELECT count(*) FROM webhooks) < ${MOST}`;
  const { made } = await ctx.db.batch({
    made: one(
      ctx.db
        .insert(webhooks)
        .select(
          sql`SELECT NULL, ${row.url}, ${row.description}, ${row.events}, ${row.batchSize}, ${secret}, ${row.createdBy},
            ${ctx.now.getTime()}, NULL, NULL, NULL WHERE ${hasSpace}`,
        )
        .returning(),
    ),
    audited: after("made", record(ctx, "create", sql`webhooks.id = last_insert_rowid() AND changes() > 0`)),
  });
  if (!made) throw new AppError("CONFLICT", `There may be ${MOST} endpoints.`);
  logEach(ctx, "create", "webhook", [made.id]);
  noteListening(true);
  return { ...toWebhook(made), secret };
}

const FILTERS: Record<WebhookListQuery["status"], SQL | undefined> = {
  all: undefined,
  on: isNull(webhooks.offAt),
  off: isNotNull(webhooks.offAt),
};

/** Oldest first, in one round trip. */
export async function listWebhooks(ctx: UserCtx, query: WebhookListQuery) {
  const { url, description, events } = webhooks;
  const where = and(FILTERS[query.status], hasPart([url, description, events], query.search)) ?? sql`true`;
  const { rows, counted } = await ctx.db.batch({
    rows: ctx.db.select().from(webhooks).where(where).orderBy(webhooks.id).limit(query.limit).offset(offsetOf(query)),
    counted: countMatches(ctx, sql`${webhooks} WHERE ${where}`),
  });
  return { webhooks: rows.map(toWebhook), pagination: pagination(query, counted?.total ?? 0) };
}

/** @throws AppError NOT_FOUND */
export async function readWebhook(ctx: UserCtx, id: number): Promise<Webhook> {
  return toWebhook(await findWebhook(ctx, id));
}

/** @throws AppError NOT_FOUND */
export async function findWebhook(ctx: UserCtx, id: number): Promise<Row> {
  const [row] = await ctx.db.select().from(webhooks).where(eq(webhooks.id, id));
  if (!row) throw new AppError("NOT_FOUND");
  return row;
}

/** @throws AppError NOT_FOUND · INVALID_REQUEST an address that must not be called */
export async function updateWebhook(ctx: UserCtx, id: number, input: UpdateWebhook): Promise<Webhook> {
  const { events, isActive, ...plain } = input;
  if (plain.url !== undefined) requireCallable(ctx, plain.url);
  const off = isActive ? { offAt: null, offReason: null } : { offAt: ctx.now, offReason: "Switched off by an admin" };
  const change = {
    ...plain,
    ...(events ? { events: JSON.stringify(events) } : {}),
    // Whoever switches it knows how it is: its failures count anew.
    ...(isActive === undefined ? {} : { ...off, failingSince: null }),
  };
  if (Object.keys(change).length === 0) return readWebhook(ctx, id);
  const { changed } = await ctx.db.batch({
    audited: record(ctx, "update", eq(webhooks.id, id)),
    changed: one(ctx.db.update(webhooks).set(change).where(eq(webhooks.id, id)).returning()),
  });
  if (!changed) throw new AppError("NOT_FOUND");
  logEach(ctx, "update", "webhook", [id]);
  return toWebhook(changed);
}

/** What waits for it is given up. @throws AppError NOT_FOUND */
export async function deleteWebhook(ctx: UserCtx, id: number): Promise<string> {
  const { gone, pending } = await ctx.db.batch({
    audited: record(ctx, "delete", eq(webhooks.id, id)),
    gone: one(ctx.db.delete(webhooks).where(eq(webhooks.id, id)).returning()),
    pending: pendingFor(ctx, sql`SELECT target FROM outbox WHERE target GLOB ${`endpoint:${id}-*`}`),
  });
  if (!gone) throw new AppError("NOT_FOUND");
  logEach(ctx, "delete", "webhook", [id]);
  deliverSoon(ctx, pending);
  return "The endpoint is deleted";
}

const refOf = (row: Row) => ({ id: row.id, bornAt: row.createdAt.getTime() });

/** What it was sent, newest first. @throws AppError NOT_FOUND */
export async function readDeliveries(ctx: UserCtx, id: number, query: DeliveryQuery) {
  return listDeliveries(ctx, refOf(await findWebhook(ctx, id)), query);
}

/** Sends an event again, under the id that it had. @throws AppError NOT_FOUND */
export async function sendAgain(ctx: UserCtx, { id, deliveryId }: { id: number; deliveryId: string }) {
  const endpoint = await noteDeed(ctx, id, "retry");
  return redeliver(ctx, refOf(endpoint), deliveryId);
}

/** Sends a test and answers what became of it. @throws AppError NOT_FOUND */
export async function testWebhook(ctx: UserCtx, id: number) {
  return tryEndpoint(ctx, refOf(await noteDeed(ctx, id, "test")));
}

/** @throws AppError NOT_FOUND */
async function noteDeed(ctx: UserCtx, id: number, action: AuditAction): Promise<Row> {
  const { found } = await ctx.db.batch({
    audited: record(ctx, action, eq(webhooks.id, id)),
    found: one(ctx.db.select().from(webhooks).where(eq(webhooks.id, id))),
  });
  if (!found) throw new AppError("NOT_FOUND");
  logEach(ctx, action, "webhook", [id]);
  return found;
}

/** @throws AppError INVALID_REQUEST */
export function requireCallable({ config, origin }: UserCtx, url: string): void {
  const refusal = refusalOf(url, config, origin);
  if (refusal) throw badField("url", refusal);
}

const record = (ctx: UserCtx, action: AuditAction, which: ReturnType<typeof sql>) =>
  recordEach(ctx, {
    action,
    targetType: "webhook",
    id: webhooks.id,
    from: sql`webhooks WHERE ${which}`,
    details: jsonObject({ url: webhooks.url, events: sql`json(${webhooks.events})` }),
  });
