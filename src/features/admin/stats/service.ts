/**
 * The admin's figures, read from what triggers keep (migrations/0007_admin.sql): the rows read do not depend on how much
 * there is. Overview: 1 row of totals, up to 9 of reports, 7 days. Charts: 7 days. Recent activity: up to 5 per item asked.
 */
import { and, desc, eq, gt, lte, sql, sum } from "drizzle-orm";
import type { UserCtx } from "../../../context.ts";
import { one } from "../../../db/batch.ts";
import { type Builder, prepared } from "../../../db/prepared-batch.ts";
import { reports, statsDays, statsReports, statsTotals, users, videos } from "../../../db/tables.ts";
import type { Charts, Overview, RecentActivity } from "./contract.ts";

const DAY_MS = 86_400_000;
const DAYS = 7;

const dayOf = (time: Date): number => Math.floor(time.getTime() / DAY_MS);
const dateOf = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

const lastDays = (db: Builder) =>
  db
    .select()
    .from(statsDays)
    .where(and(gt(statsDays.day, sql.placeholder("before")), lte(statsDays.day, sql.placeholder("today"))));

/** The placeholders of `lastDays`. */
const untilToday = ({ now }: UserCtx) => ({ before: dayOf(now) - DAYS, today: dayOf(now) });

type Day = typeof statsDays.$inferSelect;

/** The last 7 days, oldest first; a day on which nothing happened has no row, and all noughts here. */
function filled(rows: Day[], today: number): (Day & { date: string })[] {
  return Array.from({ length: DAYS }, (_, at) => {
    const day = today - DAYS + 1 + at;
    return { ...NOTHING, ...rows.find((row) => row.day === day), day, date: dateOf(day) };
  });
}

const NOTHING: Omit<Day, "day"> = {
  usersNew: 0,
  usersActive: 0,
  usersLastActive: 0,
  videosNew: 0,
  views: 0,
  likes: 0,
  comments: 0,
  follows: 0,
  reportsPending: 0,
  reportsResolved: 0,
  reportsRejected: 0,
  resolutions: 0,
};

const overview = prepared((db) => ({
  totals: one(db.select().from(statsTotals)),
  byStatus: db
    .select({ status: statsReports.status, count: sum(statsReports.count).mapWith(Number) })
    .from(statsReports)
    .groupBy(statsReports.status),
  rows: lastDays(db),
}));

export async function readOverview(ctx: UserCtx): Promise<Overview> {
  const { totals, byStatus, rows } = await ctx.db.again(overview(), untilToday(ctx));
  if (!totals) throw new Error("stats_totals has lost its row");
  const days = filled(rows, dayOf(ctx.now));
  const today = days.at(-1);
  const reportsOf = (status: string): number => byStatus.find((row) => row.status === status)?.count ?? 0;
  const [pending, resolved, rejected] = [reportsOf("pending"), reportsOf("resolved"), reportsOf("rejected")];
  const active = days.reduce((sum, day) => sum + day.usersLastActive, 0);
  return {
    users: {
      total: totals.users,
      active_7d: active,
      active,
      new_today: today?.usersNew ?? 0,
      banned: totals.usersBanned,
    },
    videos: {
      total: totals.videos,
      public: totals.videosPublic,
      private: totals.videos - totals.videosPublic,
      new_today: today?.videosNew ?? 0,
    },
    reports: {
      total: pending + resolved + rejected,
      pending,
      resolved,
      rejected,
      resolved_today: today?.resolutions ?? 0,
    },
    engagement: {
      total_likes: totals.likes,
      total_comments: totals.comments,
      total_follows: totals.follows,
      total_views: totals.views,
    },
  };
}

const charts = prepared((db) => ({ rows: lastDays(db) }));

export async function readCharts(ctx: UserCtx): Promise<Charts> {
  const { rows } = await ctx.db.again(charts(), untilToday(ctx));
  const days = filled(rows, dayOf(ctx.now));
  return {
    users_chart: days.map((day) => ({ date: day.date, count: day.usersNew, active: day.usersActive })),
    videos_chart: days.map((day) => ({ date: day.date, count: day.videosNew, views: day.views })),
    reports_chart: days.map((day) => ({
      date: day.date,
      pending: day.reportsPending,
      resolved: day.reportsResolved,
      rejected: day.reportsRejected,
    })),
    engagement_chart: days.map(({ date, likes, comments, follows }) => ({ date, likes, comments, follows })),
  };
}

/** The newest of each kind. Ids only grow, so the newest are found without an index of their own. */
const recentActivity = prepared((db) => ({
  recentUsers: db
    .select({
      id: users.id,
      username: users.username,
      email: users.email,
      createdAt: users.createdAt,
      avatarUrl: users.avatarUrl,
    })
    .from(users)
    .orderBy(desc(users.id))
    .limit(sql.placeholder("limit")),
  recentVideos: db
    .select({
      id: videos.id,
      title: videos.title,
      ownerId: videos.ownerId,
      ownerName: users.username,
      createdAt: videos.createdAt,
      views: videos.views,
      likes: videos.likes,
      visibility: videos.visibility,
    })
    .from(videos)
    .leftJoin(users, eq(users.id, videos.ownerId))
    .orderBy(desc(videos.id))
    .limit(sql.placeholder("limit")),
  recentReports: db
    .select({
      id: reports.id,
      reporterId: reports.reporterId,
      reporterName: users.username,
      targetType: reports.targetType,
      targetId: reports.targetId,
      reason: reports.reason,
      status: reports.status,
      createdAt: reports.createdAt,
    })
    .from(reports)
    .leftJoin(users, eq(users.id, reports.reporterId))
    .orderBy(desc(reports.id))
    .limit(sql.placeholder("limit")),
}));

export async function readRecentActivity(ctx: UserCtx, limit: number): Promise<RecentActivity> {
  const { recentUsers, recentVideos, recentReports } = await ctx.db.again(recentActivity(), { limit });
  return {
    recent_users: recentUsers.map(withIsoTime),
    recent_videos: recentVideos.map(withIsoTime),
    recent_reports: recentReports.map(withIsoTime),
  };
}

const withIsoTime = <T extends { createdAt: Date }>(row: T) => ({ ...row, createdAt: row.createdAt.toISOString() });
