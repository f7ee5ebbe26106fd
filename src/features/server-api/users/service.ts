/** The product's own people: made on first sight, kept up to date, and erased. */
import { and, eq, or, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import { recordEach } from "../../../auth/audit.ts";
import { BACKEND, idIn, isTakenByOther, makeAccount, ownEmail } from "../../../auth/identities.ts";
import type { ServerCtx } from "../../../context.ts";
import { after, one } from "../../../db/batch.ts";
import { foldedNames } from "../../../db/folding.ts";
import { jsonObject } from "../../../db/json.ts";
import { deliverSoon, enqueueSelect, pendingFor } from "../../../db/outbox.ts";
import { users } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import type { HubPayload } from "../../../hub/delivery.ts";
import { badField } from "../../../input.ts";
import { eraseUser } from "../../admin/service.ts";
import type { PutUser, ServerUser } from "./contract.ts";
import { findOwnUser, isReached, lookUpOwnUser, type OwnUser } from "./find.ts";

const toServerUser = (row: OwnUser): ServerUser => ({
  id: row.id,
  externalId: row.externalId,
  username: row.username,
  displayName: row.displayName,
  avatarUrl: row.avatarUrl,
  email: ownEmail(row.email),
  isBanned: row.bannedAt !== null,
  accountStatus: row.accountStatus,
  createdAt: row.createdAt.toISOString(),
});

/** @throws AppError NOT_FOUND · FORBIDDEN */
export async function readUser(ctx: ServerCtx, externalId: string): Promise<ServerUser> {
  return toServerUser(await findOwnUser(ctx, { externalId }));
}

/**
 * Makes the user, also one that was erased before, or changes what is named; what is so already changes nothing.
 * @throws AppError CONFLICT a taken username or email · FORBIDDEN somebody whom no key reaches · INVALID_REQUEST an
 *   `externalId` that is no number, where they are the ids here
 */
export async function putUser(
  ctx: ServerCtx,
  externalId: string,
  input: PutUser,
): Promise<{ user: ServerUser; isNew: boolean }> {
  const known = await lookUpOwnUser(ctx, { externalId });
  if (known) return { user: await changeUser(ctx, known, input), isNew: false };
  const { isNew } = await makeUser(ctx, externalId, input);
  const made = await lookUpOwnUser(ctx, { externalId });
  if (!made) throw taken();
  // Another call made them meanwhile: what this one says still counts.
  return { user: isNew ? toServerUser(made) : await changeUser(ctx, made, input), isNew };
}

async function makeUser(ctx: ServerCtx, externalId: string, input: PutUser): Promise<{ isNew: boolean }> {
  const userId = ctx.config.USER_IDS === "subject" ? idIn(externalId) : undefined;
  if (userId === null) throw badField("externalId", "must be a number: ids here are the backend's");
  const from = sql`users JOIN identities ON identities.user_id = users.id
    WHERE changes() > 0 AND identities.issuer = ${BACKEND} AND identities.subject = ${externalId}`;
  const audited = after("identity", record(ctx, "create", externalId, from));
  return makeAccount(ctx, { issuer: BACKEND, subject: externalId, ...input, userId }, { record: { audited } });
}

async function changeUser(ctx: ServerCtx, { id, externalId }: OwnUser, input: PutUser): Promise<ServerUser> {
  const { email: _email, ...person } = input;
  const differs = whatDiffers(input);
  if (!differs) return toServerUser(await findOwnUser(ctx, { externalId }));
  const isTaken = sql<number>`${isTakenByOther(users.id, input)}`;
  const where = and(eq(users.id, id), isReached, differs, sql`NOT ${isTaken}`);
  const payload = JSON.stringify({ person } satisfies HubPayload);
  const { before, pending } = await ctx.db.batch({
    before: one(ctx.db.select({ isTaken }).from(users).where(eq(users.id, id))),
    audited: record(ctx, "update", externalId, sql`users WHERE ${where}`),
    told: enqueueSelect(ctx, sql`SELECT 'user:' || users.id, ${payload} FROM users WHERE ${where}`),
    changed: ctx.db
      .update(users)
      // What the backend says of an email counts as verified.
      .set({
        ...input,
        ...foldedNames(input),
        ...(input.email === undefined ? {} : { emailVerifiedAt: ctx.now, pendingEmail: null }),
      })
      .where(where),
    pending: pendingFor(ctx, `user:${id}`),
  });
  if (before?.isTaken) throw taken();
  deliverSoon(ctx, pending);
  return toServerUser(await findOwnUser(ctx, { externalId }));
}

const taken = () => new AppError("CONFLICT", "This username or email is taken.");

/** The condition that something of this is not so yet; undefined: nothing is said. */
function whatDiffers({ username, displayName, avatarUrl, email }: PutUser): SQL | undefined {
  const differs = (column: SQLWrapper, value: string | null | undefined) =>
    value === undefined ? undefined : sql`${column} IS NOT ${value}`;
  return or(
    differs(users.username, username),
    differs(users.displayName, displayName),
    differs(users.avatarUrl, avatarUrl),
    differs(users.email, email),
  );
}

const record = (ctx: ServerCtx, action: "create" | "update", externalId: string, from: SQL) =>
  recordEach(ctx, { action, targetType: "user", id: users.id, from, details: jsonObject({ externalId }) });

/** @throws AppError NOT_FOUND · FORBIDDEN · CONFLICT they were given power meanwhile */
export async function eraseOwnUser(ctx: ServerCtx, externalId: string): Promise<void> {
  const { id } = await findOwnUser(ctx, { externalId });
  await eraseUser(ctx, id, "By the product's own backend", isReached);
}
