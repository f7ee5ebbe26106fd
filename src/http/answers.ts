/** Answers that many routes share. */
import { z } from "zod";
import { UserRef } from "../realtime/protocol.ts";

/** Bytes, in a form or as an answer. OpenAPI 3.1 leaves `format` open; `binary` is what makers of clients know. */
export const Binary = z.string().meta({ format: "binary" });

/** An act with nothing to show. */
export const Done = z.object({ success: z.literal(true), message: z.string() }).meta({ id: "Done" });

export const done = (message: string): z.infer<typeof Done> => ({ success: true, message });

/** A number in the path, as everything that has an integer id. Paths are text, so the typed client takes it as text too. */
export const IntegerId: z.ZodType<number, number | string> = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);

export const IdParam = z.object({ id: IntegerId });

export const UserIdParam = z.object({ userId: UserRef });
/** A user, as the last name of their own path. */
export const UserParam = z.object({ id: UserRef });
