/** One's own account: reading, changing and closing it. */
import { and, eq, sql } from "drizzle-orm";
import type { UserCtx } from "../../context.ts";
import { after } from "../../db/batch.ts";
import { foldedNames } from "../../db/folding.ts";
import { deliverSoon, enqueue, enqueueSelect, pendingFor } from "../../db/outbox.ts";
import { accountTokens, users } from "../../db/tables.ts";
import { AppError, CLOSE } from "../../errors.ts";
import type { HubPayload } from "../../hub/delivery.ts";
import type { Account, ChangePassword, UpdateAccount } from "./contract.ts";
import { limitLogins } from "./limits.ts";
import { changeEmail } from "./mail-verification.ts";
import { hashPassword, verifyPassword } from "./password.ts";
import { endOtherSessions } from "./sessions.ts";

type Row = typeof users.$inferSelect;

export const toAccount = (row: Row): Account => ({
  id: row.id,
  username: row.username,
  email: row.email,
  phone: row.phone,
  fullName: row.fullName,
  displayName: row.displayName,
  bio: row.bio,
  avatarUrl: row.avatarUrl,
  role: row.role,
  accountStatus: row.accountStatus,
  isVerified: row.isVerified,
  emailVerified: row.emailVerifiedAt !== null,
  followerCount: row.followerCount,
  followingCount: row.followingCount,
  videoCount: row.videoCount,
  createdAt: row.createdAt.toISOString(),
  lastSeen: row.lastSeenAt?.toISOString() ?? null,
});

/** The caller's own, with the role that their token gives them. */
const toOwnAccount = ({ actor }: UserCtx, row: Row): Account => ({ ...toAccount(row), role: actor.role });

export async function readAccount(ctx: UserCtx): Promise<Account> {
  const [row] = await ctx.db.select().from(users).where(eq(users.id, ctx.actor.id));
  if (!row) throw new AppError("UNAUTHORIZED");
  return toOwnAccount(ctx, row);
}

/**
 * Changes what was named; the rest stays. Open connections show the new name and picture. A new email counts later: see
 * `changeEmail`.
 * @throws AppError as `changeEmail`
 */
export async function updateAccount(ctx: UserCtx, { email, ...input }: UpdateAccount): Promise<Account> {
  if (email !== undefined) await changeEmail(ctx, email);
  if (Object.keys(input).length === 0) return readAccount(ctx);
  const userId = ctx.actor.id;
  const person: HubPayload["person"] = {
    ...(input.displayName !== undefined ? { displayName: input.displayName } : {}),
    ...(input.avatarUrl !== undefined ? { avatarUrl: input.avatarUrl } : {}),
  };
  const update = ctx.db
    .update(users)
    .set({ ...input, ...foldedNames(input) })
    .where(eq(users.id, userId))
    .returning();
  if (Object.keys(person).length === 0) return toOwnAccount(ctx, only(await update));
  const { updated, pending } = await ctx.db.batch({
    updated: update,
    told: enqueue(ctx, `user:${userId}`, { person } satisfies HubPayload),
    pending: pendingFor(ctx, `user:${userId}`),
  });
  deliverSoon(ctx, pending);
  return toOwnAccount(ctx, only(updated));
}

const only = (rows: Row[]): Row => {
  const [row] = rows;
  if (!row) throw new AppError("UNAUTHORIZED");
  return row;
};

/**
 * Ends all other tokens; their sockets close with 4001.
 * @throws AppError FORBIDDEN when the current password is wrong
 */
export async function changePassword(ctx: UserCtx, { current, next }: ChangePassword): Promise<void> {
  const userId = ctx.actor.id;
  await limitLogins(ctx, `password:${userId}`);
  const [row] = await ctx.db.select({ hash: users.passwordHash }).from(users).where(eq(users.id, userId));
  const cost = ctx.config.PASSWORD_SCRYPT_LOG_N;
  if (!verifyPassword(current, row?.hash ?? null, cost)) {
    throw new AppError("FORBIDDEN", "The current password is wrong.");
  }
  const { pending } = await ctx.db.batch({
    changed: ctx.db
      .update(users)
      // Whoever was in may have asked for another address, or for a link to it.
      .set({ passwordHash: hashPassword(next, cost), pendingEmail: null })
      .where(eq(users.id, userId)),
    links: ctx.db.delete(accountTokens).where(and(eq(accountTokens.userId, userId), eq(accountTokens.kind, "reset"))),
    ...endOtherSessions(ctx),
  });
  deliverSoon(ctx, pending);
}

/**
 * Closes one's own account: nothing is erased, an admin can restore it.
 * @throws AppError CONFLICT for the last admin
 */
export async function deactivateSelf(ctx: UserCtx): Promise<void> {
  const userId = ctx.actor.id;
  const hasOtherAdmin = sql`(${users.role} <> 'admin' OR EXISTS (SELECT 1 FROM users o WHERE o.role = 'admin'
    AND o.account_status = 'active' AND o.banned_at IS NULL AND o.id <> ${users.id}))`;
  const payload: HubPayload = { revocation: { code: CLOSE.forbidden, reason: "Account deleted" } };
  const { closed, pending } = await ctx.db.batch({
    closed: ctx.db
      .update(users)
      .set({ accountStatus: "deleted", onlineUntil: null, lastSeenAt: ctx.now })
      .where(and(eq(users.id, userId), hasOtherAdmin))
      .returning({ id: users.id }),
    told: after(
      "closed",
      enqueueSelect(ctx, sql`SELECT ${`user:${userId}`}, ${JSON.stringify(payload)} WHERE changes() > 0`),
    ),
    pending: pendingFor(ctx, `user:${userId}`),
  });
  if (closed.length === 0) throw new AppError("CONFLICT", "The last admin cannot leave.");
  deliverSoon(ctx, pending);
}
