/** Video sessions as admins see them: the list, and the end of one. */
import { and, eq, getTableColumns, isNotNull, isNull, type SQL, sql } from "drizzle-orm";
import { logEach, recordEach } from "../../../auth/audit.ts";
import type { UserCtx } from "../../../context.ts";
import { one } from "../../../db/batch.ts";
import { jsonObject } from "../../../db/json.ts";
import { deliverSoon } from "../../../db/outbox.ts";
import { offsetOf, pagination } from "../../../db/page.ts";
import { users, webrtcSessions } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import { endingSession, sessionIdCalled, toSession } from "../../webrtc/service.ts";
import { countMatches, hasPart } from "../search.ts";
import type { CallListQuery } from "./contract.ts";

const FILTERS: Record<CallListQuery["status"], SQL | undefined> = {
  all: undefined,
  open: isNull(webrtcSessions.endedAt),
  ended: isNotNull(webrtcSessions.endedAt),
};

const { title, chosenId, id, courseId } = webrtcSessions;

/** One round trip, in the order of the key: ids sort by the time they were made. */
export async function listCalls(ctx: UserCtx, query: CallListQuery) {
  const where =
    and(FILTERS[query.status], hasPart([title, chosenId, id, courseId, users.username], query.search)) ?? sql`true`;
  const { rows, counted } = await ctx.db.batch({
    rows: ctx.db
      .select({ call: getTableColumns(webrtcSessions), hostUsername: users.username })
      .from(webrtcSessions)
      .leftJoin(users, eq(users.id, webrtcSessions.hostId))
      .where(where)
      .orderBy(sql`${id} ${sql.raw(query.order)}`)
      .limit(query.limit)
      .offset(offsetOf(query)),
    counted: countMatches(
      ctx,
      sql`${webrtcSessions} LEFT JOIN ${users} ON ${users.id} = ${webrtcSessions.hostId} WHERE ${where}`,
    ),
  });
  const calls = rows.map(({ call, hostUsername }) => ({ ...toSession(call), hostUsername }));
  return { calls, pagination: pagination(query, counted?.total ?? 0) };
}

/** @throws AppError NOT_FOUND · CONFLICT it has ended */
export async function endCall(ctx: UserCtx, name: string, reason: string): Promise<string> {
  const called = sessionIdCalled(name);
  const isIt = sql`${id} = ${called}`;
  const { known, ended, pending } = await ctx.db.batch({
    known: one(ctx.db.select({ id }).from(webrtcSessions).where(isIt)),
    audited: recordEach(ctx, {
      action: "end",
      targetType: "call",
      id: sql`coalesce(${chosenId}, ${id})`,
      from: sql`${webrtcSessions} WHERE ${isIt} AND ${isNull(webrtcSessions.endedAt)}`,
      reason,
      details: jsonObject({ hostId: sql`nullif(${webrtcSessions.hostId}, 0)`, title }),
    }),
    ...endingSession(ctx, called, isIt),
  });
  if (!known) throw new AppError("NOT_FOUND");
  if (ended.length === 0) throw new AppError("CONFLICT", "The call has ended.");
  logEach(ctx, "end", "call", [name]);
  deliverSoon(ctx, pending);
  return "Call ended";
}
