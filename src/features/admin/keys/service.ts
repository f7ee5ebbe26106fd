/** Keys of a product's own backend: made, listed and deleted. A deleted one is dead from the next request on. */
import { and, desc, eq, getTableColumns, gt, isNull, lte, or, type SQL, sql } from "drizzle-orm";
import type { AuditAction } from "../../../audit-terms.ts";
import { logEach, recordEach } from "../../../auth/audit.ts";
import { makeServerKey, scopesIn } from "../../../auth/server-keys.ts";
import type { UserCtx } from "../../../context.ts";
import { one } from "../../../db/batch.ts";
import { jsonObject } from "../../../db/json.ts";
import { offsetOf, pagination } from "../../../db/page.ts";
import { serverKeys } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import { badField } from "../../../input.ts";
import { countMatches, hasPart } from "../search.ts";
import type { CreateKey, KeyListQuery, NewKey, ServerKey } from "./contract.ts";

/** More are a mistake: one for each backend, and one more while it changes from one to the next. */
const MOST = 100;

/** @throws AppError INVALID_REQUEST an end that has passed · CONFLICT there are too many */
export async function createKey(ctx: UserCtx, { name, scopes, expiresAt }: CreateKey): Promise<NewKey> {
  const ends = expiresAt === undefined ? null : new Date(expiresAt);
  if (ends && ends <= ctx.now) throw badField("expiresAt", "has passed");
  const { id, key, hash } = await makeServerKey();
  const { made } = await ctx.db.batch({
    made: ctx.db
      .insert(serverKeys)
      .select(
        sql`SELECT ${id}, ${name}, ${hash}, ${JSON.stringify(scopes)}, ${ctx.actor.id}, ${ctx.now.getTime()},
          ${ends?.getTime() ?? null}, NULL WHERE (SELECT count(*) FROM server_keys) < ${MOST}`,
      )
      .returning({ id: serverKeys.id }),
    audited: record(ctx, "create", id),
  });
  if (made.length === 0) throw new AppError("CONFLICT", `There may be ${MOST} keys.`);
  logEach(ctx, "create", "key", [id]);
  return { id, name, scopes, expiresAt: ends?.toISOString() ?? null, key };
}

const { hash: _hash, ...shown } = getTableColumns(serverKeys);

function isOfStatus({ now }: UserCtx, status: KeyListQuery["status"]): SQL | undefined {
  const { expiresAt } = serverKeys;
  if (status === "all") return undefined;
  return status === "expired" ? lte(expiresAt, now) : or(isNull(expiresAt), gt(expiresAt, now));
}

/** Newest first, in one round trip. */
export async function listKeys(ctx: UserCtx, query: KeyListQuery) {
  const names = [serverKeys.name, sql`'rc_' || ${serverKeys.id}`];
  const where = and(isOfStatus(ctx, query.status), hasPart(names, query.search)) ?? sql`true`;
  const { rows, counted } = await ctx.db.batch({
    rows: ctx.db
      .select(shown)
      .from(serverKeys)
      .where(where)
      .orderBy(desc(serverKeys.createdAt), desc(serverKeys.id))
      .limit(query.limit)
      .offset(offsetOf(query)),
    counted: countMatches(ctx, sql`${serverKeys} WHERE ${where}`),
  });
  const keys = rows.map(
    (row): ServerKey => ({
      ...row,
      scopes: scopesIn(row.scopes),
      createdAt: row.createdAt.toISOString(),
      expiresAt: row.expiresAt?.toISOString() ?? null,
      lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    }),
  );
  return { keys, pagination: pagination(query, counted?.total ?? 0) };
}

/** @throws AppError NOT_FOUND */
export async function deleteKey(ctx: UserCtx, id: string): Promise<void> {
  const { gone } = await ctx.db.batch({
    audited: record(ctx, "delete", id),
    gone: one(ctx.db.delete(serverKeys).where(eq(serverKeys.id, id)).returning({ id: serverKeys.id })),
  });
  if (!gone) throw new AppError("NOT_FOUND");
  logEach(ctx, "delete", "key", [id]);
}

const record = (ctx: UserCtx, action: AuditAction, id: string) =>
  recordEach(ctx, {
    action,
    targetType: "key",
    id: serverKeys.id,
    from: sql`server_keys WHERE ${eq(serverKeys.id, id)}`,
    details: jsonObject({ name: serverKeys.name, scopes: sql`json(${serverKeys.scopes})` }),
  });
