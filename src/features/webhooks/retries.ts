/** When a call that failed is made again: with growing waits, over three days (Standard Webhooks, "Retry schedule"). */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const WAITS = [
  5 * SECOND,
  MINUTE,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
] as const;
export const GIVEN_UP_AFTER_MS = 72 * HOUR;
/** Endpoints that failed together are not called together. */
const SPREAD = 0.1;

/** When to try again, ms, after so many failures, the first of them at `since`; null: not any more. */
export function nextTry(attempts: number, since: number, now: number): number | null {
  const left = since + GIVEN_UP_AFTER_MS - now;
  if (left <= 0) return null;
  const wait = WAITS[Math.min(attempts, WAITS.length) - 1] ?? WAITS[0];
  return now + Math.min(wait * (1 + SPREAD * Math.random()), left);
}
