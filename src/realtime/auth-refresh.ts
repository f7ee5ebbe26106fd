/** A new token for a connection that stays (SPEC 2), whether a native socket or a Socket.IO client brings it. */
import { authenticate } from "../auth/authenticate.ts";
import type { Ctx, UserCtx } from "../context.ts";
import { AppError } from "../errors.ts";
import { AuthRefresh } from "./protocol.ts";

/**
 * Who the token's holder is by now; `data`: the frame's, as it came.
 * @throws AppError INVALID_MESSAGE no token · FORBIDDEN another user's · as `authenticate`
 */
export async function authenticateAgain(ctx: Ctx, userId: number, data: unknown): Promise<UserCtx> {
  const parsed = AuthRefresh.safeParse(data);
  if (!parsed.success) throw new AppError("INVALID_MESSAGE", "data.token: expected a token");
  const renewed = await authenticate(ctx, parsed.data.token);
  if (renewed.actor.id !== userId) throw new AppError("FORBIDDEN");
  return renewed;
}
