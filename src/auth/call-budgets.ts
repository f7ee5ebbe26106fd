/**
 * What one user may do in a minute over all of REST (SPEC 11), whatever they do it to. Isolates count it, and tell the user's
 * own object, which counts for all of them: a call of an object costs a seventh of a row.
 */
import { actingAs, type Ctx, type UserCtx } from "../context.ts";
import { AppError } from "../errors.ts";
import { callObject, hubName } from "../platform/objects.ts";
import type { Counted } from "./call-meter.ts";
import { spendMetered } from "./metered.ts";

/** `writes`: all that changes something. `searches`: searches, and other reads that cost much. */
export type CallBudget = "writes" | "searches";

const BUDGET_WINDOW_MS = 60_000;

/**
 * Counts one call. REST's middleware and route lines do it for every route; whatever else makes things for a user (a socket
 * that makes a room on first use) calls it before it makes them.
 * @throws AppError RATE_LIMIT with the seconds until there is budget again
 */
export async function chargeCall(ctx: UserCtx, budget: CallBudget): Promise<void> {
  const { actor, config } = ctx;
  const most = { writes: config.RATE_LIMIT_WRITES, searches: config.RATE_LIMIT_SEARCHES }[budget];
  const retryAfterSeconds = await spendMetered(ctx, {
    ...budgetOf(actor.id, budget, most),
    tell: (count) => tellHub(ctx, budget, count),
  });
  if (retryAfterSeconds > 0)
    throw new AppError("RATE_LIMIT", `Over ${most} ${budget} a minute.`, { retryAfterSeconds });
}

/** Counts one call of whoever it is; for who is no user there are other limits. @throws AppError as `chargeCall` */
export async function chargeUser(ctx: Ctx, budget: CallBudget): Promise<void> {
  if (ctx.actor.kind === "user") await chargeCall(actingAs(ctx, ctx.actor), budget);
}

/** What a hub counts of one user, as the meter knows it. */
export const budgetOf = (userId: number, budget: CallBudget | "messages", most: number) => ({
  key: `${budget}:${userId}:${most}`,
  most,
  windowMs: BUDGET_WINDOW_MS,
});

/** What was counted elsewhere. It stands on nothing that the call has yet to ask: its caller was known here before. */
const tellHub = ({ env, cost, config, actor, address }: UserCtx, budget: CallBudget, count: number): Promise<Counted> =>
  callObject({ cost, config }, env.USER_HUB, hubName(actor.id), (hub) => hub.countCalls(budget, count, address));
