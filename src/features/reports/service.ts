/** Reports: telling the moderators of something. */
import { and, eq, type SQL, sql } from "drizzle-orm";
import type { UserCtx } from "../../context.ts";
import { one } from "../../db/batch.ts";
import { reports, users, videos } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { isVisibleTo } from "../videos/service.ts";
import type { MakeReport, Report } from "./contract.ts";

type Row = typeof reports.$inferSelect;

const toReport = (row: Row): Report => ({
  id: row.id,
  reporterId: row.reporterId,
  targetType: row.targetType,
  targetId: row.targetId,
  reason: row.reason,
  details: row.details,
  status: row.status,
  result: row.result,
  resolvedAt: row.resolvedAt?.toISOString() ?? null,
  createdAt: row.createdAt.toISOString(),
});

/** A SELECT that yields a row if the target exists for whoever reports it. */
function selectTarget(ctx: UserCtx, { targetType, targetId }: MakeReport): SQL {
  switch (targetType) {
    case "video":
      return sql`SELECT 1 FROM ${videos} WHERE ${videos.id} = ${targetId} AND ${isVisibleTo(ctx.actor)}`;
    case "comment":
      return sql`SELECT 1 FROM comments c JOIN ${videos} ON ${videos.id} = c.video_id
        WHERE c.id = ${targetId} AND ${isVisibleTo(ctx.actor)}`;
    case "user":
      return sql`SELECT 1 FROM ${users} WHERE ${users.id} = ${targetId} AND ${users.accountStatus} = 'active'`;
  }
}

/**
 * Reports something. While a report of the same thing by the same person is pending, that one is answered and nothing is
 * made.
 * @throws AppError INVALID_REQUEST oneself · NOT_FOUND no such target, or none that the reporter can see
 */
export async function makeReport(ctx: UserCtx, input: MakeReport): Promise<{ report: Report; isNew: boolean }> {
  const me = ctx.actor.id;
  const { targetType, targetId, reason, details = null } = input;
  if (targetType === "user" && targetId === me) throw new AppError("INVALID_REQUEST", "Nobody can report themself.");
  const { made, pending } = await ctx.db.batch({
    made: one(
      ctx.db
        .insert(reports)
        .select(
          sql`SELECT NULL, ${me}, ${targetType}, ${targetId}, ${reason}, ${details}, 'pending', NULL, NULL, NULL,
          ${ctx.now.getTime()} WHERE EXISTS (${selectTarget(ctx, input)})`,
        )
        .onConflictDoNothing()
        .returning(),
    ),
    pending: one(
      ctx.db
        .select()
        .from(reports)
        .where(
          and(
            eq(reports.reporterId, me),
            eq(reports.targetType, targetType),
            eq(reports.targetId, targetId),
            // Written out, not bound: the planner takes a partial index only for a condition that it can see.
            sql`${reports.status} = 'pending'`,
            sql`EXISTS (${selectTarget(ctx, input)})`,
          ),
        ),
    ),
  });
  const report = made ?? pending;
  if (!report) throw new AppError("NOT_FOUND");
  return { report: toReport(report), isNew: made !== undefined };
}
