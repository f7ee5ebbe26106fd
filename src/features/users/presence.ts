/** What the database knows of a user's presence: two writes per stay, none in between. */
import { eq } from "drizzle-orm";
import type { Ctx } from "../../context.ts";
import { users } from "../../db/tables.ts";
import { logFailure } from "../../platform/log.ts";

/** Written by the hub on a user's first connection and after the last one. */
export async function notePresence(ctx: Ctx, userId: number, isConnected: boolean): Promise<void> {
  const change = isConnected
    ? { connectedAt: ctx.now, onlineUntil: null }
    : { connectedAt: null, onlineUntil: null, lastSeenAt: ctx.now };
  try {
    await ctx.db.update(users).set(change).where(eq(users.id, userId));
  } catch (error) {
    // The hub answers for those the row says are connected; a stale row only costs a question.
    logFailure(ctx, "presence", error);
  }
}
