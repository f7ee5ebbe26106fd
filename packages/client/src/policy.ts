/** Whether and when to come back after a close: the number says it (SPEC 2, "Close codes"). */

/** What to do next. `delayMs` before the next try; `rejected`: the token was not accepted. */
export type Next = { comeBack: false } | { comeBack: true; delayMs: number; rejected: boolean };

/** A service that restarts drops all its clients at once: they come back spread over this time, unless it names another. */
const RESTART_SPREAD_SECONDS = 5;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_SECONDS = 30;

/**
 * @param failures connections in a row, this one included, that did not last; 0 when this one did
 * @param random 0 to 1
 */
export function afterClose(code: number, reason: string, failures: number, random: number = Math.random()): Next {
  const back = (delayMs: number, rejected = false): Next => ({ comeBack: true, delayMs, rejected });
  switch (code) {
    case 4003:
    case 4004:
      return { comeBack: false };
    case 4001:
      return back(backOff(failures, random), true);
    case 4008:
    case 4009:
      return back(backOff(failures, random));
    case 4029:
      return back((secondsIn(reason, "Retry-After") ?? LONGEST_DELAY_SECONDS) * 1000);
    case 1012:
      return back(random * 1000 * (secondsIn(reason, "Spread") ?? RESTART_SPREAD_SECONDS) + backOff(failures, random));
    default:
      // A network that drops one client drops many: they do not come back at the same moment.
      return back(backOff(failures + 1, random));
  }
}

/** None after a connection that lasted; then doubling, half of it random so that clients do not keep in step. */
function backOff(failures: number, random: number): number {
  if (failures === 0) return 0;
  const most = Math.min(LONGEST_DELAY_SECONDS * 1000, FIRST_DELAY_MS * 2 ** (failures - 1));
  return most / 2 + (most / 2) * random;
}

/** `RATE_LIMIT; Retry-After: 30`, `RESTART; Spread: 12` */
function secondsIn(reason: string, name: "Retry-After" | "Spread"): number | undefined {
  const seconds = new RegExp(`${name}: (\\d+)`).exec(reason)?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}
