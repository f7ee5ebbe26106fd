/** What one user may do in a minute over all of REST, spent for tests. */
import { env } from "cloudflare:workers";
import { chargeCall } from "../../src/auth/call-budgets.ts";
import { actingAs, startContext, type UserCtx } from "../../src/context.ts";
import type { TestUser } from "./api.ts";

/** RATE_LIMIT_WRITES and RATE_LIMIT_SEARCHES, as they are unless they are set. */
const LIMITS = { writes: 300, searches: 120 };
type Budget = keyof typeof LIMITS;

export const contextOf = (user: TestUser): UserCtx =>
  actingAs(startContext({ env, address: user.address, later: () => undefined }), {
    kind: "user",
    id: user.id,
    username: user.username,
    displayName: null,
    avatarUrl: null,
    role: "user",
    sessionId: "",
    expiresAt: 0,
    asOf: 0,
    generation: "",
    bornAt: 0,
  });

/** Leaves so much of the user's budget. */
export async function spendAllBut(left: number, user: TestUser, budget: Budget): Promise<void> {
  const calls = Array.from({ length: LIMITS[budget] - left }, () => chargeCall(contextOf(user), budget));
  await Promise.all(calls);
}
