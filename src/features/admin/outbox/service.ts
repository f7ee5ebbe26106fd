/** What admins do with deliveries that were put aside: see them, have them delivered again, give them up. */
import { eq, sql } from "drizzle-orm";
import { logEach, recordEach } from "../../../auth/audit.ts";
import type { UserCtx } from "../../../context.ts";
import { one } from "../../../db/batch.ts";
import { jsonObject } from "../../../db/json.ts";
import { deliverSoon, pendingFor } from "../../../db/outbox.ts";
import { parkedColumns, requeueParked } from "../../../db/outbox-parked.ts";
import { offsetOf, pagination } from "../../../db/page.ts";
import { outboxParked } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import { countMatches, hasPart } from "../search.ts";
import type { ParkedQuery } from "./contract.ts";

/** Oldest first. */
export async function listParked(ctx: UserCtx, query: ParkedQuery) {
  const where = hasPart([outboxParked.target, outboxParked.reason], query.search);
  const { rows, counted } = await ctx.db.batch({
    rows: ctx.db
      .select(parkedColumns)
      .from(outboxParked)
      .where(where)
      .orderBy(outboxParked.id)
      .limit(query.limit)
      .offset(offsetOf(query)),
    counted: countMatches(ctx, sql`${outboxParked} WHERE ${where ?? sql`true`}`),
  });
  const parked = rows.map((row) => ({
    ...row,
    createdAt: row.createdAt.toISOString(),
    parkedAt: row.parkedAt.toISOString(),
  }));
  return { parked, pagination: pagination(query, counted?.total ?? 0) };
}

/** Puts it behind what waits for the same receiver, and delivers all of that. @throws AppError NOT_FOUND */
export async function retryParked(ctx: UserCtx, id: number): Promise<string> {
  const { pending, unparked } = await ctx.db.batch({
    audited: record(ctx, id, "retry"),
    requeued: requeueParked(ctx, id),
    pending: pendingFor(ctx, sql`SELECT target FROM outbox_parked WHERE id = ${id}`),
    unparked: one(unpark(ctx, id)),
  });
  if (!unparked) throw new AppError("NOT_FOUND");
  logEach(ctx, "retry", "outbox", [id]);
  deliverSoon(ctx, pending);
  return "The delivery is tried again";
}

/** Nobody will be told. @throws AppError NOT_FOUND */
export async function discardParked(ctx: UserCtx, id: number, reason: string): Promise<string> {
  const { unparked } = await ctx.db.batch({
    audited: record(ctx, id, "discard", reason),
    unparked: one(unpark(ctx, id)),
  });
  if (!unparked) throw new AppError("NOT_FOUND");
  logEach(ctx, "discard", "outbox", [id]);
  return "The delivery is given up";
}

const unpark = (ctx: UserCtx, id: number) =>
  ctx.db.delete(outboxParked).where(eq(outboxParked.id, id)).returning({ id: outboxParked.id });

const record = (ctx: UserCtx, id: number, action: "retry" | "discard", reason?: string) =>
  recordEach(ctx, {
    action,
    targetType: "outbox",
    id: sql`outbox_parked.id`,
    from: sql`outbox_parked WHERE outbox_parked.id = ${id}`,
    reason,
    details: jsonObject({ target: sql`outbox_parked.target`, reason: sql`outbox_parked.reason` }),
  });
