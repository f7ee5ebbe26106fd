/** The audit as admins read it; auth/audit.ts writes it. */
import { and, count, desc, eq, getTableColumns, sql } from "drizzle-orm";
import { z } from "zod";
import { NO_ADMIN } from "../../../auth/audit.ts";
import type { UserCtx } from "../../../context.ts";
import { one } from "../../../db/batch.ts";
import { offsetOf, pagination } from "../../../db/page.ts";
import { audit, statsTotals } from "../../../db/tables.ts";
import { countMatches, hasPart } from "../search.ts";
import type { AuditEntry, AuditQuery } from "./contract.ts";

const { actKey: _actKey, ...shown } = getTableColumns(audit);

/** Newest first. */
export async function listAudit(ctx: UserCtx, query: AuditQuery) {
  const { action, adminId, keyId, targetType, targetId, search } = query;
  const filters = [
    action === undefined ? undefined : eq(audit.action, action),
    adminId === undefined ? undefined : eq(audit.adminId, adminId),
    keyId === undefined ? undefined : eq(audit.keyId, keyId),
    targetType === undefined ? undefined : eq(audit.targetType, targetType),
    targetId === undefined ? undefined : eq(audit.targetId, targetId),
  ];
  const isFiltered = filters.some((filter) => filter !== undefined);
  const found = hasPart([audit.adminUsername, audit.reason, audit.details, audit.targetId, audit.requestId], search);
  const where = and(...filters, found);
  const { rows, counted } = await ctx.db.batch({
    rows: ctx.db
      .select(shown)
      .from(audit)
      .where(where)
      .orderBy(desc(audit.id))
      .limit(query.limit)
      .offset(offsetOf(query)),
    counted: found
      ? countMatches(ctx, sql`${audit} WHERE ${where}`)
      : one(
          isFiltered
            ? ctx.db.select({ total: count() }).from(audit).where(where)
            : ctx.db.select({ total: statsTotals.audit }).from(statsTotals),
        ),
  });
  return { entries: rows.map(toEntry), pagination: pagination(query, counted?.total ?? 0) };
}

const Details = z.record(z.string(), z.unknown());

const toEntry = (row: Omit<typeof audit.$inferSelect, "actKey">): AuditEntry => ({
  ...row,
  adminId: row.adminId === NO_ADMIN ? null : row.adminId,
  details: row.details === null ? null : Details.parse(JSON.parse(row.details)),
  createdAt: row.createdAt.toISOString(),
});
