/** Who follows whom. */
import { and, desc, eq, sql } from "drizzle-orm";
import type { Ctx, UserCtx } from "../../context.ts";
import { one } from "../../db/batch.ts";
import { deliverSoon, pendingFor } from "../../db/outbox.ts";
import { offsetOf, type PageQuery, pagination } from "../../db/page.ts";
import { follows, users } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { notify } from "../notifications/service.ts";
import { listedColumns, selectFollowCounts } from "../users/service.ts";
import { blockedBetween } from "./service.ts";

/**
 * Follows somebody, who is notified of the first time only.
 * @throws AppError INVALID_REQUEST oneself · NOT_FOUND · FORBIDDEN one has blocked the other
 */
export async function followUser(ctx: UserCtx, otherId: number) {
  const me = ctx.actor.id;
  if (otherId === me) throw new AppError("INVALID_REQUEST", "Nobody can follow themself.");
  const { other, pending } = await ctx.db.batch({
    followed: ctx.db
      .insert(follows)
      .select(
        sql`SELECT ${me}, u.id, ${ctx.now.getTime()} FROM users u
          WHERE u.id = ${otherId} AND u.account_status = 'active' AND NOT ${blockedBetween(me, otherId)}`,
      )
      .onConflictDoNothing(),
    ...notify(ctx, {
      who: sql`SELECT u.id AS user_id, 'follow' AS type, ${me} AS ref_id, 'user' AS target_type, u.id AS target_id,
          u.username AS target_title
        FROM users u WHERE u.id = ${otherId} AND changes() > 0 AND NOT EXISTS (SELECT 1 FROM notifications earlier
          WHERE earlier.actor_id = ${me} AND earlier.type = 'follow' AND earlier.ref_id = ${me}
            AND earlier.user_id = u.id)`,
      onlyAfter: "followed",
    }),
    other: one(
      ctx.db
        .select({
          accountStatus: users.accountStatus,
          followerCount: users.followerCount,
          isBlocked: blockedBetween(me, otherId),
        })
        .from(users)
        .where(eq(users.id, otherId)),
    ),
    pending: pendingFor(ctx, `user:${otherId}`),
  });
  if (other?.accountStatus !== "active") throw new AppError("NOT_FOUND");
  if (other.isBlocked) throw new AppError("FORBIDDEN", "You cannot follow this user.");
  deliverSoon(ctx, pending);
  return { following: true, followerCount: other.followerCount };
}

/** @throws AppError NOT_FOUND */
export async function unfollowUser(ctx: UserCtx, otherId: number) {
  const { other } = await ctx.db.batch({
    unfollowed: ctx.db
      .delete(follows)
      .where(and(eq(follows.followerId, ctx.actor.id), eq(follows.followedId, otherId))),
    other: one(ctx.db.select({ followerCount: users.followerCount }).from(users).where(eq(users.id, otherId))),
  });
  if (!other) throw new AppError("NOT_FOUND");
  return { following: false, followerCount: other.followerCount };
}

/**
 * Who follows somebody, the latest first. Closed accounts are not shown, but still counted: they may be restored.
 * @throws AppError NOT_FOUND
 */
export async function listFollowers(ctx: Ctx, userId: number, query: PageQuery) {
  const { counts, followers } = await ctx.db.batch({
    counts: one(selectFollowCounts(ctx, userId)),
    followers: ctx.db
      .select(listedColumns)
      .from(follows)
      .innerJoin(users, eq(users.id, follows.followerId))
      .where(and(eq(follows.followedId, userId), eq(users.accountStatus, "active")))
      .orderBy(desc(follows.createdAt), desc(follows.followerId))
      .limit(query.limit)
      .offset(offsetOf(query)),
  });
  if (!counts) throw new AppError("NOT_FOUND");
  return { followers, pagination: pagination(query, counts.followers) };
}

/**
 * Whom somebody follows, the latest first; closed accounts as above.
 * @throws AppError NOT_FOUND
 */
export async function listFollowing(ctx: Ctx, userId: number, query: PageQuery) {
  const { counts, following } = await ctx.db.batch({
    counts: one(selectFollowCounts(ctx, userId)),
    following: ctx.db
      .select(listedColumns)
      .from(follows)
      .innerJoin(users, eq(users.id, follows.followedId))
      .where(and(eq(follows.followerId, userId), eq(users.accountStatus, "active")))
      .orderBy(desc(follows.createdAt), desc(follows.followedId))
      .limit(query.limit)
      .offset(offsetOf(query)),
  });
  if (!counts) throw new AppError("NOT_FOUND");
  return { following, pagination: pagination(query, counts.following) };
}
