/** Nothing that another service has to answer is waited for without end: a call that stalls is a clear failure. */
import { AppError } from "../errors.ts";

/** When to come back after a stall: soon, since most are short. */
const RETRY_AFTER_SECONDS = 5;

/**
 * Resolves as `work` does, if it does so within `seconds`. What was begun may be done all the same, later: so only what
 * may be repeated is tried again.
 * @throws AppError UNAVAILABLE otherwise; `what` is for the log
 */
export async function within<T>(seconds: number, what: string, work: () => Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(unavailable(`${what} did not answer within ${seconds} s`)), seconds * 1000);
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}

export const unavailable = (cause: unknown): AppError =>
  new AppError("UNAVAILABLE", undefined, {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
    cause: typeof cause === "string" ? new Error(cause) : cause,
  });
