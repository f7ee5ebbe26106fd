/** People as admins see them: the list, and one with all that is known. */
import { and, count, eq, inArray, isNotNull, type SQL, sql, sum } from "drizzle-orm";
import { quotaOf } from "../../../bytes/quota.ts";
import type { UserCtx } from "../../../context.ts";
import { one } from "../../../db/batch.ts";
import { searched } from "../../../db/folding.ts";
import { offsetOf, pagination } from "../../../db/page.ts";
import { prepared } from "../../../db/prepared-batch.ts";
import { reports, statsTotals, users, videos } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import { readUsage } from "../../files/service.ts";
import { readReports, toReportItem } from "../reports/service.ts";
import { type Searchable, searchPage } from "../search.ts";
import { readVideos, toVideoItem } from "../videos/service.ts";
import type { UserDetails, UserItem, UserListQuery } from "./contract.ts";

/** What a list shows of a user. */
const ITEM = {
  id: users.id,
  username: users.username,
  email: users.email,
  fullName: users.fullName,
  avatarUrl: users.avatarUrl,
  bio: users.bio,
  followerCount: users.followerCount,
  followingCount: users.followingCount,
  videoCount: users.videoCount,
  isVerified: users.isVerified,
  bannedAt: users.bannedAt,
  banReason: users.banReason,
  createdAt: users.createdAt,
  lastActiveAt: users.lastActiveAt,
};

type Row = Pick<typeof users.$inferSelect, keyof typeof ITEM>;

const toItem = (row: Row): UserItem => ({
  id: row.id,
  username: row.username,
  email: row.email,
  fullName: row.fullName,
  avatarUrl: row.avatarUrl,
  bio: row.bio,
  followerCount: row.followerCount,
  followingCount: row.followingCount,
  videoCount: row.videoCount,
  isVerified: row.isVerified,
  isBanned: row.bannedAt !== null,
  banReason: row.banReason,
  createdAt: row.createdAt.toISOString(),
  lastActive: row.lastActiveAt?.toISOString() ?? null,
});

const SEARCHED: Searchable = {
  table: users,
  id: users.id,
  index: "users_search",
  columns: [searched.username, searched.email, searched.fullName],
};

const SORTS = {
  created_at: sql`${users.createdAt}`,
  username: sql`${users.username} COLLATE NOCASE`,
  follower_count: sql`${users.followerCount}`,
};

const FILTERS: Record<UserListQuery["status"], { where: SQL | undefined; total: SQL<number> }> = {
  all: { where: undefined, total: sql`${statsTotals.users}` },
  active: {
    where: sql`${users.accountStatus} = 'active' AND ${users.bannedAt} IS NULL`,
    total: sql`${statsTotals.usersActive}`,
  },
  banned: { where: isNotNull(users.bannedAt), total: sql`${statsTotals.usersBanned}` },
};

type Sort = Pick<UserListQuery, "sort_by" | "order">;

const orderOf = ({ sort_by, order }: Sort): SQL =>
  sql`${SORTS[sort_by]} ${sql.raw(order)}, ${users.id} ${sql.raw(order)}`;

const unsearched = prepared(
  (db, status: UserListQuery["status"], sort_by: UserListQuery["sort_by"], order: UserListQuery["order"]) => {
    const sort = { sort_by, order };
    const ids = db
      .select({ id: users.id })
      .from(users)
      .where(FILTERS[status].where)
      .orderBy(orderOf(sort))
      .limit(sql.placeholder("limit"))
      .offset(sql.placeholder("offset"));
    return {
      rows: db.select(ITEM).from(users).where(inArray(users.id, ids)).orderBy(orderOf(sort)),
      counted: one(db.select({ total: FILTERS[status].total }).from(statsTotals)),
    };
  },
);

/**
 * A page of users. Without a search it reads an index from the page's end of the list and the page's own rows, so a page
 * costs its offset; totals are counters.
 */
export async function listUsers(ctx: UserCtx, query: UserListQuery) {
  const { status, sort_by, order, limit, search } = query;
  const offset = offsetOf(query);
  if (search === "") {
    const { rows, counted } = await ctx.db.again(unsearched(status, sort_by, order), { limit, offset });
    return { users: rows.map(toItem), pagination: pagination(query, counted?.total ?? 0) };
  }
  const page = { filter: FILTERS[status].where, order: orderOf(query), limit, offset };
  const { ids, total } = await searchPage(ctx, SEARCHED, search, page);
  const rows = await ctx.db.select(ITEM).from(users).where(inArray(users.id, ids)).orderBy(page.order);
  return { users: rows.map(toItem), pagination: pagination(query, total) };
}

const RECENT = 10;

/** @throws AppError NOT_FOUND */
export async function readUser(ctx: UserCtx, userId: number): Promise<UserDetails> {
  const isAbout = and(eq(reports.targetType, "user"), eq(reports.targetId, userId));
  const { row, totals, by, against, usage, recentVideos, reportsBy, reportsAgainst } = await ctx.db.batch({
    row: one(ctx.db.select().from(users).where(eq(users.id, userId))),
    totals: one(
      ctx.db
        .select({ likes: sum(videos.likes).mapWith(Number), views: sum(videos.views).mapWith(Number) })
        .from(videos)
        .where(eq(videos.ownerId, userId)),
    ),
    by: one(ctx.db.select({ count: count() }).from(reports).where(eq(reports.reporterId, userId))),
    against: one(ctx.db.select({ count: count() }).from(reports).where(isAbout)),
    usage: one(readUsage(ctx, userId)),
    recentVideos: readVideos(ctx, eq(videos.ownerId, userId), RECENT),
    reportsBy: readReports(ctx, eq(reports.reporterId, userId), RECENT),
    reportsAgainst: readReports(ctx, isAbout, RECENT),
  });
  if (!row) throw new AppError("NOT_FOUND");
  return {
    user: {
      ...toItem(row),
      phone: row.phone,
      displayName: row.displayName,
      role: row.role,
      accountStatus: row.accountStatus,
      bannedAt: row.bannedAt?.toISOString() ?? null,
      lastSeen: row.lastSeenAt?.toISOString() ?? null,
    },
    stats: {
      videos: row.videoCount,
      followers: row.followerCount,
      following: row.followingCount,
      total_likes: totals?.likes ?? 0,
      total_views: totals?.views ?? 0,
      reports_by_user: by?.count ?? 0,
      reports_against_user: against?.count ?? 0,
    },
    storage: {
      files: usage?.fileCount ?? 0,
      bytes: usage?.bytes ?? 0,
      reserved: usage?.reserved ?? 0,
      quota: quotaOf(ctx.config),
    },
    recent_videos: recentVideos.map(toVideoItem),
    recent_reports_by: reportsBy.map(toReportItem),
    recent_reports_against: reportsAgainst.map(toReportItem),
  };
}
