/** What a user wants to be pushed, and when not. */
import { eq } from "drizzle-orm";
import type { UserCtx } from "../../context.ts";
import { pushSettings } from "../../db/tables.ts";
import type { PushSettings, UpdatePushSettings } from "./contract.ts";

type Row = typeof pushSettings.$inferSelect;

/** As they are, or as they are without a word from the user. */
export const toSettings = (row: Row | undefined): PushSettings => ({
  messages: row?.messages ?? true,
  notifications: row?.notifications ?? true,
  quietHours:
    row?.quietFrom && row.quietTo && row.timeZone
      ? { from: row.quietFrom, to: row.quietTo, timeZone: row.timeZone }
      : null,
});

/** Changes what was named; the rest stays. */
export async function updatePushSettings(ctx: UserCtx, input: UpdatePushSettings): Promise<PushSettings> {
  const { quietHours, ...switches } = input;
  const change = {
    ...switches,
    ...(quietHours === undefined
      ? {}
      : {
          quietFrom: quietHours?.from ?? null,
          quietTo: quietHours?.to ?? null,
          timeZone: quietHours?.timeZone ?? null,
        }),
  };
  const own = eq(pushSettings.userId, ctx.actor.id);
  if (Object.keys(change).length === 0) {
    const [row] = await ctx.db.select().from(pushSettings).where(own);
    return toSettings(row);
  }
  const [row] = await ctx.db
    .insert(pushSettings)
    .values({ userId: ctx.actor.id, ...change })
    .onConflictDoUpdate({ target: pushSettings.userId, set: change })
    .returning();
  return toSettings(row);
}
