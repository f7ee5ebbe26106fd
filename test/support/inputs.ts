/** Valid inputs, made from the schemas that validate them; and the same inputs as clients of other products write them. */
import { z } from "zod";
import { seeded } from "./admin.ts";

export type Pick = (below: number) => number;
export const picker = (seed: number): Pick => seeded(seed);

let made = 0;

/** Text of every kind that the contract asks for; fresh each time, so that nothing is taken already. */
function texts(): string[] {
  made += 1;
  const day = new Date(Date.UTC(2026, 0, 1 + made)).toISOString();
  return [
    `some text ${made}`,
    `name_${made}`,
    `n${made}@example.com`,
    `https://example.com/${made}.png`,
    day,
    day.slice(0, 10),
    `+49 30 ${1_000_000 + made}`,
    `${1_000_000 + made}`,
    `key_of_a_stream_${made}`,
    "rtmp://127.0.0.1:1935/live",
    `shop:order_${made}`,
    "09:30",
    "Asia/Ho_Chi_Minh",
    "B".padEnd(87, "A"),
    "A".padEnd(22, "A"),
    `verifier_or_challenge_of_a_sign_in_${made}`.padEnd(43, "x"),
  ];
}
const NUMBERS = [0, 1, 2, 7, 20, 60, 300];

const TRIES = 200;

/** An input that the schema takes: all that it needs, and of the rest what `pick` picks. */
export function validInput(schema: z.core.$ZodType, pick: Pick): unknown {
  for (let tried = 0; tried < TRIES; tried++) {
    const input = candidate(schema, pick);
    if (z.safeParse(schema, input).success) return input;
  }
  throw new Error(
    `Found nothing that is taken by ${JSON.stringify(z.toJSONSchema(schema, { unrepresentable: "any" }))}`,
  );
}

const oneOf = <T>(items: readonly T[], pick: Pick): T => {
  const item = items[pick(items.length)];
  if (item === undefined) throw new Error("There is nothing to pick from.");
  return item;
};

function candidate(schema: z.core.$ZodType, pick: Pick): unknown {
  if (schema instanceof z.ZodOptional) return pick(2) === 0 ? undefined : candidate(schema.unwrap(), pick);
  if (schema instanceof z.ZodNullable) return pick(4) === 0 ? null : candidate(schema.unwrap(), pick);
  if (schema instanceof z.ZodDefault) return pick(2) === 0 ? undefined : candidate(schema.unwrap(), pick);
  if (schema instanceof z.ZodCatch) return candidate(schema.unwrap(), pick);
  if (schema instanceof z.ZodPipe) {
    return candidate(schema.in instanceof z.ZodTransform ? schema.out : schema.in, pick);
  }
  if (schema instanceof z.ZodObject) {
    const fields = Object.entries(schema.shape).map(([key, field]) => [key, candidate(field, pick)]);
    return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
  }
  if (schema instanceof z.ZodArray) return Array.from({ length: 1 + pick(2) }, () => candidate(schema.element, pick));
  if (schema instanceof z.ZodRecord) return { type: "offer", sdpMLineIndex: 7, isLast: true };
  if (schema instanceof z.ZodUnion) return candidate(oneOf(schema.options, pick), pick);
  if (schema instanceof z.ZodEnum) return oneOf(schema.options, pick);
  if (schema instanceof z.ZodLiteral) return oneOf([...schema.values], pick);
  if (schema instanceof z.ZodBoolean) return pick(2) === 0;
  const taken = (values: readonly unknown[]) => values.filter((value) => z.safeParse(schema, value).success);
  return oneOf(taken(schema instanceof z.ZodNumber ? NUMBERS : texts()), pick);
}

/** Passed on unread (SPEC 14); or, of a batch, read one by one as the body of another route. */
const UNTOUCHED = ["offer", "answer", "candidate", "publications"];

const otherCase = (key: string): string =>
  key.includes("_")
    ? key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
    : key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The same input with every key in the other case, numbers as text, and 0 and 1 for no and yes. */
export function spelledOtherwise(input: unknown): unknown {
  if (Array.isArray(input)) return input.map(spelledOtherwise);
  if (typeof input === "number") return String(input);
  if (typeof input === "boolean") return input ? 1 : 0;
  if (typeof input !== "object" || input === null) return input;
  return Object.fromEntries(
    Object.entries(input).map(([key, value]) =>
      UNTOUCHED.includes(key) ? [key, value] : [otherCase(key), spelledOtherwise(value)],
    ),
  );
}
