/**
 * What admins do to accounts. Each is one batch: the audit row, what the user's connections are told, and the change, all
 * under the same condition, so that two calls at once cannot both succeed.
 */
import { and, eq, isNotNull, isNull, ne, or, type SQL, sql } from "drizzle-orm";
import type { AuditAction } from "../../../audit-terms.ts";
import { logEach, recordEach } from "../../../auth/audit.ts";
import type { ServerCtx, UserCtx } from "../../../context.ts";
import { one } from "../../../db/batch.ts";
import { jsonObject } from "../../../db/json.ts";
import { deliverNow, deliverSoon, enqueueSelect, pendingFor } from "../../../db/outbox.ts";
import { users } from "../../../db/tables.ts";
import { AppError, CLOSE } from "../../../errors.ts";
import type { HubPayload } from "../../../hub/delivery.ts";
import type { Role } from "../../../roles.ts";

/** An admin who can act. */
const canAdminister = (row: string): SQL =>
  sql.raw(`${row}.role = 'admin' AND ${row}.account_status = 'active' AND ${row}.banned_at IS NULL`);

/** Whether nobody could administer any more without this user. */
const isLastAdmin = sql<number>`(${canAdminister("users")} AND NOT EXISTS
  (SELECT 1 FROM users other WHERE ${canAdminister("other")} AND other.id <> users.id))`;

type Change = {
  action: AuditAction;
  /** What is not so yet; when it is, the call changes nothing. */
  isDue: SQL | undefined;
  /** Takes the power to administer from an admin: never from the last one. */
  disarms?: boolean;
  reason?: string;
  details?: SQL;
  tell?: { payload: HubPayload; onlyIf?: SQL | undefined };
  set: Partial<typeof users.$inferInsert>;
  /** What is answered when it was done, and when it was so already. */
  answers: [done: string, already: string];
};

async function changeUser(ctx: UserCtx, userId: number, change: Change): Promise<string> {
  const { action, isDue, disarms = false, reason, details } = change;
  const where = and(eq(users.id, userId), isDue, disarms ? sql`NOT ${isLastAdmin}` : undefined);
  const payload = JSON.stringify(change.tell?.payload ?? {});
  const isTold = change.tell ? and(where, change.tell.onlyIf) : sql`false`;
  const { changed, user, pending } = await ctx.db.batch({
    audited: recordEach(ctx, {
      action,
      targetType: "user",
      id: users.id,
      from: sql`users WHERE ${where}`,
      reason,
      details,
    }),
    told: enqueueSelect(ctx, sql`SELECT 'user:' || users.id, ${payload} FROM users WHERE ${isTold}`),
    changed: ctx.db.update(users).set(change.set).where(where).returning({ id: users.id }),
    user: one(
      ctx.db
        .select({ isDue: sql<number>`${isDue ?? sql`true`}`, isLastAdmin })
        .from(users)
        .where(eq(users.id, userId)),
    ),
    pending: pendingFor(ctx, `user:${userId}`),
  });
  if (!user) throw new AppError("NOT_FOUND");
  if (changed.length === 0) refuseOrRepeat(user);
  logEach(
    ctx,
    action,
    "user",
    changed.map((row) => row.id),
  );
  deliverSoon(ctx, pending);
  return change.answers[changed.length > 0 ? 0 : 1];
}

/** Nothing changed: either it was so already, which is fine, or the last admin was protected. */
function refuseOrRepeat(user: { isDue: number; isLastAdmin: number }): void {
  if (user.isDue) throw new AppError("CONFLICT", user.isLastAdmin ? LAST_ADMIN : undefined);
}

const LAST_ADMIN = "This is the last admin.";

/**
 * Bans. All connections, in every room, get `admin:user_banned` and close with 4003.
 * @throws AppError NOT_FOUND · CONFLICT for the last admin
 */
export function banUser(ctx: UserCtx, userId: number, reason: string): Promise<string> {
  return changeUser(ctx, userId, {
    action: "ban",
    isDue: isNull(users.bannedAt),
    disarms: true,
    reason,
    set: { bannedAt: ctx.now, banReason: reason, onlineUntil: null },
    tell: {
      payload: {
        frames: [{ type: "admin:user_banned", data: { userId, reason, bannedAt: ctx.now.toISOString() } }],
        revocation: { code: CLOSE.forbidden, reason: "Account banned" },
      },
    },
    answers: ["User banned", "User is banned already"],
  });
}

/** @throws AppError NOT_FOUND */
export function unbanUser(ctx: UserCtx, userId: number): Promise<string> {
  return changeUser(ctx, userId, {
    action: "unban",
    isDue: isNotNull(users.bannedAt),
    details: jsonObject({ banReason: sql`users.ban_reason` }),
    set: { bannedAt: null, banReason: null },
    tell: { payload: { isReinstated: true }, onlyIf: eq(users.accountStatus, "active") },
    answers: ["User unbanned", "User is not banned"],
  });
}

/** @throws AppError NOT_FOUND */
export function verifyUser(ctx: UserCtx, userId: number): Promise<string> {
  return changeUser(ctx, userId, {
    action: "verify",
    isDue: eq(users.isVerified, false),
    set: { isVerified: true },
    answers: ["User verified", "User is verified already"],
  });
}

/**
 * Nothing is erased, but the account is shut everywhere until it is restored.
 * @throws AppError NOT_FOUND · CONFLICT for the last admin
 */
export function deactivateUser(ctx: UserCtx, userId: number): Promise<string> {
  return changeUser(ctx, userId, {
    action: "deactivate",
    isDue: ne(users.accountStatus, "not_active"),
    disarms: true,
    details: jsonObject({ accountStatus: sql`users.account_status` }),
    set: { accountStatus: "not_active", onlineUntil: null },
    tell: { payload: { revocation: { code: CLOSE.forbidden, reason: "FORBIDDEN" } } },
    answers: ["User deactivated", "User is deactivated already"],
  });
}

/** Opens an account again that an admin deactivated or its owner closed. A ban stays. @throws AppError NOT_FOUND */
export function restoreUser(ctx: UserCtx, userId: number): Promise<string> {
  return changeUser(ctx, userId, {
    action: "restore",
    isDue: ne(users.accountStatus, "active"),
    details: jsonObject({ accountStatus: sql`users.account_status` }),
    set: { accountStatus: "active" },
    tell: { payload: { isReinstated: true }, onlyIf: isNull(users.bannedAt) },
    answers: ["User restored", "User is active already"],
  });
}

/**
 * The new role counts from the next request on, and at once for open connections.
 * @throws AppError NOT_FOUND · CONFLICT for the last admin · FORBIDDEN for one's own role
 */
export async function setRole(ctx: UserCtx, userId: number, role: Role): Promise<string> {
  if (userId === ctx.actor.id) await refuseOwnRole(ctx, role);
  return changeUser(ctx, userId, {
    action: "role",
    // Where tokens may give roles, that an admin has spoken is news in itself.
    isDue:
      or(ne(users.role, role), ctx.config.JWT_ROLE_CLAIM ? isNull(users.roleSetAt) : undefined) ?? ne(users.role, role),
    disarms: role !== "admin",
    details: jsonObject({ from: sql`users.role`, to: role }),
    set: { role, roleSetAt: ctx.now },
    tell: { payload: { person: { role } } },
    answers: ["Role updated", `User is ${role} already`],
  });
}

/** To the last admin the better reason is told. */
async function refuseOwnRole(ctx: UserCtx, role: string): Promise<void> {
  const [own] = await ctx.db.select({ role: users.role, isLastAdmin }).from(users).where(eq(users.id, ctx.actor.id));
  if (own?.role === role) return;
  if (own?.isLastAdmin) throw new AppError("CONFLICT", LAST_ADMIN);
  throw new AppError("FORBIDDEN", "Nobody changes their own role.");
}

/**
 * Erases the account at once, and what belongs to it: a usual account's all before this resolves, a huge one's rest bit by
 * bit (erasure/user.ts). Sockets close with 4003 "Account deleted". `onlyIf`: a condition on their row in `users`.
 * @throws AppError NOT_FOUND · CONFLICT for the last admin, and where it is not so
 */
export async function eraseUser(
  ctx: UserCtx | ServerCtx,
  userId: number,
  reason: string,
  onlyIf?: SQL,
): Promise<string> {
  const where = and(eq(users.id, userId), sql`NOT ${isLastAdmin}`, onlyIf);
  const farewell: HubPayload = { revocation: { code: CLOSE.forbidden, reason: "Account deleted" }, isErased: true };
  const from = sql`users WHERE ${where}`;
  const { erased, left, pending } = await ctx.db.batch({
    audited: recordEach(ctx, { action: "delete", targetType: "user", id: users.id, from, reason }),
    told: enqueueSelect(
      ctx,
      sql`SELECT 'user:' || users.id, ${JSON.stringify(farewell)} FROM ${from}
        UNION ALL SELECT 'erase:' || users.id, '{}' FROM ${from}`,
    ),
    erased: ctx.db.delete(users).where(where).returning({ id: users.id }),
    left: one(ctx.db.select({ id: users.id }).from(users).where(eq(users.id, userId))),
    pending: pendingFor(ctx, `user:${userId}`, `erase:${userId}`),
  });
  if (left) throw new AppError("CONFLICT", onlyIf ? undefined : LAST_ADMIN);
  if (erased.length === 0) throw new AppError("NOT_FOUND");
  logEach(ctx, "delete", "user", [userId]);
  await deliverNow(ctx, pending);
  return "User deleted";
}
