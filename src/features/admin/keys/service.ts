/** Keys of a product's own backend: made, listed and deleted. A deleted one is dead from the next request on. */
import { desc, eq, sql } from "drizzle-orm";
import { makeServerKey, scopesIn } from "../../../auth/server-keys.ts";
import type { UserCtx } from "../../../context.ts";
import { one } from "../../../db/batch.ts";
import { jsonObject } from "../../../db/json.ts";
import { serverKeys } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import { badField } from "../../../input.ts";
import type { AuditAction } from "../audit/contract.ts";
import { logEach, recordEach } from "../audit/service.ts";
import type { CreateKey, NewKey, ServerKey } from "./contract.ts";

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

/** Newest first. */
export async function listKeys(ctx: UserCtx): Promise<{ keys: ServerKey[] }> {
  const rows = await ctx.db.select().from(serverKeys).orderBy(desc(serverKeys.createdAt), desc(serverKeys.id));
  const keys = rows.map(({ hash: _hash, ...row }) => ({
    ...row,
    scopes: scopesIn(row.scopes),
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
  }));
  return { keys };
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
