/** The one way to call an object: counted, retried when that helps, shed when that would hurt. */
import { type Config, config } from "../config.ts";
import { isOverloaded, isReset, isRetryable, toAppError } from "../errors.ts";
import { type Cost, zeroCost } from "./cost.ts";
import { within } from "./deadline.ts";
import { countObjectError } from "./metrics.ts";

const ATTEMPTS = 3;

/**
 * For whom an object is called, as far as it matters. A call that stands on a condition (db/precondition.ts) calls nothing
 * before it is settled.
 */
export type ObjectCaller = { cost: Cost; config: Config; db?: { settle: () => Promise<void> } };

/** An object that calls another: that belongs to no request's bill. */
export const objectCaller = (env: Env): ObjectCaller => ({ cost: zeroCost(), config: config(env) });

/** The name of a user's own object. */
export const hubName = (userId: number): string => String(userId);

type Kind<T extends Rpc.DurableObjectBranded | undefined> = DurableObjectNamespace<T>;

/**
 * Calls the object `name`. A `.retryable` failure is tried again with a new stub (the old one is broken); an
 * `.overloaded` one never is. The first try may have arrived: what does not bear repetition says so by `mayRepeat`.
 * @throws whatever the object threw; see toAppError · AppError UNAVAILABLE no answer in time, which is not tried again
 */
export async function callObject<T extends Rpc.DurableObjectBranded | undefined, R>(
  ctx: ObjectCaller,
  kind: Kind<T>,
  name: string,
  call: (stub: DurableObjectStub<T>) => Promise<R>,
  { mayRepeat = true } = {},
): Promise<R> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await callOnce(ctx, () => call(kind.getByName(name)));
    } catch (error) {
      if (!mayRepeat || attempt >= ATTEMPTS || !isRetryable(error)) throw error;
      await scheduler.wait(2 ** attempt * 20 * (0.5 + Math.random()));
    }
  }
}

/** A call that must not be repeated. @throws AppError UNAVAILABLE no answer in time */
export async function callOnce<R>({ cost, config, db }: ObjectCaller, call: () => Promise<R>): Promise<R> {
  await db?.settle();
  cost.objectCalls += 1;
  try {
    return await within(config.TIMEOUT_OBJECTS_SECONDS, "An object", call);
  } catch (error) {
    countError(error);
    throw error;
  }
}

/** What an object refuses is no error of its own. */
function countError(error: unknown): void {
  const { code } = toAppError(error);
  if (isOverloaded(error)) countObjectError("overloaded");
  else if (isReset(error)) countObjectError("reset");
  else if (isRetryable(error)) countObjectError("lost");
  else if (code === "UNAVAILABLE") countObjectError("late");
  else if (code === "INTERNAL_ERROR") countObjectError("failed");
}
