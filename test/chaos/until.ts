/** What has to become true in the end. */
import { setTimeout as sleep } from "node:timers/promises";

const SETTLE_MS = 30_000;

/** @throws Error it is not so after half a minute */
export async function until(isTrue: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const giveUpAt = Date.now() + SETTLE_MS; Date.now() < giveUpAt; await sleep(20)) if (await isTrue()) return;
  throw new Error(`It is not so that ${what}, after ${SETTLE_MS} ms.`);
}
