/** Keys of a product's own backend (SPEC 12): `rc_<id>_<secret>`. Of the secret, a hash is kept. */
import { and, eq, getTableColumns, gt, isNull, lt, or, sql } from "drizzle-orm";
import { z } from "zod";
import { actingAs, type Ctx, onCondition, type ServerCtx } from "../context.ts";
import { failUnless } from "../db/precondition.ts";
import { serverKeys } from "../db/tables.ts";
import { AppError } from "../errors.ts";
import { fingerprint, randomSecret, sameSecret } from "../platform/digest.ts";
import { SCOPES, type Scope } from "../scopes.ts";
import { addressBanColumn, refuseUntil } from "./banned-address.ts";
import { CallerChanged } from "./caller-changed.ts";
import { CredentialCache } from "./credential-cache.ts";
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

type Known = { id: string; hash: string; name: string; scopes: string };
const remembered = new CredentialCache<Known>();

const isLive = ({ now }: Ctx) => or(isNull(serverKeys.expiresAt), gt(serverKeys.expiresAt, now));

/**
 * Whose key this is, as the database knows it now.
 * @throws AppError UNAUTHORIZED for a bad, expired or deleted key · RATE_LIMIT for a banned address
 */
async function authenticateServer(ctx: Ctx, credential: string): Promise<ServerCtx> {
  const [, id = "", secret = ""] = FORM.exec(credential) ?? [];
  const [row] = await ctx.db
    .select({ key: getTableColumns(serverKeys), addressBan: addressBanColumn(ctx) })
    .from(sql`(SELECT 1)`)
    .leftJoin(serverKeys, and(eq(serverKeys.id, id), isLive(ctx)));
  refuseUntil(ctx, row?.addressBan ?? null);
  const key = row?.key;
  if (!key || !(await sameSecret(await fingerprint(secret), key.hash))) {
    throw new AppError("UNAUTHORIZED", "This key is not known, or no longer good.");
  }
  const { hash, name, scopes } = key;
  remembered.remember(ctx.config, credential, { id, hash, name, scopes }, Number.POSITIVE_INFINITY);
  recordUse(ctx, id, key.lastUsedAt?.getTime() ?? null);
  return asServer(ctx, key);
}

const asServer = (ctx: Ctx, { id, name, scopes }: Omit<Known, "hash">): ServerCtx =>
  actingAs(ctx, { kind: "server", keyId: id, name, scopes: scopesIn(scopes) });

/**
 * The same, and one call counted against its limit; without a trip where this isolate knows the key: then the work's first
 * trip asks (session-cache.ts).
 * @throws AppError as `authenticateServer` · RATE_LIMIT for a key over its limit
 */
export async function authenticateServerByWork(ctx: Ctx, credential: string): Promise<ServerCtx> {
  const known = remembered.get(ctx.config, credential, ctx.now.getTime());
  const server = known ? believe(ctx, credential, known) : await authenticateServer(ctx, credential);
  const key = `server:${server.actor.keyId}`;
  await spendLoosely(server, { key, limit: ctx.config.RATE_LIMIT_SERVER_API, windowSeconds: 60 });
  return server;
}

const Found = z.object({ lastUsedAt: z.number().nullable() });

/** On the condition that the key is what it was. */
function believe(ctx: Ctx, credential: string, known: Known): ServerCtx {
  const { id, hash, name, scopes } = known;
  const isSo = and(
    sql`${serverKeys.hash} = ${hash} AND ${serverKeys.name} = ${name} AND ${serverKeys.scopes} = ${scopes}`,
    isLive(ctx),
    sql`${addressBanColumn(ctx)} IS NULL`,
  );
  const { sql: query, params } = ctx.db
    .select({ lastUsedAt: sql`${serverKeys.lastUsedAt}`.as("lastUsedAt"), isSo: failUnless(sql`${isSo}`).as("isSo") })
    .from(sql`(SELECT 1)`)
    .leftJoin(serverKeys, eq(serverKeys.id, id))
    .toSQL();
  return onCondition(asServer(ctx, known), {
    query,
    params,
    met: (row) => recordUse(ctx, id, Found.parse(row).lastUsedAt),
    unmet: async () => {
      remembered.forget(ctx.config, credential);
      throw new CallerChanged(await authenticateServer(ctx, credential));
    },
  });
}

function recordUse(ctx: Ctx, id: string, lastUsedAt: number | null): void {
  const before = new Date(ctx.now.getTime() - NOTED_EVERY_MS);
  if (lastUsedAt !== null && lastUsedAt > before.getTime()) return;
  const isDue = or(isNull(serverKeys.lastUsedAt), lt(serverKeys.lastUsedAt, before));
  ctx.later(
    ctx.db
      .update(serverKeys)
      .set({ lastUsedAt: ctx.now })
      .where(and(eq(serverKeys.id, id), isDue)),
  );
}
