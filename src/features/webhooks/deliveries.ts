/** What became of an endpoint's events: listed, sent again, tried. Its objects know; they are asked side by side. */
import type { Ctx } from "../../context.ts";
import { AppError } from "../../errors.ts";
import { callObject } from "../../platform/objects.ts";
import { type Delivery, type DeliveryState, EventBody } from "./contract.ts";
import { type EndpointRef, endpointIn, senderFor, sendersOf } from "./endpoint.ts";
import type { Queued } from "./store.ts";

const iso = (ms: number): string => new Date(ms).toISOString();

function toDelivery(sender: string, row: Queued): Delivery {
  const body = EventBody.parse(JSON.parse(row.body));
  return {
    id: `${endpointIn(sender).shard}-${row.n}`,
    eventId: row.event_id,
    type: body.type,
    subject: row.subject,
    state: row.state,
    attempts: row.attempts,
    status: row.status,
    reason: row.reason,
    createdAt: iso(row.at),
    settledAt: row.settled_at === null ? null : iso(row.settled_at),
    nextAttemptAt: row.state === "waiting" ? iso(row.due_at) : null,
    body,
  };
}

/** A position in all of them: a time, then an object, then a number there. */
type Cursor = { at: number; shard: number; n: number };

const CURSOR_TEXT = /^(\d{1,15})-(\d{1,2})-(\d{1,15})$/;
const NEWEST: Cursor = { at: Number.MAX_SAFE_INTEGER, shard: 0, n: 0 };

function parseCursor(cursor: string | undefined): Cursor {
  if (cursor === undefined) return NEWEST;
  const [, at, shard, n] = CURSOR_TEXT.exec(cursor) ?? [];
  if (!at || !shard || !n) throw new AppError("INVALID_REQUEST", "before: expected a nextCursor");
  return { at: Number(at), shard: Number(shard), n: Number(n) };
}

/** Of one time, those of a lower object come first. */
function beforeIn(shard: number, cursor: Cursor): { at: number; n: number } {
  if (shard === cursor.shard) return cursor;
  return { at: cursor.at, n: shard > cursor.shard ? Number.MAX_SAFE_INTEGER : 0 };
}

type Query = { before?: string | undefined; limit: number; state?: DeliveryState | undefined; search: string };

/** Newest first. @throws AppError INVALID_REQUEST for a cursor that is none */
export async function listDeliveries(ctx: Ctx, endpoint: EndpointRef, { before, limit, state, search }: Query) {
  const cursor = parseCursor(before);
  const pages = await Promise.all(
    sendersOf(endpoint).map(async (name, shard) => {
      const { WEBHOOK_SENDER } = ctx.env;
      const rows = await callObject(ctx, WEBHOOK_SENDER, name, (sender) =>
        sender.page(beforeIn(shard, cursor), limit + 1, state, search),
      );
      return rows.map((row) => ({ shard, row, name }));
    }),
  );
  const all = pages.flat().sort((a, b) => b.row.at - a.row.at || a.shard - b.shard || b.row.n - a.row.n);
  const shown = all.slice(0, limit);
  const last = shown.at(-1);
  const nextCursor = all.length > limit && last ? `${last.row.at}-${last.shard}-${last.row.n}` : null;
  return { deliveries: shown.map(({ name, row }) => toDelivery(name, row)), nextCursor };
}

const DELIVERY_ID = /^(\d{1,2})-(\d{1,15})$/;

/** @throws AppError NOT_FOUND */
export async function redeliver(ctx: Ctx, endpoint: EndpointRef, deliveryId: string): Promise<Delivery> {
  const [, shard, n] = DELIVERY_ID.exec(deliveryId) ?? [];
  const name = sendersOf(endpoint)[Number(shard)];
  if (!name) throw new AppError("NOT_FOUND");
  const row = await callObject(ctx, ctx.env.WEBHOOK_SENDER, name, (sender) => sender.redeliver(Number(n)));
  if (!row) throw new AppError("NOT_FOUND");
  return toDelivery(name, row);
}

/** Sends an event that means nothing, once, whether or not the endpoint is on. @throws AppError NOT_FOUND */
export async function tryEndpoint(ctx: Ctx, endpoint: EndpointRef): Promise<Delivery> {
  const subject = `webhook:${endpoint.id}`;
  const name = senderFor(endpoint, subject);
  const data = { webhookId: endpoint.id, message: "A test. Nothing has happened." };
  const body = JSON.stringify({ type: "webhook.test", timestamp: ctx.now.toISOString(), subject, data });
  const event = { id: `test-${crypto.randomUUID()}`, subject, body, people: [] };
  const row = await callObject(ctx, ctx.env.WEBHOOK_SENDER, name, (sender) => sender.trySending(event), {
    mayRepeat: false,
  });
  if (!row) throw new AppError("NOT_FOUND");
  return toDelivery(name, row);
}
