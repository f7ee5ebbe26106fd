/** Inputs that no schema means: valid ones of which something was replaced, and such as never were any. */
import type { z } from "zod";
import { type Pick, validInput } from "./inputs.ts";

export const nested = (depth: number): unknown => JSON.parse("[".repeat(depth) + "]".repeat(depth));

const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "\udfff\ud800",
  "\u202etxt.exe",
  "\ufeff",
  "\u00ad\u200b",
  "%",
  "_%'\"\\",
  "'; DROP TABLE users; --",
  'NEAR(a b) OR c:* "',
  "__proto__",
  "constructor",
  "toString",
  "../../etc/passwd",
  "x\r\nSet-Cookie: a=b",
  "x".repeat(7000),
  "\u{1f600}".repeat(3000),
  "e\u0301",
  "-0",
  "1e5",
  "9".repeat(30),
  "2026-13-45T99:99:99Z",
  "-271821-04-20T00:00:00.000Z",
  "javascript:alert(1)",
  "<script>alert(1)</script>",
  "@",
  "@nobody",
  [],
  [[]],
  [null, null],
  [1, "1", true, {}],
  Array.from({ length: 2000 }, (_, index) => index),
  {},
  JSON.parse('{"__proto__":{"role":"admin"},"constructor":{"prototype":{"role":"admin"}}}'),
  { length: 1e9 },
  { toJSON: 1, valueOf: 2 },
  nested(40),
  nested(70),
];

export const hostileValue = (pick: Pick): unknown => VALUES[pick(VALUES.length)];

/** Text for an address: hostile values that are text, or numbers. */
export const hostileText = (pick: Pick): string => {
  const value = hostileValue(pick);
  return typeof value === "string" || typeof value === "number" ? String(value) : "7";
};

/** An input of the schema's in which something is wrong; now and then nothing is, or all. */
export function hostileInput(schema: z.ZodType, pick: Pick): unknown {
  if (pick(8) === 0) return hostileValue(pick);
  const input = nearlyValid(schema, pick);
  return pick(8) === 0 ? input : replaced(input, pick);
}

/** Where the samples have nothing that the schema takes, all of it is hostile. */
function nearlyValid(schema: z.ZodType, pick: Pick): unknown {
  try {
    return validInput(schema, pick);
  } catch {
    return hostileValue(pick);
  }
}

function replaced(input: unknown, pick: Pick): unknown {
  if (typeof input !== "object" || input === null) return hostileValue(pick);
  const entries = Object.entries(input);
  const key = pick(5) === 0 ? hostileText(pick) : (entries[pick(entries.length + 1)]?.[0] ?? "more");
  const value = Object.hasOwn(input, key) ? Object.getOwnPropertyDescriptor(input, key)?.value : undefined;
  const wrong = pick(3) === 0 ? replaced(value, pick) : hostileValue(pick);
  return Array.isArray(input) ? [...input, wrong] : Object.fromEntries([...entries, [key, wrong]]);
}
