/** A user as somebody to push to. */
import { eq } from "drizzle-orm";
import type { Ctx } from "../../context.ts";
import { isInGoodStanding } from "../../db/standing.ts";
import { pushSettings, pushSubscriptions, users } from "../../db/tables.ts";
import type { PushSettings } from "./contract.ts";
import { toSettings } from "./settings.ts";

export type Receiver = {
  /** Not banned, and active. */
  isInGoodStanding: boolean;
  subscriptions: (typeof pushSubscriptions.$inferSelect)[];
  settings: PushSettings;
};

/** Where the user is reached, and when they may be. */
export async function readReceiver(ctx: Ctx, userId: number): Promise<Receiver> {
  const { standing, subscriptions, settings } = await ctx.db.batch({
    standing: ctx.db
      .select({ isGood: isInGoodStanding(userId) })
      .from(users)
      .where(eq(users.id, userId)),
    subscriptions: ctx.db.select().from(pushSubscriptions).where(eq(pushSubscriptions.userId, userId)),
    settings: ctx.db.select().from(pushSettings).where(eq(pushSettings.userId, userId)),
  });
  return { isInGoodStanding: Boolean(standing[0]?.isGood), subscriptions, settings: toSettings(settings[0]) };
}
