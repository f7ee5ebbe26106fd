/** Publications under a name of the product's choice: done once, however often they are sent within 24 hours. */
import { and, eq, lt, sql } from "drizzle-orm";
import type { Ctx, ServerCtx } from "../../../context.ts";
import { one } from "../../../db/batch.ts";
import { publications } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import { fingerprint } from "../../../platform/digest.ts";
import { type Publication, Published } from "./contract.ts";

const KEPT_MS = 24 * 3_600_000;

/** What a publication is, apart from its name. */
export const hashOf = ({ dedupeId: _dedupeId, ...publication }: Publication): Promise<string> =>
  fingerprint(JSON.stringify(publication));

/**
 * The statements that claim the name, in the batch of what is published: `claimed` changes a row if it is free; if not, `found`
 * is what has it. `answer`: what is answered, if that is known before it is done.
 */
export function claim(ctx: ServerCtx, dedupeId: string, hash: string, answer: Published | null) {
  const { db, now, actor } = ctx;
  const isThis = isNamed(ctx, dedupeId);
  const stored = answer === null ? null : JSON.stringify(answer);
  return {
    lapsed: db.delete(publications).where(and(isThis, lt(publications.createdAt, new Date(now.getTime() - KEPT_MS)))),
    found: one(db.select().from(publications).where(isThis)),
    claimed: db.run(sql`INSERT INTO publications (key_id, dedupe_id, hash, answer, created_at)
      VALUES (${actor.keyId}, ${dedupeId}, ${hash}, ${stored}, ${now.getTime()}) ON CONFLICT DO NOTHING`),
  };
}

export type Found = typeof publications.$inferSelect;

/**
 * What was answered to the same publication before; null: it is still under way, or was cut short.
 * @throws AppError CONFLICT another publication has this name
 */
export function earlierAnswer(found: Found, hash: string): Published | null {
  if (found.hash !== hash) throw new AppError("CONFLICT", "This dedupeId is another publication's.");
  return found.answer === null ? null : Published.parse(JSON.parse(found.answer));
}

/** What objects know a publication by. */
export const publicationId = ({
  keyId,
  dedupeId,
  createdAt,
}: Pick<Found, "keyId" | "dedupeId" | "createdAt">): string => `${keyId}:${createdAt.getTime()}:${dedupeId}`;

const isNamed = ({ actor }: ServerCtx, dedupeId: string) =>
  and(eq(publications.keyId, actor.keyId), eq(publications.dedupeId, dedupeId));

/** It is done, and this is its answer. */
export async function settle(ctx: ServerCtx, dedupeId: string, answer: Published): Promise<void> {
  await ctx.db
    .update(publications)
    .set({ answer: JSON.stringify(answer) })
    .where(isNamed(ctx, dedupeId));
}

/** It was not done, and nothing will come of it: the next try is the first one. */
export async function release(ctx: ServerCtx, dedupeId: string): Promise<void> {
  await ctx.db.delete(publications).where(isNamed(ctx, dedupeId));
}

/** Run by cron. */
export async function forgetOldPublications(ctx: Ctx): Promise<void> {
  await ctx.db.delete(publications).where(lt(publications.createdAt, new Date(ctx.now.getTime() - KEPT_MS)));
}
