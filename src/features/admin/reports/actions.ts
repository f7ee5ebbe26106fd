/** Closing reports: a report is closed once, by whichever admin comes first. */
import { and, eq, type SQL, sql } from "drizzle-orm";
import { logEach, recordEach } from "../../../auth/audit.ts";
import type { UserCtx } from "../../../context.ts";
import { inList, jsonObject } from "../../../db/json.ts";
import { deliverSoon, enqueueSelect, pendingFor } from "../../../db/outbox.ts";
import { reports } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import { frameFor } from "../../../hub/client.ts";
import { notify } from "../../notifications/service.ts";
import type { BulkDone } from "../base-contract.ts";

/** @throws AppError NOT_FOUND · CONFLICT when it is closed already */
export async function resolveReport(ctx: UserCtx, reportId: number, result: string): Promise<string> {
  await closeOne(ctx, reportId, "resolved", result);
  return "Report resolved";
}

/** The reason is what the reporter is told. @throws AppError NOT_FOUND · CONFLICT when it is closed already */
export async function rejectReport(ctx: UserCtx, reportId: number, reason: string): Promise<string> {
  await closeOne(ctx, reportId, "rejected", reason);
  return "Report rejected";
}

async function closeOne(ctx: UserCtx, reportId: number, status: "resolved" | "rejected", result: string) {
  const { notFound, skipped } = await closeReports(ctx, [reportId], status, result);
  if (notFound.length > 0) throw new AppError("NOT_FOUND");
  if (skipped.length > 0) throw new AppError("CONFLICT", "This report is closed already.");
}

/** Resolves those of up to 100 reports that are still pending, in one transaction. */
export async function resolveReports(ctx: UserCtx, ids: number[], result: string): Promise<BulkDone> {
  const { closed, notFound, skipped } = await closeReports(ctx, ids, "resolved", result);
  const message = `${closed.length} ${closed.length === 1 ? "report" : "reports"} resolved`;
  return { success: true, message, notFound, skipped };
}

/** Each reporter gets `admin:report_resolved` and a notification. */
async function closeReports(ctx: UserCtx, ids: number[], status: "resolved" | "rejected", result: string) {
  const isAsked = inList(sql`reports.id`, ids);
  const isPending = and(isAsked, eq(reports.status, "pending"));
  const meant = sql`reports WHERE ${isPending}`;
  const { closedRows, known, pending } = await ctx.db.batch({
    audited: recordEach(ctx, {
      action: status === "resolved" ? "resolve" : "reject",
      targetType: "report",
      id: reports.id,
      from: meant,
      reason: result,
      details: jsonObject({ targetType: sql`reports.target_type`, targetId: sql`reports.target_id` }),
    }),
    ...notify(ctx, {
      who: sql`SELECT reports.reporter_id AS user_id, 'report_resolved' AS type, reports.id AS ref_id,
        'report' AS target_type, reports.id AS target_id, NULL AS target_title FROM ${meant}`,
      made: madeFor(meant),
      isOfficial: true,
    }),
    told: enqueueSelect(
      ctx,
      sql`SELECT 'user:' || reports.reporter_id, ${frameFor("admin:report_resolved", {
        reportId: sql`reports.id`,
        status,
        result,
        resolvedAt: ctx.now.toISOString(),
      })} FROM ${meant}`,
    ),
    closedRows: ctx.db
      .update(reports)
      .set({ status, result, resolvedBy: ctx.actor.id, resolvedAt: ctx.now })
      .where(isPending)
      .returning({ id: reports.id }),
    known: ctx.db.select({ id: reports.id }).from(reports).where(isAsked),
    pending: pendingFor(ctx, sql`SELECT 'user:' || reports.reporter_id FROM reports WHERE ${isAsked}`),
  });
  const closed = closedRows.map((row) => row.id);
  const existing = known.map((row) => row.id);
  logEach(ctx, status === "resolved" ? "resolve" : "reject", "report", closed);
  deliverSoon(ctx, pending);
  return {
    closed,
    notFound: ids.filter((id) => !existing.includes(id)),
    skipped: existing.filter((id) => !closed.includes(id)),
  };
}

/** The notifications of this very call: the reports that they are about are still pending. */
const madeFor = (meant: SQL): SQL => sql`n.type = 'report_resolved' AND n.ref_id IN (SELECT id FROM ${meant})`;
