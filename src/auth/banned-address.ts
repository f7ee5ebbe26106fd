/** Addresses that kept on hammering, and are refused for a while at every door (SPEC 11); they are banned by rate-limit.ts. */
import { and, eq, gt, type SQL, sql } from "drizzle-orm";
import type { Ctx } from "../context.ts";
import { addressBans } from "../db/tables.ts";
import { AppError } from "../errors.ts";

/** Until when an address is banned, ms, or null. */
export const banOf = (address: SQL, now: SQL): SQL<number | null> =>
  sql`(SELECT ${addressBans.until} FROM ${addressBans} WHERE ${addressBans.address} = ${address} AND ${addressBans.until} > ${now})`;

/** @throws AppError RATE_LIMIT for a banned address; for doors that nobody is signed in at yet. */
export async function refuseBannedAddress(ctx: Ctx): Promise<void> {
  const [ban] = await ctx.db
    .select({ until: addressBans.until })
    .from(addressBans)
    .where(and(eq(addressBans.address, ctx.address), gt(addressBans.until, ctx.now)));
  refuseUntil(ctx, ban?.until.getTime() ?? null);
}

/** Until when the caller's address is banned, ms, or null; for a column of a query. */
export const addressBanColumn = ({ address, now }: Ctx) => banOf(sql`${address}`, sql`${now.getTime()}`);

/** @throws AppError RATE_LIMIT until then, ms */
export function refuseUntil({ now }: Ctx, until: number | null): void {
  if (until === null) return;
  throw new AppError("RATE_LIMIT", undefined, { retryAfterSeconds: Math.ceil((until - now.getTime()) / 1000) });
}
