/** Friendships: asking, accepting, ending, listing. One row per pair, the smaller id first. */
import { and, count, desc, eq, ne, or, sql } from "drizzle-orm";
import type { UserCtx } from "../../context.ts";
import { one } from "../../db/batch.ts";
import { offsetOf, pagination } from "../../db/page.ts";
import { blocks, friendships, users } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { brief, briefColumns } from "../users/service.ts";
import type { AskFriend, Friend, FriendQuery } from "./contract.ts";
import { blockedBetween } from "./service.ts";

type Row = typeof friendships.$inferSelect;

const toFriend = (ctx: UserCtx, row: Row, user: Friend["user"]): Friend => ({
  user: brief(user),
  status: row.status,
  direction: row.requestedBy === ctx.actor.id ? "outgoing" : "incoming",
  since: row.since.toISOString(),
});

const pairOf = (ctx: UserCtx, otherId: number) => {
  const [lowId, highId] = [Math.min(ctx.actor.id, otherId), Math.max(ctx.actor.id, otherId)];
  return { lowId, highId, is: and(eq(friendships.lowId, lowId), eq(friendships.highId, highId)) };
};

/** The other one, and what is between us. */
const selectOther = (ctx: UserCtx, otherId: number) =>
  ctx.db
    .select({
      user: briefColumns,
      friendship: friendships,
      accountStatus: users.accountStatus,
      isBlocked: blockedBetween(ctx.actor.id, otherId),
    })
    .from(users)
    .leftJoin(friendships, pairOf(ctx, otherId).is)
    .where(eq(users.id, otherId));

/**
 * Asks somebody to be friends. Who was asked by them already accepts by this: both want it. Asking again changes nothing.
 * @throws AppError INVALID_REQUEST oneself · NOT_FOUND · FORBIDDEN one has blocked the other
 */
export async function askFriend(ctx: UserCtx, { friendId }: AskFriend): Promise<{ friend: Friend; isNew: boolean }> {
  const me = ctx.actor.id;
  if (friendId === me) throw new AppError("INVALID_REQUEST", "Nobody can befriend themself.");
  const { lowId, highId } = pairOf(ctx, friendId);
  const { changed, other } = await ctx.db.batch({
    changed: ctx.db
      .insert(friendships)
      .select(
        sql`SELECT ${lowId}, ${highId}, ${me}, 'pending', ${ctx.now.getTime()} FROM users u
          WHERE u.id = ${friendId} AND u.account_status = 'active' AND NOT ${blockedBetween(me, friendId)}`,
      )
      .onConflictDoUpdate({
        target: [friendships.lowId, friendships.highId],
        set: { status: "accepted", since: ctx.now },
        setWhere: and(eq(friendships.status, "pending"), ne(friendships.requestedBy, me)),
      })
      .returning({ status: friendships.status }),
    other: one(selectOther(ctx, friendId)),
  });
  if (other?.accountStatus !== "active") throw new AppError("NOT_FOUND");
  if (other.isBlocked || !other.friendship) throw new AppError("FORBIDDEN", "You cannot befriend this user.");
  return { friend: toFriend(ctx, other.friendship, other.user), isNew: changed[0]?.status === "pending" };
}

/**
 * Accepts a request. Accepting again changes nothing.
 * @throws AppError NOT_FOUND when this user has not asked
 */
export async function acceptFriend(ctx: UserCtx, otherId: number): Promise<Friend> {
  const hasAsked = and(eq(friendships.status, "pending"), eq(friendships.requestedBy, otherId));
  const { other } = await ctx.db.batch({
    accepted: ctx.db
      .update(friendships)
      .set({ status: "accepted", since: ctx.now })
      .where(and(pairOf(ctx, otherId).is, hasAsked)),
    other: one(selectOther(ctx, otherId)),
  });
  if (other?.friendship?.status !== "accepted") throw new AppError("NOT_FOUND", "This user has not asked.");
  return toFriend(ctx, other.friendship, other.user);
}

/**
 * Ends a friendship, declines a request, or takes one back.
 * @throws AppError NOT_FOUND when there is no such user
 */
export async function endFriendship(ctx: UserCtx, otherId: number): Promise<void> {
  const { other } = await ctx.db.batch({
    other: one(ctx.db.select({ id: users.id }).from(users).where(eq(users.id, otherId))),
    ended: ctx.db.delete(friendships).where(pairOf(ctx, otherId).is),
  });
  if (!other) throw new AppError("NOT_FOUND");
}

/** My friends, the requests to and by me, or whom I blocked; the latest first. Closed accounts are left out. */
export async function listFriends(ctx: UserCtx, query: FriendQuery) {
  if (query.status === "blocked") return listBlocked(ctx, query);
  const me = ctx.actor.id;
  const otherId = sql`CASE WHEN ${friendships.lowId} = ${me} THEN ${friendships.highId} ELSE ${friendships.lowId} END`;
  const isOther = and(eq(users.id, otherId), eq(users.accountStatus, "active"));
  const isMine = and(or(eq(friendships.lowId, me), eq(friendships.highId, me)), eq(friendships.status, query.status));
  const { counted, rows } = await ctx.db.batch({
    counted: one(ctx.db.select({ total: count() }).from(friendships).innerJoin(users, isOther).where(isMine)),
    rows: ctx.db
      .select({ friendship: friendships, user: briefColumns })
      .from(friendships)
      .innerJoin(users, isOther)
      .where(isMine)
      .orderBy(desc(friendships.since), desc(users.id))
      .limit(query.limit)
      .offset(offsetOf(query)),
  });
  return {
    friends: rows.map((row) => toFriend(ctx, row.friendship, row.user)),
    pagination: pagination(query, counted?.total ?? 0),
  };
}

async function listBlocked(ctx: UserCtx, query: FriendQuery) {
  const isMine = eq(blocks.blockerId, ctx.actor.id);
  const { counted, rows } = await ctx.db.batch({
    counted: one(
      ctx.db.select({ total: count() }).from(blocks).innerJoin(users, eq(users.id, blocks.blockedId)).where(isMine),
    ),
    rows: ctx.db
      .select({ since: blocks.since, user: briefColumns })
      .from(blocks)
      .innerJoin(users, eq(users.id, blocks.blockedId))
      .where(isMine)
      .orderBy(desc(blocks.since), desc(users.id))
      .limit(query.limit)
      .offset(offsetOf(query)),
  });
  const friends = rows.map(
    ({ since, user }): Friend => ({
      user: brief(user),
      status: "blocked",
      direction: "outgoing",
      since: since.toISOString(),
    }),
  );
  return { friends, pagination: pagination(query, counted?.total ?? 0) };
}
