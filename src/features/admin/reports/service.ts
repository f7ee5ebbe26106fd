/** Reports as admins see them: the list, and one with its target. */
import { aliasedTable, and, desc, eq, inArray, type SQL, sql, sum } from "drizzle-orm";
import type { UserCtx } from "../../../context.ts";
import { one } from "../../../db/batch.ts";
import { offsetOf, pagination } from "../../../db/page.ts";
import { comments, reports, statsReports, users, videos } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import { countMatches, hasPart } from "../search.ts";
import type { ReportDetails, ReportItem, ReportListQuery, TargetInfo } from "./contract.ts";

const reporter = aliasedTable(users, "reporter");
const owner = aliasedTable(users, "owner");
const author = aliasedTable(users, "author");
const reported = aliasedTable(users, "reported");

const EXCERPT = 50;

const columns = {
  report: reports,
  reporterUsername: reporter.username,
  videoTitle: videos.title,
  ownerUsername: owner.username,
  excerpt: sql<string | null>`substr(${comments.content}, 1, ${sql.raw(String(EXCERPT))})`,
  authorUsername: author.username,
  reportedUsername: reported.username,
};

/** Reports with their targets; a query to put conditions and an order to. */
const selectReports = (ctx: UserCtx) =>
  ctx.db
    .select(columns)
    .from(reports)
    .leftJoin(reporter, eq(reporter.id, reports.reporterId))
    .leftJoin(videos, and(eq(reports.targetType, "video"), eq(videos.id, reports.targetId)))
    .leftJoin(owner, eq(owner.id, videos.ownerId))
    .leftJoin(comments, and(eq(reports.targetType, "comment"), eq(comments.id, reports.targetId)))
    .leftJoin(author, eq(author.id, comments.authorId))
    .leftJoin(reported, and(eq(reports.targetType, "user"), eq(reported.id, reports.targetId)));

type Row = Awaited<ReturnType<typeof selectReports>>[number];

/** The newest reports that `where` holds for; a query, for a batch. */
export const readReports = (ctx: UserCtx, where: SQL | undefined, limit: number) =>
  selectReports(ctx).where(where).orderBy(desc(reports.id)).limit(limit);

export const toReportItem = ({ report, ...row }: Row): ReportItem => ({
  id: report.id,
  reporterId: report.reporterId,
  reporterUsername: row.reporterUsername,
  targetType: report.targetType,
  targetId: report.targetId,
  reason: report.reason,
  details: report.details,
  status: report.status,
  result: report.result,
  resolvedBy: report.resolvedBy,
  resolvedAt: report.resolvedAt?.toISOString() ?? null,
  createdAt: report.createdAt.toISOString(),
  targetInfo: targetInfo(row),
});

function targetInfo(row: Omit<Row, "report">): TargetInfo | null {
  if (row.videoTitle !== null) return { title: row.videoTitle, ownerUsername: row.ownerUsername };
  if (row.excerpt !== null) return { content: row.excerpt, authorUsername: row.authorUsername };
  if (row.reportedUsername !== null) return { username: row.reportedUsername };
  return null;
}

const hasText = ({ search }: ReportListQuery) =>
  hasPart(
    [
      reports.reason,
      reports.details,
      reports.result,
      sql`(SELECT u.username FROM users u WHERE u.id = ${reports.reporterId})`,
    ],
    search,
  );

/** How many reports of this status and type there are: counters know. */
const countReports = (ctx: UserCtx, { status, target_type: type }: ReportListQuery) =>
  one(
    ctx.db
      .select({ total: sum(statsReports.count).mapWith(Number) })
      .from(statsReports)
      .where(
        and(
          status === "all" ? undefined : eq(statsReports.status, status),
          type === "all" ? undefined : eq(statsReports.targetType, type),
        ),
      ),
  );

/** A page of reports, by the index that has what is asked for; of all of a status and type, the total is a counter's. */
export async function listReports(ctx: UserCtx, query: ReportListQuery) {
  const { status, target_type: type, target_id: targetId } = query;
  const found = and(targetId === undefined ? undefined : eq(reports.targetId, targetId), hasText(query));
  const where = and(
    status === "all" ? undefined : eq(reports.status, status),
    type === "all" ? undefined : eq(reports.targetType, type),
    found,
  );
  const direction = sql.raw(query.order);
  const order = sql`${reports.createdAt} ${direction}, ${reports.id} ${direction}`;
  const ids = ctx.db
    .select({ id: reports.id })
    .from(reports)
    .where(where)
    .orderBy(order)
    .limit(query.limit)
    .offset(offsetOf(query));
  const { rows, totals } = await ctx.db.batch({
    rows: selectReports(ctx).where(inArray(reports.id, ids)).orderBy(order),
    totals: found ? countMatches(ctx, sql`${reports} WHERE ${where}`) : countReports(ctx, query),
  });
  return { reports: rows.map(toReportItem), pagination: pagination(query, totals?.total ?? 0) };
}

/** @throws AppError NOT_FOUND */
export async function readReport(ctx: UserCtx, reportId: number): Promise<ReportDetails> {
  const isIt = eq(reports.id, reportId);
  const person = { id: users.id, username: users.username, avatarUrl: users.avatarUrl };
  const { row, reportedBy, video, comment, user } = await ctx.db.batch({
    row: one(selectReports(ctx).where(isIt)),
    reportedBy: one(ctx.db.select(person).from(reports).innerJoin(users, eq(users.id, reports.reporterId)).where(isIt)),
    video: one(
      ctx.db
        .select({ video: videos, ownerUsername: users.username })
        .from(reports)
        .innerJoin(videos, eq(videos.id, reports.targetId))
        .leftJoin(users, eq(users.id, videos.ownerId))
        .where(and(isIt, eq(reports.targetType, "video"))),
    ),
    comment: one(
      ctx.db
        .select({ comment: comments, authorUsername: users.username })
        .from(reports)
        .innerJoin(comments, eq(comments.id, reports.targetId))
        .leftJoin(users, eq(users.id, comments.authorId))
        .where(and(isIt, eq(reports.targetType, "comment"))),
    ),
    user: one(
      ctx.db
        .select({ ...person, bio: users.bio, bannedAt: users.bannedAt })
        .from(reports)
        .innerJoin(users, eq(users.id, reports.targetId))
        .where(and(isIt, eq(reports.targetType, "user"))),
    ),
  });
  if (!row) throw new AppError("NOT_FOUND");
  return {
    report: toReportItem(row),
    reporter: reportedBy ?? null,
    target: (video && videoTarget(video)) ?? (comment && commentTarget(comment)) ?? (user && userTarget(user)) ?? null,
  };
}

type Target = NonNullable<ReportDetails["target"]>;

const videoTarget = (row: { video: typeof videos.$inferSelect; ownerUsername: string | null }): Target => ({
  id: row.video.id,
  title: row.video.title,
  description: row.video.description,
  videoUrl: row.video.videoUrl,
  thumbUrl: row.video.thumbUrl,
  visibility: row.video.visibility,
  ownerId: row.video.ownerId,
  ownerUsername: row.ownerUsername,
});

const commentTarget = (row: { comment: typeof comments.$inferSelect; authorUsername: string | null }): Target => ({
  id: row.comment.id,
  videoId: row.comment.videoId,
  content: row.comment.content,
  authorId: row.comment.authorId,
  authorUsername: row.authorUsername,
  createdAt: row.comment.createdAt.toISOString(),
});

type Reported = { id: number; username: string; avatarUrl: string | null; bio: string | null; bannedAt: Date | null };

const userTarget = ({ bannedAt, ...person }: Reported): Target => ({ ...person, isBanned: bannedAt !== null });
