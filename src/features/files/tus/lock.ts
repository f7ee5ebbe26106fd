/**
 * One request at a time writes to an upload. The lock is a lease: whoever holds it renews it while bytes come, so that a
 * server that died is waited for no longer than it lasts, and one that only stalled finds out that it has lost it.
 */
import { and, eq, gt, isNull, lte } from "drizzle-orm";
import { pendingDeletions } from "../../../bytes/deletions.ts";
import type { UserCtx } from "../../../context.ts";
import { deliverSoon, enqueueSelect } from "../../../db/outbox.ts";
import { isInGoodStanding } from "../../../db/standing.ts";
import { resumableUploads } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import { leftSince } from "../erase.ts";

export type Upload = typeof resumableUploads.$inferSelect;
export type Locked = Upload & { lock: string };

export const LEASE_MS = 10_000;
const RENEW_MS = 3000;
const RETRY_MS = 250;

/** A day after the last byte. */
const LIFE_MS = 24 * 60 * 60 * 1000;

export const expiryFrom = (now: number): Date => new Date(now + LIFE_MS);

const isMine = (ctx: UserCtx, id: string) =>
  and(eq(resumableUploads.id, id), eq(resumableUploads.ownerId, ctx.actor.id), gt(resumableUploads.expiresAt, ctx.now));

/** The lock is held, by somebody who may upload still: a ban ends an upload that is under way, too. */
const isHeld = (ctx: UserCtx, { id, lock }: Locked) =>
  and(eq(resumableUploads.id, id), eq(resumableUploads.lockedBy, lock), isInGoodStanding(ctx.actor.id));

/** @throws AppError NOT_FOUND none of mine, or expired */
export async function findUpload(ctx: UserCtx, id: string): Promise<Upload> {
  const [row] = await ctx.db.select().from(resumableUploads).where(isMine(ctx, id));
  if (!row) throw new AppError("NOT_FOUND");
  return row;
}

/**
 * Takes the lock, waiting for another holder as long as a lease lasts.
 * @throws AppError NOT_FOUND · CONFLICT another offset, or somebody else keeps on writing
 */
export async function lock(ctx: UserCtx, id: string, offset: number): Promise<Locked> {
  const token = crypto.randomUUID();
  const givesUpAt = Date.now() + LEASE_MS + RETRY_MS;
  for (;;) {
    const [row] = await ctx.db
      .update(resumableUploads)
      .set({ lockedBy: token, lockedUntil: Date.now() + LEASE_MS })
      .where(
        and(
          isMine(ctx, id),
          isNull(resumableUploads.fileId),
          eq(resumableUploads.offset, offset),
          lte(resumableUploads.lockedUntil, Date.now()),
        ),
      )
      .returning();
    if (row) return { ...row, lock: token };
    const other = await findUpload(ctx, id);
    if (other.fileId !== null || other.offset !== offset) {
      throw new AppError("CONFLICT", `The upload is at offset ${other.offset}.`);
    }
    if (Date.now() >= givesUpAt) throw new AppError("CONFLICT", "Another request is writing to this upload.");
    await scheduler.wait(RETRY_MS);
  }
}

type Progress = Partial<Pick<Upload, "offset" | "parts" | "uploadId" | "tailPlace">>;

/**
 * Writes down how far the upload is, and keeps or gives up the lock.
 * @throws AppError CONFLICT the lock is lost, the upload was terminated, or its owner is banned
 */
export async function save(ctx: UserCtx, upload: Locked, progress: Progress, keepsMs: number): Promise<void> {
  const now = Date.now();
  const [saved] = await ctx.db
    .update(resumableUploads)
    .set({ ...progress, lockedUntil: now + keepsMs, expiresAt: expiryFrom(now) })
    .where(isHeld(ctx, upload))
    .returning({ id: resumableUploads.id });
  if (!saved) throw new AppError("CONFLICT", "The upload goes on elsewhere.");
}

/** Calls `save` as often as the lease needs it: with every chunk, and so before every part that is stored. */
export function renewal(save: (keepsMs: number) => Promise<void>): () => Promise<void> {
  let renewedAt = Date.now();
  return async () => {
    if (Date.now() - renewedAt < RENEW_MS) return;
    await save(LEASE_MS);
    renewedAt = Date.now();
  };
}

/** Gives the lock up, if it is still held. If the upload was ended meanwhile, what was stored since is erased. */
export async function unlock(ctx: UserCtx, upload: Locked): Promise<void> {
  const [held] = await ctx.db
    .update(resumableUploads)
    .set({ lockedBy: null, lockedUntil: 0 })
    .where(and(eq(resumableUploads.id, upload.id), eq(resumableUploads.lockedBy, upload.lock)))
    .returning({ id: resumableUploads.id });
  if (held) return;
  const { pending } = await ctx.db.batch({
    told: enqueueSelect(ctx, leftSince(upload)),
    pending: pendingDeletions(ctx),
  });
  deliverSoon(ctx, pending);
}
