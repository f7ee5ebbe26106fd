/** From what happened to the endpoints that want to hear of it. */
import { and, eq, inArray } from "drizzle-orm";
import { z } from "zod";
import { BACKEND } from "../../auth/identities.ts";
import type { CallContext } from "../../db/call-context.ts";
import { inList } from "../../db/json.ts";
import type { Delivery } from "../../db/outbox.ts";
import { identities, webhookEvents, webhooks } from "../../db/tables.ts";
import { Anonymise } from "../../db/user-references.ts";
import { callObject } from "../../platform/objects.ts";
import { WebhookEventType } from "./contract.ts";
import { type EndpointRef, senderFor, sendersOf } from "./endpoint.ts";
import { peopleOf } from "./people.ts";
import type { QueuedEvent } from "./store.ts";

/** `id`: the same however often its source tells of it; without a full stop. */
export type News = { id: string; type: WebhookEventType; subject: string; at: number; data: Record<string, unknown> };

/** Keys that name a user in what is told of them. */
const PEOPLE = [
  "userId",
  "senderId",
  "receiverId",
  "ownerId",
  "reporterId",
  "hostId",
  "resolvedBy",
  "deletedBy",
] as const;

/**
 * Queues news for every endpoint that wants them, in their order: one call for each endpoint and object of it.
 * @throws if one of them did not take its share; those that did drop it when it comes again
 */
export async function tellEndpoints(ctx: CallContext, news: News[]): Promise<void> {
  const { wanted, externalIds } = await readWanted(ctx, news);
  const shares = new Map<string, QueuedEvent[]>();
  for (const one of news) {
    const endpoints = wanted.get(one.type) ?? [];
    if (endpoints.length === 0) continue;
    const { id, type, subject, data } = one;
    const event = { id, subject, body: bodyOf(one, externalIds), people: peopleOf(type, data) };
    for (const endpoint of endpoints) {
      const sender = senderFor(endpoint, one.subject);
      const share = shares.get(sender);
      if (share) share.push(event);
      else shares.set(sender, [event]);
    }
  }
  const { WEBHOOK_SENDER } = ctx.env;
  await Promise.all(
    [...shares].map(([name, events]) => callObject(ctx, WEBHOOK_SENDER, name, (to) => to.take(events))),
  );
}

type Wanted = { wanted: Map<string, EndpointRef[]>; externalIds: Map<number, string> };

/** One round trip. What products call their own people goes along, so that they need not ask. */
async function readWanted(ctx: CallContext, news: News[]): Promise<Wanted> {
  const types = [...new Set(news.map(({ type }) => type))];
  const people = [...new Set(news.flatMap(({ data }) => peopleIn(data).map(([, userId]) => userId)))];
  const { endpoints, known } = await ctx.db.batch({
    endpoints: ctx.db
      .select({ event: webhookEvents.event, id: webhooks.id, bornAt: webhooks.createdAt })
      .from(webhookEvents)
      .innerJoin(webhooks, eq(webhooks.id, webhookEvents.webhookId))
      .where(inArray(webhookEvents.event, types)),
    known: selectExternalIds(ctx, people),
  });
  const refs = endpoints.map(({ event, id, bornAt }) => ({ event, ref: { id, bornAt: bornAt.getTime() } }));
  const byEvent = Map.groupBy(refs, ({ event }) => event);
  return {
    wanted: new Map([...byEvent].map(([event, rows]) => [event, rows.map(({ ref }) => ref)])),
    externalIds: new Map(known.map(({ userId, subject }) => [userId, subject])),
  };
}

const selectExternalIds = (ctx: CallContext, userIds: number[]) =>
  ctx.db
    .select({ userId: identities.userId, subject: identities.subject })
    .from(identities)
    .where(and(eq(identities.issuer, BACKEND), inList(identities.userId, userIds)));

/** What a product calls its own people. */
export async function externalIdsOf(ctx: CallContext, userIds: number[]): Promise<Map<number, string>> {
  return new Map((await selectExternalIds(ctx, userIds)).map(({ userId, subject }) => [userId, subject]));
}

const peopleIn = (data: Record<string, unknown>): [key: string, userId: number][] =>
  PEOPLE.flatMap((key) => {
    const userId = data[key];
    return typeof userId === "number" ? [[key, userId]] : [];
  });

function bodyOf({ type, subject, at, data }: News, known: Map<number, string>): string {
  const externalIds = peopleIn(data).flatMap(([key, userId]) => {
    const subject = known.get(userId);
    return subject === undefined ? [] : [[key, subject]];
  });
  const named = externalIds.length === 0 ? data : { ...data, externalIds: Object.fromEntries(externalIds) };
  return JSON.stringify({ type, timestamp: new Date(at).toISOString(), subject, data: named });
}

/** A row of the outbox that a trigger wrote (migrations/0033). */
const Fact = z.object({
  type: WebhookEventType,
  subject: z.string(),
  at: z.number(),
  data: z.record(z.string(), z.unknown()),
});

/** The outbox's way to endpoints. An id of the outbox means one fact within a generation of the database. */
export async function tellFacts(ctx: CallContext, _noun: string, deliveries: Delivery[]): Promise<void> {
  const news = deliveries.map(({ id, payload, generation = "" }) => ({
    id: `${generation}-${id}`,
    ...Fact.parse(payload),
  }));
  await tellEndpoints(ctx, news);
}

/** The outbox's way to the objects of an endpoint that was deleted. */
export async function forgetEndpoint(ctx: CallContext, name: string): Promise<void> {
  const { WEBHOOK_SENDER } = ctx.env;
  await Promise.all(sendersOf(name).map((sender) => callObject(ctx, WEBHOOK_SENDER, sender, (to) => to.forget())));
}

/** The outbox's way to one object of an endpoint: somebody was erased. */
export async function deliverToSender(ctx: CallContext, name: string, deliveries: Delivery[]): Promise<void> {
  for (const { payload } of deliveries) {
    const { userId } = Anonymise.parse(payload);
    await callObject(ctx, ctx.env.WEBHOOK_SENDER, name, (sender) => sender.anonymise(userId));
  }
}
