/** Keys of a product's own backend (SPEC 12): `rc_<id>_<secret>`. Of the secret, a hash is kept. */
import { and, eq, getTableColumns, gt, isNull, lt, or, sql } from "drizzle-orm";
import { z } from "zod";
import { actingAs, type Ctx, type ServerCtx } from "../context.ts";
import { serverKeys } from "../db/tables.ts";
import { AppError } from "../errors.ts";
import { fingerprint, randomSecret, sameSecret } from "../platform/digest.ts";
import { SCOPES, type Scope } from "../scopes.ts";
import { addressBanColumn, refuseUntil } from "./authenticate.ts";
import { spendLoosely } from "./rate-limit.ts";
import { SERVER_KEY_PREFIX } from "./tokens.ts";

const FORM = /^rc_([0-9a-f]{16})_([A-Za-z0-9_-]{32})$/;
const SECRET_BYTES = 24;
/** A key in constant use costs a row an hour. */
const NOTED_EVERY_MS = 3_600_000;

const Scopes = z.array(z.enum(SCOPES));

export const scopesIn = (stored: string): Scope[] => Scopes.parse(JSON.parse(stored));

/** A new key, and what is kept of it. */
export async function makeServerKey(): Promise<{ id: string; key: string; hash: string }> {
  const id = crypto.getRandomValues(new Uint8Array(8)).toHex();
  const secret = randomSecret(SECRET_BYTES);
  return { id, key: `${SERVER_KEY_PREFIX}${id}_${secret}`, hash: await fingerprint(secret) };
}

/**
 * Whose key this is, as the database knows it now, and one call counted against its limit.
 * @throws AppError UNAUTHORIZED for a bad, expired or deleted key · RATE_LIMIT for one over its limit, and a banned address
 */
export async function authenticateServer(ctx: Ctx, credential: string): Promise<ServerCtx> {
  const [, id = "", secret = ""] = FORM.exec(credential) ?? [];
  const isLive = or(isNull(serverKeys.expiresAt), gt(serverKeys.expiresAt, ctx.now));
  const [row] = await ctx.db
    .select({ key: getTableColumns(serverKeys), addressBan: addressBanColumn(ctx) })
    .from(sql`(SELECT 1)`)
    .leftJoin(serverKeys, and(eq(serverKeys.id, id), isLive));
  refuseUntil(ctx, row?.addressBan ?? null);
  const known = row?.key;
  if (!known || !(await sameSecret(await fingerprint(secret), known.hash))) {
    throw new AppError("UNAUTHORIZED", "This key is not known, or no longer good.");
  }
  await spendLoosely(ctx, { key: `server:${id}`, limit: ctx.config.RATE_LIMIT_SERVER_API, windowSeconds: 60 });
  noteUse(ctx, id, known.lastUsedAt);
  return actingAs(ctx, { kind: "server", keyId: id, name: known.name, scopes: scopesIn(known.scopes) });
}

function noteUse(ctx: Ctx, id: string, lastUsedAt: Date | null): void {
  const before = new Date(ctx.now.getTime() - NOTED_EVERY_MS);
  if (lastUsedAt && lastUsedAt > before) return;
  const isDue = or(isNull(serverKeys.lastUsedAt), lt(serverKeys.lastUsedAt, before));
  ctx.later(
    ctx.db
      .update(serverKeys)
      .set({ lastUsedAt: ctx.now })
      .where(and(eq(serverKeys.id, id), isDue)),
  );
}
