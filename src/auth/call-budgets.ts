/**
 * What one user may do in a minute over all of REST (SPEC 11), whatever they do it to. Their own object counts it, as it counts
 * their messages: a call of an object costs a seventh of a row.
 */
import type { UserCtx } from "../context.ts";
import { AppError } from "../errors.ts";
import { callObject, hubName } from "../platform/objects.ts";

/** `writes`: all that changes something. `searches`: searches, and other reads that cost much. */
export type CallBudget = "writes" | "searches";

/**
 * Counts one call. REST's middleware and route lines do it for every route; whatever else makes things for a user (a socket
 * that makes a room on first use) calls it before it makes them.
 * @throws AppError RATE_LIMIT with the seconds until there is budget again
 */
export async function chargeCall(ctx: UserCtx, budget: CallBudget): Promise<void> {
  const { actor, address, config, env } = ctx;
  const retryAfterSeconds = await callObject(ctx, env.USER_HUB, hubName(actor.id), (hub) =>
    hub.chargeCall(budget, address),
  );
  if (retryAfterSeconds === 0) return;
  const limit = { writes: config.RATE_LIMIT_WRITES, searches: config.RATE_LIMIT_SEARCHES }[budget];
  throw new AppError("RATE_LIMIT", `Over ${limit} ${budget} a minute.`, { retryAfterSeconds });
}
