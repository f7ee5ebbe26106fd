/** What has to become true in the end. */
import { setTimeout as sleep } from "node:timers/promises";

const SETTLE_MS = 30_000;

/** @throws Error it is not so after half a minute */
export async function until(isTrue: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const giveUpAt = Date.now() + SETTLE_MS; Date.now() < giveUpAt; await sleep(20)) if (await isTrue()) return;
  throw new Error(`It is not so that ${what}, after ${SETTLE_MS} ms.`);
}

/**
 * Waits for what is still to come, as long as some of it comes: behind an endpoint a queue has grown while the server was
 * down, and is lost only if it does not empty.
 * @param left how much is missing
 * @returns how long it took, ms
 */
export async function untilAllCame(left: () => number): Promise<number> {
  const started = Date.now();
  let [least, cameAt] = [left(), started];
  while (least > 0 && Date.now() < cameAt + SETTLE_MS) {
    await sleep(100);
    const now = left();
    if (now < least) [least, cameAt] = [now, Date.now()];
  }
  return cameAt - started;
}
