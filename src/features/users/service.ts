/** People: how they are shown, and to whom. */
import { and, eq, sql } from "drizzle-orm";
import { actorId, type Ctx, isAdmin } from "../../context.ts";
import { users } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
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
export const listedColumns = {
  ...briefColumns,
  fullName: users.fullName,
  isVerified: users.isVerified,
  followerCount: users.followerCount,
};

/** Whether there is anything to see of a user: an account that is not active exists only for admins. */
export const isShown = (ctx: Ctx, userId: number) =>
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
