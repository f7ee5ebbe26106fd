/**
 * Cached lists and details of streams, and whether they still hold. One row says so: the version, which every change of a
 * stream moves (a trigger), and whether a lease has run out since. A lapsed stream is ended by whoever looks first, so that no list
 * shows it as live until the next minute's cron.
 */
import { inArray, sql } from "drizzle-orm";
import type { Ctx } from "../../context.ts";
import { versions } from "../../db/tables.ts";
import { VersionedCache } from "../../db/versioned-cache.ts";
import type { Stream, StreamList } from "./contract.ts";
import { endLapsed } from "./sessions.ts";

export const listCache = new VersionedCache<StreamList>(500);
export const detailCache = new VersionedCache<Stream | null>(2000);

type Version = { version: number; hasLapsed: number }[];

/** What an answer depends on: `viewers` moves with every one who comes or goes, too often for lists. */
type Kinds = ("streams" | "viewers")[];

/** Versions only grow, so their sum is one, too. */
const selectVersion = (ctx: Ctx, kinds: Kinds) =>
  ctx.db
    .select({
      version: sql<number>`sum(${versions.version})`,
      // Named, since the planner takes an equality for narrower than a range, and would read every live stream.
      hasLapsed: sql<number>`EXISTS (SELECT 1 FROM streams INDEXED BY streams_lease
        WHERE status = 'live' AND lease_until IS NOT NULL AND lease_until < ${ctx.now.getTime()})`,
    })
    .from(versions)
    .where(inArray(versions.kind, kinds));

/** A source for a VersionedCache. `load` puts `query` into its own batch and hands on what it answered. */
export function versioned<T>(
  ctx: Ctx,
  kinds: Kinds,
  load: (query: ReturnType<typeof selectVersion>) => Promise<[Version, T]>,
) {
  return {
    version: async (): Promise<number> => {
      const [current] = await selectVersion(ctx, kinds);
      // No version has this number: a cached answer no longer holds.
      return current && !current.hasLapsed ? current.version : -1;
    },
    load: async (): Promise<{ version: number; answer: T }> => {
      let [[current], answer] = await load(selectVersion(ctx, kinds));
      if (current?.hasLapsed) {
        await endLapsed(ctx);
        [[current], answer] = await load(selectVersion(ctx, kinds));
      }
      return { version: current?.version ?? 0, answer };
    },
  };
}
