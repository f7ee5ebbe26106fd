/**
 * Publishing: to people by their hubs, to places by the place's object. What is kept is committed (outbox, or the object's own
 * log) before it is answered; what is not, is shown to who is here now.
 */
import { type SQL, sql } from "drizzle-orm";
import { recordEach } from "../../../auth/audit.ts";
import type { ServerCtx } from "../../../context.ts";
import { after } from "../../../db/batch.ts";
import { enqueueSelect } from "../../../db/outbox.ts";
import { AppError, errorBody, toAppError } from "../../../errors.ts";
import type { HubPayload } from "../../../hub/delivery.ts";
import { badField, readInput } from "../../../input.ts";
import { logFailure } from "../../../platform/log.ts";
import type { Somebody } from "../base-contract.ts";
import { findKnown } from "../users/somebody.ts";
import { Publication, type Published, type PublishedBatch } from "./contract.ts";
import { claim, earlierAnswer, hashOf, publicationId, release, settle } from "./dedupe.ts";
import { isOurs } from "./own-types.ts";
import { findPlace } from "./places.ts";
import { deliverTo, showTo } from "./recipients.ts";

/**
 * @throws AppError INVALID_REQUEST a type of ours · NOT_FOUND no such place, or none of the people · CONFLICT the `dedupeId` is
 *   another publication's
 */
export async function publish(ctx: ServerCtx, publication: Publication): Promise<Published> {
  if (isOurs(publication.type)) throw badField("type", "is one of the service's own");
  const { users } = publication.to;
  return users ? publishToPeople(ctx, publication, users) : publishToPlace(ctx, publication);
}

/** One after the other, so that they arrive in their order; what is wrong with one stops no other. */
export async function publishEach(ctx: ServerCtx, publications: unknown[]): Promise<PublishedBatch> {
  const results: PublishedBatch["results"] = [];
  for (const publication of publications) {
    try {
      results.push(await publish(ctx, readInput(Publication, publication)));
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code === "INTERNAL_ERROR") logFailure(ctx, "publish.batch", error.cause ?? thrown);
      results.push({ error: errorBody(error, ctx.now) });
    }
  }
  return { results };
}

async function publishToPeople(ctx: ServerCtx, publication: Publication, to: Somebody[]): Promise<Published> {
  const { type, data, keep, dedupeId } = publication;
  const ids = await findKnown(ctx, to);
  if (ids.length === 0) throw new AppError("NOT_FOUND", "There is no such user.");
  const answer: Published = { accepted: ids.length };
  const payload = JSON.stringify({ frames: [{ type, data }], namesNobody: true } satisfies HubPayload);
  const theirs = sql`SELECT 'user:' || value, ${payload} FROM json_each(${JSON.stringify(keep ? ids : [])})`;
  if (dedupeId === undefined) {
    await ctx.db.batch({ told: enqueueSelect(ctx, theirs), audited: record(ctx, publication) });
  } else {
    const hash = await hashOf(publication);
    const { found } = await ctx.db.batch({
      ...claim(ctx, dedupeId, hash, answer),
      audited: after("claimed", record(ctx, publication, sql`(SELECT 1) WHERE changes() > 0`)),
      told: after("audited", enqueueSelect(ctx, sql`${theirs} WHERE changes() > 0`)),
    });
    if (found) return earlierAnswer(found, hash) ?? answer;
  }
  ctx.later(keep ? deliverTo(ctx, ids) : showTo(ctx, ids, { type, data }));
  return answer;
}

async function publishToPlace(ctx: ServerCtx, publication: Publication): Promise<Published> {
  const { to, type, data, keep, dedupeId } = publication;
  const tell = await findPlace(ctx, to);
  if (dedupeId === undefined) {
    await record(ctx, publication);
    return { accepted: 1, ...(await tell({ type, data, keep })) };
  }
  const hash = await hashOf(publication);
  const { found } = await ctx.db.batch({
    ...claim(ctx, dedupeId, hash, keep ? null : { accepted: 1 }),
    audited: after("claimed", record(ctx, publication, sql`(SELECT 1) WHERE changes() > 0`)),
  });
  const earlier = found && earlierAnswer(found, hash);
  if (earlier) return earlier;
  // Under way elsewhere, or cut short: the place knows it by its id, and does it once.
  const id = publicationId(found ?? { keyId: ctx.actor.keyId, dedupeId, createdAt: ctx.now });
  try {
    const answer = { accepted: 1, ...(await tell({ type, data, keep, id })) };
    if (keep) await settle(ctx, dedupeId, answer);
    return answer;
  } catch (error) {
    if (!keep) await release(ctx, dedupeId);
    throw error;
  }
}

/** One row for each publication: what it was, and where it went; not what it said. */
function record(ctx: ServerCtx, { to, type, keep }: Publication, from: SQL = sql`(SELECT 1) WHERE true`) {
  const where = to.users ? { people: to.users.length } : to;
  return recordEach(ctx, {
    action: "publish",
    targetType: "publication",
    id: sql`${type}`,
    from,
    details: sql`${JSON.stringify({ to: where, keep })}`,
  });
}
