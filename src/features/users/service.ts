/** People: how they are shown, and whether they are here. */
import { and, eq, sql } from "drizzle-orm";
import { actorId, type Ctx, isAdmin } from "../../context.ts";
import { users } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { isConnected } from "../../hub/client.ts";
import { blockedBetween } from "../social/service.ts";
import type { PersonBrief, Profile } from "./contract.ts";

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

/** The columns of a PersonListed. */
export const listedColumns = { ...briefColumns, isVerified: users.isVerified, followerCount: users.followerCount };

/** Whether there is anything to see of a user: an account that is not active exists only for admins. */
const isShown = (ctx: Ctx, userId: number) =>
  and(eq(users.id, userId), isAdmin(ctx.actor) ? undefined : eq(users.accountStatus, "active"));

/** How many follow a user, and are followed; for the batch of a list of them. No row: nothing to see. */
export const selectFollowCounts = (ctx: Ctx, userId: number) =>
  ctx.db
    .select({ followers: users.followerCount, following: users.followingCount })
    .from(users)
    .where(isShown(ctx, userId));

/**
 * A public profile. A banned person's stays: a ban stops what they do, not what they are.
 * @throws AppError NOT_FOUND also for an account that is not active
 */
export async function readProfile(ctx: Ctx, userId: number): Promise<Profile> {
  const me = actorId(ctx.actor);
  const [row] = await ctx.db
    .select({
      ...listedColumns,
      fullName: users.fullName,
      bio: users.bio,
      followingCount: users.followingCount,
      videoCount: me === userId || isAdmin(ctx.actor) ? users.videoCount : users.publicVideoCount,
      isFollowing: sql<number>`EXISTS (SELECT 1 FROM follows mine
        WHERE mine.follower_id = ${me} AND mine.followed_id = ${users.id})`,
      createdAt: users.createdAt,
    })
    .from(users)
    .where(isShown(ctx, userId));
  if (!row) throw new AppError("NOT_FOUND");
  return { ...row, isFollowing: row.isFollowing === 1, createdAt: row.createdAt.toISOString() };
}

/**
 * Online from a login or a first connection until logout or the close of the last one. The hub is only asked about users
 * whose row says that they are connected: it knows who vanished without a close. Between two people of whom one has blocked
 * the other, nobody is ever here.
 * @throws AppError NOT_FOUND
 */
export async function readStatus(ctx: Ctx, userId: number) {
  const [user] = await ctx.db
    .select({
      connectedAt: users.connectedAt,
      onlineUntil: users.onlineUntil,
      lastSeenAt: users.lastSeenAt,
      isBlocked: blockedBetween(actorId(ctx.actor), userId),
    })
    .from(users)
    .where(isShown(ctx, userId));
  if (!user) throw new AppError("NOT_FOUND");
  if (user.isBlocked) return { isOnline: false, lastSeen: null };
  const hasJustLoggedIn = user.onlineUntil !== null && user.onlineUntil > ctx.now;
  const isOnline = hasJustLoggedIn || (user.connectedAt !== null && (await isConnected(ctx, userId)));
  return { isOnline, lastSeen: user.lastSeenAt?.toISOString() ?? null };
}
