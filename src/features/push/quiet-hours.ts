/** When somebody does not want to be woken. */
import type { QuietHours } from "./contract.ts";

const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

const DAY_MINUTES = 24 * 60;

/** When the quiet hours end that `now` is in, ms; undefined outside of them. Exact but for a change of clocks meanwhile. */
export function quietUntil({ from, to, timeZone }: QuietHours, now: number): number | undefined {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const at = minutesOf(format.format(now));
  const [begin, end] = [minutesOf(from), minutesOf(to)];
  const past = (at - begin + DAY_MINUTES) % DAY_MINUTES;
  const length = (end - begin + DAY_MINUTES) % DAY_MINUTES;
  if (past >= length) return undefined;
  const startOfMinute = now - (now % 60_000);
  return startOfMinute + (length - past) * 60_000;
}
