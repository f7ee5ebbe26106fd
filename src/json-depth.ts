/** How deep JSON is nested, seen before anything is made of it, or copied to another object. */
import { JSON_DEPTH_MAX } from "./limits.ts";

const [QUOTE, BACKSLASH] = ['"', "\\"].map((char) => char.charCodeAt(0));
const OPENING = new Set(["{", "["].map((char) => char.charCodeAt(0)));
const CLOSING = new Set(["}", "]"].map((char) => char.charCodeAt(0)));

/** The same of a value that somebody else has parsed. */
export const isNestedTooDeep = (value: unknown): boolean => isDeeperThan(JSON_DEPTH_MAX, value);

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}

/**
 * Whether arrays and objects stand in each other more than JSON_DEPTH_MAX times. The parser takes any depth; what writes the
 * value again, compares it or hands it to an object calls itself once for each level, and runs out of stack.
 */
export function isTooDeep(json: string): boolean {
  if (!opensOftener(JSON_DEPTH_MAX, json)) return false;
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (isInString) {
      if (code === BACKSLASH) at += 1;
      else if (code === QUOTE) isInString = false;
    } else if (code === QUOTE) isInString = true;
    else if (OPENING.has(code)) {
      depth += 1;
      if (depth > JSON_DEPTH_MAX) return true;
    } else if (CLOSING.has(code)) depth -= 1;
  }
  return false;
}

/** Whether more than `times` brackets open, those in strings too: what most frames are asked, and nothing more. */
function opensOftener(times: number, json: string): boolean {
  let count = 0;
  for (const bracket of ["{", "["]) {
    for (let at = json.indexOf(bracket); at >= 0; at = json.indexOf(bracket, at + 1)) {
      count += 1;
      if (count > times) return true;
    }
  }
  return false;
}
