/**
 * What is kept of streams, and whether it still holds. One row says so: the version, which every change of a stream moves
 * (a trigger), and whether a lease has run out since. A lapsed stream is ended by whoever looks first, so that no list
 * shows it as live until the next minute's cron.
 */
import { inArray, sql } from "drizzle-orm";
import type { Ctx } from "../../context.ts";
import { versions } from "../../db/tables.ts";
import { VersionedCache } from "../../db/versioned-cache.ts";
import type { Stream, StreamList } from "./contract.ts";
import { endLapsed } from "./sessions.ts";

export const keptLists = new VersionedCache<StreamList>(500);
export const keptDetails = new VersionedCache<Stream | null>(2000);

type Fresh = { version: number; hasLapsed: number }[];

/** What an answer depends on: `viewers` moves with every one who comes or goes, too often for lists. */
type Kinds = ("streams" | "viewers")[];

/** Versions only grow, so their sum is one, too. */
const freshness = (ctx: Ctx, kinds: Kinds) =>
  ctx.db
    .select({
      version: sql<number>`sum(${versions.version})`,
      // Named, since the planner takes an equality for narrower than a range, and would read every live stream.
      hasLapsed: sql<number>`EXISTS (SELECT 1 FROM streams INDEXED BY streams_lease
        WHERE status = 'live' AND lease_until IS NOT NULL AND lease_until < ${ctx.now.getTime()})`,
    })
    .from(versions)
    .where(inArray(versions.kind, kinds));

/** `load` puts the freshness into its own batch and hands on what it said. */
export function withFreshness<T>(
  ctx: Ctx,
  kinds: Kinds,
  load: (query: ReturnType<typeof freshness>) => Promise<[Fresh, T]>,
) {
  return {
    version: async (): Promise<number> => {
      const [fresh] = await freshness(ctx, kinds);
      // No version has this number: an answer that is kept no longer holds.
      return fresh && !fresh.hasLapsed ? fresh.version : -1;
    },
    load: async (): Promise<{ version: number; answer: T }> => {
      let [[fresh], answer] = await load(freshness(ctx, kinds));
      if (fresh?.hasLapsed) {
        await endLapsed(ctx);
        [[fresh], answer] = await load(freshness(ctx, kinds));
      }
      return { version: fresh?.version ?? 0, answer };
    },
  };
}
