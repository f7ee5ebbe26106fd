/** One row for every action on every item, in the transaction of the action. Nothing deletes them; erasing a person takes their words out (../erasure). */
import { and, count, desc, eq, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import { z } from "zod";
import type { ServerCtx, UserCtx } from "../../../context.ts";
import { one } from "../../../db/batch.ts";
import { offsetOf, pagination } from "../../../db/page.ts";
import { audit, statsTotals } from "../../../db/tables.ts";
import { logEvent } from "../../../platform/log.ts";
import type { AuditAction, AuditEntry, AuditQuery, AuditTarget } from "./contract.ts";

type Deed = {
  action: AuditAction;
  targetType: AuditTarget;
  /** The items: `id` of the rows of `from`, which has a WHERE. It must come before what makes them different. */
  id: SQLWrapper;
  from: SQL;
  reason?: string | undefined;
  /** A JSON object, made by the database from the row. */
  details?: SQL;
};

/** An admin, or the product's own backend by one of its keys. */
type Doer = UserCtx | ServerCtx;

/** Stands for the admin where a backend did it; no user has it. */
const NO_ADMIN = 0;

/** The statement that records an action on every item it is about to change, for the batch of the change. */
export function recordEach(ctx: Doer, { action, targetType, id, from, reason, details }: Deed) {
  const { actor, requestId, now } = ctx;
  const [adminId, name, keyId] =
    actor.kind === "user" ? [actor.id, actor.username, null] : [NO_ADMIN, actor.name, actor.keyId];
  return ctx.db.run(sql`
    INSERT INTO audit (admin_id, admin_username, action, target_type, target_id, reason, details, request_id, created_at, key_id)
    SELECT ${adminId}, ${name}, ${action}, ${targetType}, CAST(${id} AS TEXT), ${reason ?? null},
      ${details ?? sql`NULL`}, ${requestId}, ${now.getTime()}, ${keyId} FROM ${from}`);
}

/** The same, as lines in the log of the service (SPEC 11). */
export function logEach(
  { actor, requestId }: Doer,
  action: AuditAction,
  targetType: AuditTarget,
  ids: (number | string)[],
): void {
  const [event, doer] =
    actor.kind === "user" ? [`admin.${action}`, { adminId: actor.id }] : [`server.${action}`, { keyId: actor.keyId }];
  for (const targetId of ids) logEvent(event, { requestId, ...doer, targetType, targetId });
}

/** Newest first. */
export async function listAudit(ctx: UserCtx, query: AuditQuery) {
  const { action, adminId, keyId, targetType, targetId } = query;
  const filters = [
    action === undefined ? undefined : eq(audit.action, action),
    adminId === undefined ? undefined : eq(audit.adminId, adminId),
    keyId === undefined ? undefined : eq(audit.keyId, keyId),
    targetType === undefined ? undefined : eq(audit.targetType, targetType),
    targetId === undefined ? undefined : eq(audit.targetId, targetId),
  ];
  const isFiltered = filters.some((filter) => filter !== undefined);
  const where = and(...filters);
  const { rows, counted } = await ctx.db.batch({
    rows: ctx.db.select().from(audit).where(where).orderBy(desc(audit.id)).limit(query.limit).offset(offsetOf(query)),
    counted: one(
      isFiltered
        ? ctx.db.select({ total: count() }).from(audit).where(where)
        : ctx.db.select({ total: statsTotals.audit }).from(statsTotals),
    ),
  });
  return { entries: rows.map(toEntry), pagination: pagination(query, counted?.total ?? 0) };
}

const Details = z.record(z.string(), z.unknown());

const toEntry = (row: typeof audit.$inferSelect): AuditEntry => ({
  ...row,
  adminId: row.adminId === NO_ADMIN ? null : row.adminId,
  details: row.details === null ? null : Details.parse(JSON.parse(row.details)),
  createdAt: row.createdAt.toISOString(),
});
