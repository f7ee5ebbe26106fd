/** The one way to call an object: counted, retried when that helps, shed when that would hurt. */
import { isRetryable } from "../errors.ts";
import type { Cost } from "./cost.ts";

const ATTEMPTS = 3;

type Kind<T extends Rpc.DurableObjectBranded | undefined> = DurableObjectNamespace<T>;

/**
 * Calls the object `name`. A `.retryable` failure is tried again with a new stub (the old one is broken); an
 * `.overloaded` one never is. What is called must bear repetition: the first try may have arrived.
 * @throws whatever the object threw; see toAppError
 */
export async function callObject<T extends Rpc.DurableObjectBranded | undefined, R>(
  ctx: { cost: Cost },
  kind: Kind<T>,
  name: string,
  call: (stub: DurableObjectStub<T>) => Promise<R>,
): Promise<R> {
  for (let attempt = 1; ; attempt += 1) {
    ctx.cost.objectCalls += 1;
    try {
      return await call(kind.getByName(name));
    } catch (error) {
      if (attempt >= ATTEMPTS || !isRetryable(error)) throw error;
      await scheduler.wait(2 ** attempt * 20 * (0.5 + Math.random()));
    }
  }
}
