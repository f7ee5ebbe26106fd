/**
 * Who held a token when this isolate last asked. A call takes them for who they were, on the condition that the database
 * still says so: that is asked in the transaction of the call's own work, so that being signed in costs no trip, and a
 * revoked session, a ban, a new role or a new name count at once all the same.
 */
import { fillPlaceholders, type SQL, sql } from "drizzle-orm";
import { SQLiteAsyncDialect } from "drizzle-orm/sqlite-core";
import { z } from "zod";
import { actingAs, type Ctx, onCondition, type User, type UserCtx } from "../context.ts";
import { generationColumn } from "../db/generation.ts";
import { believeHook, hookColumn } from "../db/message-hook.ts";
import { newestOutboxId } from "../db/outbox.ts";
import { failUnless } from "../db/precondition.ts";
import { identities, revokedTokens, sessions, users } from "../db/tables.ts";
import { anybodyListens } from "../db/webhook-facts.ts";
import { ROLES, type Role } from "../roles.ts";
import { banOf } from "./banned-address.ts";
import { CredentialCache } from "./credential-cache.ts";
import { isOutsideSession, outsideTokenHash, roleOfSession } from "./outside-session.ts";

export type Session = {
  userId: number;
  sessionId: string;
  expiresAt: number;
  /** By what a token that somebody else signed names its account. */
  identity?: { issuer: string; subject: string };
};

/** What the database said of an account, as far as a call may build on it. */
export type Account = {
  username: string;
  displayName: string | null;
  avatarUrl: string | null;
  role: Role;
  /** Whether an admin here has said what the role is. */
  isRoleSet: boolean;
  bornAt: number;
  generation: string;
  asOf: number;
};

/** Columns of `users`, and beside them, that make an Account. */
export const accountColumns = {
  username: users.username,
  displayName: users.displayName,
  avatarUrl: users.avatarUrl,
  role: users.role,
  roleSetAt: users.roleSetAt,
  createdAt: users.createdAt,
  generation: generationColumn,
  asOf: newestOutboxId,
};
type AccountRow = Omit<Account, "isRoleSet" | "bornAt"> & { roleSetAt: Date | null; createdAt: Date };

export const accountOf = ({ roleSetAt, createdAt, ...account }: AccountRow): Account => ({
  ...account,
  isRoleSet: roleSetAt !== null,
  bornAt: createdAt.getTime(),
});

/** What is read along, whenever somebody is found to be signed in. */
const Use = z.object({
  asOf: z.number(),
  listens: z.number(),
  asked: z.string().nullable(),
  lastActiveAt: z.number().nullable(),
  lastUsedAt: z.number(),
});
export type Use = z.infer<typeof Use>;

/** The keys that others sign with are asked for again within this time: see `keySet` in outside.ts. */
const OUTSIDE_MS = 300_000;

const remembered = new CredentialCache<{ session: Session; account: Account }>();

export function rememberSession({ config, now }: Ctx, token: string, session: Session, account: Account): void {
  const { sessionId, expiresAt } = session;
  const until = isOutsideSession(sessionId) ? Math.min(expiresAt, now.getTime() + OUTSIDE_MS) : expiresAt;
  remembered.remember(config, token, { session, account }, until);
}

/** Who an account is in a session. A token may give a role while nobody here has said what the account's is. */
export function userOf({ userId, sessionId, expiresAt }: Session, account: Account): User {
  const { isRoleSet, role, ...rest } = account;
  const given = isRoleSet ? null : roleOfSession(sessionId);
  return { kind: "user", id: userId, sessionId, expiresAt, ...rest, role: higherRole(role, given) };
}

const higherRole = (own: Role, given: Role | null): Role =>
  given !== null && ROLES.indexOf(given) > ROLES.indexOf(own) ? given : own;

const param = (name: string): SQL => sql`${sql.placeholder(name)}`;

/** When a session was last used, ms; null: it has ended. Of a token that somebody else signed no use is noted. */
export const lastUseOf = (sessionId: SQL, userId: SQL): SQL<number | null> =>
  sql`(SELECT ${sessions.lastUsedAt} FROM ${sessions} WHERE ${sessions.id} = ${sessionId} AND ${sessions.userId} = ${userId})`;

/** The same for a token that somebody else signed. */
export const outsideUseOf = (hash: SQL, now: SQL): SQL<number | null> =>
  sql`CASE WHEN NOT EXISTS (SELECT 1 FROM ${revokedTokens} WHERE ${revokedTokens.hash} = ${hash}) THEN ${now} END`;

const isNamed = sql`${param("userId")} = (SELECT ${identities.userId} FROM ${identities}
  WHERE ${identities.issuer} = ${param("issuer")} AND ${identities.subject} = ${param("subject")})`;

/** Compiled once. Of nobody all columns are NULL, and the condition is not met. */
function stillSo(lastUsedAt: SQL, isTheirs: SQL): { sql: string; params: unknown[] } {
  const isSo = sql`${isTheirs} AND used_at IS NOT NULL AND u.account_status = 'active' AND u.banned_at IS NULL
    AND u.username = ${param("username")} AND u.display_name IS ${param("displayName")}
    AND u.avatar_url IS ${param("avatarUrl")} AND u.role = ${param("role")}
    AND (u.role_set_at IS NOT NULL) = ${param("isRoleSet")} AND u.created_at = ${param("bornAt")}
    AND ${generationColumn} = ${param("generation")} AND ${hookColumn} IS ${param("hook")}
    AND ${banOf(param("address"), param("now"))} IS NULL`;
  return new SQLiteAsyncDialect().sqlToQuery(sql`SELECT ${newestOutboxId} AS asOf, ${anybodyListens} AS listens,
    ${hookColumn} AS asked, u.last_active_at AS lastActiveAt, used_at AS lastUsedAt, ${failUnless(isSo)} AS isSo
    FROM (SELECT ${lastUsedAt} AS used_at) LEFT JOIN users u ON u.id = ${param("userId")}`);
}

const OWN = stillSo(lastUseOf(param("sessionId"), param("userId")), sql`1`);
const OUTSIDE = stillSo(outsideUseOf(param("tokenHash"), param("now")), isNamed);

type Outcome = {
  /** The token's holder is who they were. */
  met: (ctx: UserCtx, use: Use) => void;
  /** They are not. Throws who they are. */
  unmet: () => Promise<never>;
};

/** The call, by whoever held this token when it was last asked; null: not known here. */
export function believe(ctx: Ctx, token: string, { met, unmet }: Outcome): UserCtx | null {
  const now = ctx.now.getTime();
  const known = remembered.get(ctx.config, token, now);
  if (!known) return null;
  const { session, account } = known;
  const user = userOf(session, account);
  const believer = actingAs(ctx, user);
  const { sql: query, params } = isOutsideSession(session.sessionId) ? OUTSIDE : OWN;
  return onCondition(believer, {
    query,
    params: fillPlaceholders(params, {
      ...account,
      ...session.identity,
      isRoleSet: account.isRoleSet ? 1 : 0,
      userId: session.userId,
      sessionId: session.sessionId,
      tokenHash: outsideTokenHash(session.sessionId),
      hook: believeHook(),
      address: ctx.address,
      now,
    }),
    met: (row) => {
      const use = Use.parse(row);
      user.asOf = use.asOf;
      met(believer, use);
    },
    unmet: () => {
      remembered.forget(ctx.config, token);
      return unmet();
    },
  });
}
