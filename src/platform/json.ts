/** Levels of arrays and objects within each other: more than any of our schemas has, and far from what a copy or a schema overflows at. */
export const MOST_LEVELS = 32;

/** Whether parsed JSON has more levels than this. What has is refused before it crosses to an object, where copying it would fail. */
export function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  for (const inner of Array.isArray(value) ? value : Object.values(value)) {
    if (isDeeperThan(levels - 1, inner)) return true;
  }
  return false;
}
