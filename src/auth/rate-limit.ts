/**
 * Limits that survive everything, counted in D1: logins and the bans of addresses that keep on hammering, exactly (SPEC 11);
 * admin calls and calls of servers' keys by what isolates tell. Message limits are counted by the object the messages go to; see realtime/budget.ts.
 */
import { type SQL, sql } from "drizzle-orm";
import { actorId, type Ctx } from "../context.ts";
import { one } from "../db/batch.ts";
import { addressBans, rateWindows } from "../db/tables.ts";
import { AppError } from "../errors.ts";
import { logEvent } from "../platform/log.ts";
import { addressBanColumn, refuseBannedAddress } from "./banned-address.ts";
import { spendMetered } from "./metered.ts";

type Window = {
  key: string;
  limit: number;
  windowSeconds: number;
  /** Trying on is no attack: nobody is banned for it. */
  isHarmless?: boolean;
};

/** So many times over a limit is no mistake any more. */
const HAMMERING_FACTOR = 3;
/** An address that hammers this often within RATE_LIMIT_BAN_MINUTES is banned for as long. */
const HAMMERINGS = 3;

/**
 * Counts one call in a fixed window, in one row written.
 * @throws AppError RATE_LIMIT with the seconds until the window ends.
 */
export async function spend(ctx: Ctx, window: Window): Promise<void> {
  await refuseOver(ctx, window, await countUp(ctx, window.key, window.windowSeconds));
}

/**
 * For doors at which nobody is signed in yet: counts one call in each of the windows up to the one that is exceeded, in one
 * round trip. From a banned address nothing is counted.
 * @throws AppError RATE_LIMIT with the seconds until the ban or that window ends
 */
export async function spendAtDoor(ctx: Ctx, windows: Window[]): Promise<void> {
  const counted = await ctx.db.batch(
    Object.fromEntries(
      windows.map((window, at) => {
        const before = windows[at - 1];
        const goesOn = before ? isWithin(before) : sql`true`;
        const where = sql`${addressBanColumn(ctx)} IS NULL AND ${goesOn}`;
        return [window.key, one(countStatement(ctx, { ...window, where }))];
      }),
    ),
  );
  for (const window of windows) {
    const count = counted[window.key];
    if (count) await refuseOver(ctx, window, count);
    else await refuseBannedAddress(ctx);
  }
}

/** Of a window that was counted in the same batch. A window is counted only while the one before it is within its limit. */
const isWithin = ({ key, limit }: Window): SQL =>
  sql`EXISTS (SELECT 1 FROM ${rateWindows} WHERE ${rateWindows.key} = ${key} AND ${rateWindows.count} <= ${limit})`;

type Count = { count: number; endsAt: Date };

async function refuseOver(ctx: Ctx, { limit, isHarmless = false }: Window, { count, endsAt }: Count): Promise<void> {
  if (count <= limit) return;
  if (!isHarmless && count > limit * HAMMERING_FACTOR) await recordHammering(ctx);
  const retryAfterSeconds = Math.ceil((endsAt.getTime() - ctx.now.getTime()) / 1000);
  throw new AppError("RATE_LIMIT", undefined, { retryAfterSeconds });
}

async function countUp(ctx: Ctx, key: string, windowSeconds: number, by = 1): Promise<Count> {
  const [row] = await countStatement(ctx, { key, windowSeconds, by });
  return row ?? { count: 0, endsAt: ctx.now };
}

type Counting = { key: string; windowSeconds: number; by?: number; where?: SQL };

/** Counts, and answers how many there are by now; no row, where `where` does not hold. */
function countStatement(ctx: Ctx, { key, windowSeconds, by = 1, where = sql`true` }: Counting) {
  const now = ctx.now.getTime();
  const endsAt = now + windowSeconds * 1000;
  return ctx.db
    .insert(rateWindows)
    .select(sql`SELECT ${key}, ${now}, ${endsAt}, ${by} WHERE ${where}`)
    .onConflictDoUpdate({
      target: rateWindows.key,
      set: {
        count: sql`CASE WHEN ${rateWindows.endsAt} <= ${now} THEN ${by} ELSE ${rateWindows.count} + ${by} END`,
        startedAt: sql`CASE WHEN ${rateWindows.endsAt} <= ${now} THEN ${now} ELSE ${rateWindows.startedAt} END`,
        endsAt: sql`CASE WHEN ${rateWindows.endsAt} <= ${now} THEN ${endsAt} ELSE ${rateWindows.endsAt} END`,
      },
    })
    .returning({ count: rateWindows.count, endsAt: rateWindows.endsAt });
}

/**
 * Counts one call in a fixed window in this isolate, and a twentieth of the limit at once in the row: see call-meter.ts.
 * @throws AppError as `spend`
 */
export async function spendLoosely(ctx: Ctx, { key, limit, windowSeconds }: Window): Promise<void> {
  const retryAfterSeconds = await spendMetered(ctx, {
    key: `${key}:${limit}`,
    most: limit,
    windowMs: windowSeconds * 1000,
    tell: async (by) => {
      const { count, endsAt } = await countUp(ctx, key, windowSeconds, by);
      if (count > limit * HAMMERING_FACTOR) await recordHammering(ctx);
      return { left: limit - count, endsInMs: endsAt.getTime() - ctx.now.getTime() };
    },
  });
  if (retryAfterSeconds > 0) throw new AppError("RATE_LIMIT", undefined, { retryAfterSeconds });
}

/** 1000 admin calls an hour per admin by default. */
export async function limitAdminCalls(ctx: Ctx): Promise<void> {
  const limit = ctx.config.RATE_LIMIT_ADMIN_API;
  await spendLoosely(ctx, { key: `admin:${actorId(ctx.actor)}`, limit, windowSeconds: 3600 });
}

/**
 * Somebody at this address is far over a limit. Who keeps on is banned for RATE_LIMIT_BAN_MINUTES, at every door; 0
 * switches bans off.
 */
export async function recordHammering(ctx: Ctx, address: string = ctx.address): Promise<void> {
  const minutes = ctx.config.RATE_LIMIT_BAN_MINUTES;
  if (minutes === 0 || address === "") return;
  const { count } = await countUp(ctx, `hammering:${address}`, minutes * 60);
  if (count < HAMMERINGS) return;
  const until = new Date(ctx.now.getTime() + minutes * 60_000);
  await ctx.db
    .insert(addressBans)
    .values({ address, until })
    .onConflictDoUpdate({ target: addressBans.address, set: { until } });
  logEvent("address.banned", { requestId: ctx.requestId, minutes });
}

/**
 * The address that limits and bans go by: Cloudflare's own header alone, since a client can write any other. An IPv6
 * network counts as one address (/64), or its owner would have 2^64 of them.
 */
export function clientAddress(request: Request): string {
  return networkOf(request.headers.get("cf-connecting-ip") ?? "");
}

/** An address as limits count it. */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail = ""] = address.split("::");
  const left = head.split(":").filter(Boolean);
  const right = address.includes("::") ? tail.split(":").filter(Boolean) : [];
  const groups = [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0"), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
