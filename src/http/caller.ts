/** Who calls. They are taken for who they were; the work itself asks the database whether they still are. */
import type { Context, MiddlewareHandler } from "hono";
import { authenticate, authenticateByWork, bearerOf, tokenOf } from "../auth/authenticate.ts";
import { CallerChanged } from "../auth/caller-changed.ts";
import { authenticateServerByWork } from "../auth/server-keys.ts";
import { isServerKey } from "../auth/tokens.ts";
import { toAppError } from "../errors.ts";
import { type HttpEnv, isServerCall } from "./env.ts";
import { answerFailure } from "./failures.ts";
import { isJson } from "./read.ts";

/** Finds out who calls. A token that is there must be good; none at all is left to the route's `who`. */
export const signIn: MiddlewareHandler<HttpEnv> = async (c, next) => {
  const { ctx } = c.var;
  const key = isServerCall(c) ? bearerOf(c.req.raw) : null;
  const token = tokenOf(c.req.raw);
  if (key !== null && isServerKey(key)) c.set("ctx", await authenticateServerByWork(ctx, key));
  else if (token !== null) c.set("ctx", await (isRepeatable(c) ? authenticateByWork : authenticate)(ctx, token));
  await next();
  await refuseUnasked(c);
};

/** A body that is a stream is read once: then nothing is begun before its sender is known. */
const isRepeatable = ({ req }: Context): boolean => req.raw.body === null || isJson(req.header("content-type"));

/** What refused the call before its work began has asked nobody: that it was no caller of ours is said before all else. */
async function refuseUnasked(c: Context<HttpEnv>): Promise<void> {
  try {
    await c.var.ctx.db.settle();
  } catch (error) {
    const isAnswered = error instanceof CallerChanged || (c.error !== undefined && toAppError(c.error) === error);
    if (!isAnswered) c.res = answerFailure(toAppError(error), c);
  }
}

/** Does the work, once more if its caller turns out not to be who they were: nothing was done the first time. */
export async function byCaller<T>(c: Context<HttpEnv>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(await hasCallerChanged(c))) throw error;
    return work();
  }
}

/** Asks, unless that was asked. Afterwards the call is theirs as they are. @throws AppError for who may not call at all */
export async function hasCallerChanged(c: Context<HttpEnv>): Promise<boolean> {
  try {
    await c.var.ctx.db.settle();
    return false;
  } catch (error) {
    if (!(error instanceof CallerChanged)) throw error;
    c.set("ctx", error.ctx);
    return true;
  }
}

/** For handlers that `route` does not declare, and which may begin with something that cannot be done again. */
export const askCaller: MiddlewareHandler<HttpEnv> = async (c, next) => {
  await hasCallerChanged(c);
  await next();
};
