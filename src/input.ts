/** From what was sent to what the contract says it is: respelled, then validated. Every body, form and query comes by here. */
import type { z } from "zod";
import { AppError, type ErrorDetail } from "./errors.ts";
import { type Respelled, respell, type UserIds } from "./spelling.ts";

/** Finds people by what they are called. @throws AppError NOT_FOUND */
export type FindUsers = (names: string[]) => Promise<UserIds>;

/**
 * As `readInput`, where people may be named instead of numbered.
 * @throws AppError INVALID_REQUEST · NOT_FOUND somebody whom nobody knows
 */
export async function readInputNaming<S extends z.ZodType>(
  schema: S,
  input: unknown,
  find: FindUsers,
): Promise<z.output<S>> {
  const respelled = respell(schema, input);
  const { names } = respelled;
  if (names.length === 0) return validate(schema, respelled);
  // What is wrong whoever they are is told without asking the database. Whether two spellings differ, only it can say.
  const anybody = respell(schema, input, new Map(names.map((name) => [name, 1])));
  validate(schema, { ...anybody, conflicts: [] });
  return validate(schema, respell(schema, input, await find(names)));
}

/** @throws AppError INVALID_REQUEST, with one detail for each bad field */
export const readInput = <S extends z.ZodType>(schema: S, input: unknown): z.output<S> =>
  validate(schema, respell(schema, input));

/** @throws AppError as readInput */
function validate<S extends z.ZodType>(schema: S, { value, conflicts }: Respelled): z.output<S> {
  if (conflicts.length > 0) {
    const details = conflicts.map((path) => ({ path: path.join("."), message: "is given twice, and differently" }));
    throw new AppError("INVALID_REQUEST", undefined, { details });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw invalidRequest(parsed.error);
  return parsed.data;
}

/** A request whose schema refused it: one `details` entry per bad field (SPEC 0). */
export function invalidRequest(error: z.ZodError): AppError {
  // Of what is wrong with a field, the first thing.
  const byPath = new Map<string, ErrorDetail>();
  const note = (keys: PropertyKey[], message: string): void => {
    const path = keys.map(String).join(".");
    if (!byPath.has(path)) byPath.set(path, { path, message });
  };
  for (const issue of error.issues) {
    if (issue.code !== "unrecognized_keys") note(issue.path, issue.message);
    else for (const key of issue.keys) note([...issue.path, key], "is not known");
  }
  return new AppError("INVALID_REQUEST", undefined, { details: [...byPath.values()] });
}

/** A request of which one field is wrong in a way that no schema sees. */
export const badField = (path: string, message: string): AppError =>
  new AppError("INVALID_REQUEST", undefined, { details: [{ path, message }] });
