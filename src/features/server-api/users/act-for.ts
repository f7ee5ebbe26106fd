/** A server's call that is done as one of the product's own people (`actAs`), with their rights and no more. */
import { eq, sql } from "drizzle-orm";
import { refuseBarred } from "../../../auth/authenticate.ts";
import { actingAs, type ServerCtx, type UserCtx } from "../../../context.ts";
import { generationColumn } from "../../../db/generation.ts";
import { newestOutboxId } from "../../../db/outbox.ts";
import { users } from "../../../db/tables.ts";
import { AppError } from "../../../errors.ts";
import type { Somebody } from "../base-contract.ts";
import { findOwnUser, isReached } from "./find.ts";
import { whomOf } from "./somebody.ts";

/** @throws AppError NOT_FOUND · FORBIDDEN somebody whom no key reaches, or who is banned or not active */
export async function actFor(ctx: ServerCtx, somebody: Somebody): Promise<UserCtx> {
  const user = await findOwnUser(ctx, whomOf(somebody));
  refuseBarred(ctx, user);
  const [now] = await ctx.db
    .select({ asOf: newestOutboxId, generation: generationColumn, isStill: sql<number>`${isReached}` })
    .from(users)
    .where(eq(users.id, user.id));
  if (!now?.isStill) throw new AppError("FORBIDDEN");
  return actingAs(ctx, {
    kind: "user",
    id: user.id,
    username: user.username,
    displayName: user.displayName,
    avatarUrl: user.avatarUrl,
    role: user.role,
    sessionId: "",
    expiresAt: Number.MAX_SAFE_INTEGER,
    asOf: now.asOf,
    generation: now.generation,
    bornAt: user.createdAt.getTime(),
  });
}
