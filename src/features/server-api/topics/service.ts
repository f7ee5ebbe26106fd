/** Topics: who may hear one, and the tokens that say so. */
import { sql } from "drizzle-orm";
import { recordEach } from "../../../auth/audit.ts";
import type { ServerCtx, UserCtx } from "../../../context.ts";
import { AppError } from "../../../errors.ts";
import type { HubTopics } from "../../../hub/topics.ts";
import type { Connection } from "../../../realtime/connection.ts";
import { findOwnUser } from "../users/find.ts";
import { askTopic } from "./client.ts";
import type { MakeTopicToken, TopicState } from "./contract.ts";
import { readTopicToken, signTopicToken } from "./tokens.ts";

/**
 * Until when the user may hear a topic, ms; null: for as long as they are signed in.
 * @throws AppError FORBIDDEN neither TOPICS_OPEN nor the token names it for them
 */
export async function mayHear(ctx: UserCtx, topic: string, token: string | undefined): Promise<number | null> {
  const { config, actor, now } = ctx;
  if (token !== undefined) return readTopicToken(config, token, { topic, userId: actor.id, now });
  if (config.TOPICS_OPEN.some((pattern) => pattern.test(topic))) return null;
  throw new AppError("FORBIDDEN", "This topic takes a topic token.");
}

type Subscribe = { topic: string; since?: number | undefined; epoch?: string | undefined; token?: string | undefined };

/**
 * A connection of the event socket hears a topic from now on.
 * @throws AppError FORBIDDEN · RATE_LIMIT the user hears too many, or too many hear it
 */
export async function subscribe(
  ctx: UserCtx,
  topics: HubTopics,
  connection: Connection | undefined,
  { token, ...input }: Subscribe,
) {
  if (!connection) throw new AppError("INVALID_MESSAGE");
  const until = await mayHear(ctx, input.topic, token);
  const { state, isWhole } = await topics.subscribe(connection, { ...input, until });
  return { ...state, resync: !isWhole };
}

/** Hearing nothing is no mistake. */
export async function unsubscribe(topics: HubTopics, connection: Connection | undefined, topic: string): Promise<void> {
  if (connection) await topics.unsubscribe(connection, topic);
}

/** @throws AppError NOT_FOUND · FORBIDDEN somebody whom no key reaches */
export async function makeTopicToken(ctx: ServerCtx, { topic, expiresInSeconds, ...whom }: MakeTopicToken) {
  const isForAnybody = whom.userId === undefined && whom.externalId === undefined;
  const userId = isForAnybody ? undefined : (await findOwnUser(ctx, whom)).id;
  const expiresAt = new Date(Math.floor(ctx.now.getTime() / 1000 + expiresInSeconds) * 1000);
  await recordEach(ctx, {
    action: "token",
    targetType: "topic",
    id: sql`${topic}`,
    from: sql`(SELECT 1) WHERE true`,
    details: sql`${JSON.stringify({ userId: userId ?? null })}`,
  });
  return { token: await signTopicToken(ctx.config, { topic, userId, expiresAt }), expiresAt: expiresAt.toISOString() };
}

/** Of a topic that was never used, too: any name is one. */
export const readTopic = (ctx: ServerCtx, topic: string): Promise<TopicState> => askTopic(ctx, topic);
