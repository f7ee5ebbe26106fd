/** People: how they are shown, and whether they are here. */
import { eq } from "drizzle-orm";
import type { Ctx } from "../../context.ts";
import { users } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import type { PersonBrief } from "./contract.ts";
import { isConnected } from "./hub-client.ts";

/** The columns of a PersonBrief. */
export const briefColumns = {
  id: users.id,
  username: users.username,
  displayName: users.displayName,
  avatarUrl: users.avatarUrl,
};

export const brief = (row: PersonBrief): PersonBrief => ({
  id: row.id,
  username: row.username,
  displayName: row.displayName,
  avatarUrl: row.avatarUrl,
});

/**
 * Online from a login or a first connection until logout or the close of the last one. The hub is only asked about users
 * whose row says that they are connected: it knows who vanished without a close.
 * @throws AppError NOT_FOUND
 */
export async function readStatus(ctx: Ctx, userId: number) {
  const [user] = await ctx.db
    .select({ connectedAt: users.connectedAt, onlineUntil: users.onlineUntil, lastSeenAt: users.lastSeenAt })
    .from(users)
    .where(eq(users.id, userId));
  if (!user) throw new AppError("NOT_FOUND");
  const hasJustLoggedIn = user.onlineUntil !== null && user.onlineUntil > ctx.now;
  const isOnline = hasJustLoggedIn || (user.connectedAt !== null && (await isConnected(ctx, userId)));
  return { isOnline, lastSeen: user.lastSeenAt?.toISOString() ?? null };
}
