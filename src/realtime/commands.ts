/** What clients may ask of an object: one schema and one function per frame type, bound together by the contract. */
import type { z } from "zod";
import { AppError, type ErrorCode, toAppError } from "../errors.ts";
import type { FindUsers } from "../input.ts";
import { respell, type UserIds } from "../spelling.ts";
import type { BudgetKind } from "./budget.ts";
import type { Connection } from "./connection.ts";
import type { Person } from "./connection-state.ts";

/** Who asks. REST has no connection; the same method serves both. */
export type CommandContext = {
  person: Person;
  connection?: Connection;
  now: number;
  /** Of a caller without a connection: one for each command, however often it comes. */
  requestId?: string | undefined;
  /** Finds people whom a frame names. */
  find: FindUsers;
};

/** Frame type → schema of its `data`; part of a feature's contract. */
export type CommandSchemas = Record<string, z.ZodType>;

/** One function per frame type: a missing one does not compile. What it returns goes into the ack's `data`. */
export type Handlers<S extends CommandSchemas> = {
  [K in keyof S]: (by: CommandContext, data: z.output<S[K]>) => unknown;
};

type Command = {
  budget: BudgetKind;
  /** It checks first and writes last: nothing it wrote has to be taken back when it fails. */
  writesLast: boolean;
  run: (by: CommandContext, data: unknown) => unknown;
};
export type Commands = ReadonlyMap<string, Command>;

/**
 * Binds a contract's frames to what they do. `budgets` names those that do not count as messages; `writesLast`, those of the
 * hot path that need no savepoint (some 15 % of what a message costs; bench/rooms.ts).
 */
export function bindCommands<S extends CommandSchemas>(
  schemas: S,
  handlers: Handlers<S>,
  budgets: { [K in keyof S]?: BudgetKind } = {},
  writesLast: readonly (keyof S)[] = [],
): Commands {
  const bind = <K extends keyof S & string>(type: K): [string, Command] => {
    const schema: S[K] = schemas[type];
    const run = (by: CommandContext, data: unknown, ids?: UserIds): unknown => {
      const { value, conflicts, names } = respell(schema, data ?? {}, ids);
      // The usual frame names nobody, and is run at once.
      if (names.length > 0 && !ids) return by.find(names).then((found) => run(by, data, found));
      if (conflicts[0])
        throw new AppError("INVALID_MESSAGE", `data.${conflicts[0].join(".")}: is given twice, and differently`);
      const parsed = schema.safeParse(value);
      if (!parsed.success) throw invalidMessage(parsed.error);
      return handlers[type](by, parsed.data);
    };
    return [type, { budget: budgets[type] ?? "messages", writesLast: writesLast.includes(type), run }];
  };
  return new Map(Object.keys(schemas).map((type) => bind(type)));
}

function invalidMessage(error: z.ZodError): AppError {
  const [issue] = error.issues;
  const path = issue?.path.join(".");
  return new AppError("INVALID_MESSAGE", path ? `data.${path}: ${issue?.message}` : issue?.message);
}

/**
 * A command's outcome as it crosses RPC: of a thrown error little more than the text would arrive. `isAbsent`: whoever asked is
 * not in the room, which may have lost them.
 */
export type Outcome =
  | { ok: true; data: unknown }
  | {
      ok: false;
      error: { code: ErrorCode; message: string; retryAfterSeconds?: number | undefined };
      isAbsent?: true;
    };

/** A client that another object holds is not in this room. */
export class Absent extends AppError {
  constructor() {
    super("NOT_FOUND", "Join first.");
  }
}

export function failed(thrown: unknown): Outcome {
  const { code, message, retryAfterSeconds } = toAppError(thrown);
  return {
    ok: false,
    error: { code, message, retryAfterSeconds },
    ...(thrown instanceof Absent ? { isAbsent: true } : {}),
  };
}

/** What the command answered. @throws AppError as the object refused it */
export function resultOf(outcome: Outcome): unknown {
  if (outcome.ok) return outcome.data;
  const { code, message, retryAfterSeconds } = outcome.error;
  throw new AppError(code, message, { retryAfterSeconds });
}

/** The same. @throws AppError as the object refused it, in HTTP's words */
export function outcomeOf(outcome: Outcome): unknown {
  const isInvalid = !outcome.ok && outcome.error.code === "INVALID_MESSAGE";
  return resultOf(isInvalid ? { ok: false, error: { ...outcome.error, code: "INVALID_REQUEST" } } : outcome);
}
