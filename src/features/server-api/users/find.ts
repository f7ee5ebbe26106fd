/**
 * Whom a server's call means. A key reaches people of role `user` whom the product's backend has made, by its calls or its
 * tokens; nobody who has power here, or came in by another door.
 */
import { and, eq, getTableColumns, sql } from "drizzle-orm";
import { BACKEND } from "../../../auth/identities.ts";
import type { Ctx } from "../../../context.ts";
import { identities, users } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import type { Whom } from "../base-contract.ts";

/** The condition that a key reaches this row of `users`. */
export const isReached = sql`(users.role = 'user' AND EXISTS (SELECT 1 FROM identities mine
  WHERE mine.user_id = users.id AND mine.issuer = ${BACKEND}))`;

export type OwnUser = typeof users.$inferSelect & { externalId: string };

/** @throws AppError NOT_FOUND · FORBIDDEN somebody whom no key reaches */
export async function findOwnUser(ctx: Ctx, whom: Whom): Promise<OwnUser> {
  const found = await lookUpOwnUser(ctx, whom);
  if (!found) throw new AppError("NOT_FOUND", "There is no such user.");
  return found;
}

/** The same; undefined: there is no such user. @throws AppError FORBIDDEN */
export async function lookUpOwnUser(ctx: Ctx, { userId, externalId }: Whom): Promise<OwnUser | undefined> {
  const isTheirs = and(eq(identities.userId, users.id), eq(identities.issuer, BACKEND));
  const [row] = await ctx.db
    .select({ user: getTableColumns(users), externalId: identities.subject })
    .from(users)
    .leftJoin(identities, isTheirs)
    .where(externalId === undefined ? eq(users.id, userId ?? 0) : eq(identities.subject, externalId));
  if (!row) return undefined;
  if (row.externalId === null || row.user.role !== "user") {
    throw new AppError("FORBIDDEN", "A server's key reaches the people whom the product's backend has made, alone.");
  }
  return { ...row.user, externalId: row.externalId };
}
