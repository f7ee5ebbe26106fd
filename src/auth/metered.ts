/** The limits that an isolate counts (call-meter.ts), and whom it tells: the user's hub, or a row in D1. */
import type { CallContext } from "../db/call-context.ts";
import { CallMeter, type Counted, type Limit, secondsOver } from "./call-meter.ts";

export const meter = new CallMeter();

/** So large a part of a limit is told at once. */
const STEPS = 20;

type Metered = Limit & {
  key: string;
  /** Tells of so many. */
  tell: (count: number) => Promise<Counted>;
};

/** Counts one call. @returns 0, or how many seconds to wait */
export async function spendMetered(ctx: CallContext, { tell, key, ...limit }: Metered): Promise<number> {
  if (!meter.admits(key, limit)) {
    await ctx.db.settle();
    return secondsOver(await meter.tell(key, limit, 1, tell));
  }
  if (meter.untold(key) >= Math.floor(limit.most / STEPS)) ctx.later(meter.tell(key, limit, 0, tell));
  return 0;
}
