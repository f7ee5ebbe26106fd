/** Tokens for the product's own people: no password of theirs is ever here. */
import { eq, sql } from "drizzle-orm";
import { logEach, recordEach } from "../../../auth/audit.ts";
import { refuseBarred } from "../../../auth/authenticate.ts";
import type { ServerCtx } from "../../../context.ts";
import { users } from "../../../db/tables.ts";
import { openSession } from "../../auth/service.ts";
import { findOwnUser, isReached } from "../users/find.ts";
import type { MakeToken } from "./contract.ts";

/**
 * A session of its own, which the user's logout ends.
 * @throws AppError NOT_FOUND · FORBIDDEN somebody whom no key reaches, or who is banned or not active
 */
export async function makeToken(ctx: ServerCtx, { expiresInSeconds, ...whom }: MakeToken) {
  const user = await findOwnUser(ctx, whom);
  refuseBarred(ctx, user);
  const mostSeconds = ctx.config.JWT_EXPIRE_MINUTES * 60;
  const from = sql`users WHERE ${eq(users.id, user.id)} AND ${isReached}`;
  // The device will be theirs: of the backend's address the list of their sessions tells nothing.
  const session = { ...ctx, address: "", userAgent: "" };
  const signedIn = await openSession(session, user.id, Math.min(expiresInSeconds ?? mostSeconds, mostSeconds), {
    audited: recordEach(ctx, { action: "token", targetType: "user", id: users.id, from }),
  });
  logEach(ctx, "token", "user", [user.id]);
  return signedIn;
}
