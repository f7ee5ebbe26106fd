/** The caller of a call that stands on who they were (session-cache.ts, server-keys.ts) is somebody else by now. */
import type { Ctx } from "../context.ts";
import { AppError } from "../errors.ts";

/**
 * Thrown by whatever asks the database or an object first. Nothing was done: http/caller.ts does the call again. Other doors
 * answer that the same call may succeed.
 */
export class CallerChanged extends AppError {
  override name = "CallerChanged";
  /** The call as whoever they are. */
  readonly ctx: Ctx;

  constructor(ctx: Ctx) {
    super("UNAVAILABLE");
    this.ctx = ctx;
  }
}
