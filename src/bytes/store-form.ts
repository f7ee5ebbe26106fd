/** From a form to objects in R2: each file is checked and stored as it passes, wherever in the form it stands. */
import { v7 } from "uuid";
import { z } from "zod";
import type { UserCtx } from "../context.ts";
import { AppError, toAppError } from "../errors.ts";
import { badField, readInput } from "../input.ts";
import { composed, inert, showsNothing } from "../text.ts";
import { type FilePart, formParts } from "./form.ts";
import { type Category, type Kind, kindOf, requireKind } from "./kinds.ts";
import { discard, type StoredObject, storeObject } from "./store.ts";

/** Programs send the whole path, of any system; only its last segment is a name (RFC 7578, 4.2). */
const lastSegment = (path: string): string =>
  composed(path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1)).trim();

/** What a file was called where it came from: shown, and the name of the download; never a path. */
export const OriginalName = z
  .string()
  .max(4096, "may have 255 characters")
  .overwrite(lastSegment)
  .refine((name) => !showsNothing(name), "is needed")
  .refine((name) => name.length <= 255, "may have 255 characters")
  // biome-ignore lint/suspicious/noControlCharactersInRegex: line breaks would end a header.
  .refine((name) => !/[\u0000-\u001f\u007f]/.test(name), "may have no control characters")
  .refine((name) => !/^\.+$/.test(name), "may be no path")
  .overwrite(inert);

/** A stored file that has no row yet. */
export type Received = StoredObject & { field: string; originalName: string; kind: Kind };
/** One file of a form: stored, or why not. */
export type Outcome = { originalName: string } & ({ received: Received } | { error: AppError });

export type Source = { body: ReadableStream<Uint8Array> | null; headers: Headers };

type Expected = {
  /** Field → the category its file must be of, if any. */
  files: Record<string, Category | undefined>;
  maxFiles: number;
  /** Goes on after a file that fails; otherwise the failure ends the form. */
  isEachByItself?: boolean;
};

export type ReceivedForm<F> = { fields: F; outcomes: Outcome[] };

/** Room for delimiters, headers and fields in a body that has one file. */
const FORM_OVERHEAD_BYTES = 1024 * 1024;

/**
 * Reads a form to its end. What was stored must be given a row, or be discarded (`discardAll`).
 * @throws AppError INVALID_REQUEST · UNSUPPORTED_MEDIA_TYPE · PAYLOAD_TOO_LARGE; then nothing is left of any file
 */
export function storeForm<S extends z.ZodType<object>>(
  ctx: UserCtx,
  source: Source,
  Fields: S,
  expected: Expected,
): Promise<ReceivedForm<z.output<S>>> {
  const work = readForm(ctx, source, Fields, expected);
  // A client that goes away ends the call; what is waited for goes on, so that what it left is cleaned up.
  ctx.later(work.catch(() => {}));
  return work;
}

async function readForm<S extends z.ZodType<object>>(
  ctx: UserCtx,
  source: Source,
  Fields: S,
  expected: Expected,
): Promise<ReceivedForm<z.output<S>>> {
  const fields: Record<string, string> = {};
  const outcomes: Outcome[] = [];
  try {
    for await (const part of formParts(source)) {
      if (part.kind === "field") fields[part.name] = part.value;
      else {
        if (!Object.hasOwn(expected.files, part.name)) throw badField(part.name, "is no file of this form");
        if (outcomes.length >= expected.maxFiles) throw badField(part.name, `may be given ${expected.maxFiles} times`);
        const outcome = await storePart(ctx, part, expected, source.headers);
        if ("error" in outcome && !expected.isEachByItself) throw outcome.error;
        outcomes.push(outcome);
      }
    }
    return { fields: readInput(Fields, fields), outcomes };
  } catch (error) {
    await discardAll(ctx, outcomes);
    throw error;
  }
}

async function storePart(ctx: UserCtx, part: FilePart, expected: Expected, headers: Headers): Promise<Outcome> {
  try {
    const originalName = readField(OriginalName, part.filename, part.name);
    const kind = kindOf(originalName, expected.files[part.name]);
    const declared = Number(headers.get("content-length") ?? "0");
    if (expected.maxFiles === 1 && declared > kind.maxBytes + FORM_OVERHEAD_BYTES) throw tooLarge(kind);
    const key = newKey(ctx);
    const stored = await storeObject(ctx, key, part.bytes, {
      maxBytes: kind.maxBytes,
      inspect: (head) => requireKind(head, kind),
      // A form has no longer file than itself.
      reserve: { userId: ctx.actor.id, bytes: declared > 0 ? Math.min(declared, kind.maxBytes) : kind.maxBytes },
    });
    return { originalName, received: { ...stored, field: part.name, originalName, kind } };
  } catch (error) {
    // The name itself may be what is wrong.
    return { originalName: inert(part.filename).slice(0, 255), error: toAppError(error) };
  }
}

/** Keys are ours alone: nothing of a name a client chose is in them. */
/** The folder of the bucket in which somebody's objects are. */
export const folderOf = (userId: number): string => `u/${userId}/`;

export const newKey = (ctx: UserCtx): string => `${folderOf(ctx.actor.id)}${v7()}`;

export const tooLarge = ({ category, maxBytes }: Kind): AppError =>
  new AppError("PAYLOAD_TOO_LARGE", `A file of the category ${category} may have ${maxBytes} bytes.`);

export async function discardAll(ctx: UserCtx, outcomes: Outcome[]): Promise<void> {
  for (const outcome of outcomes) if ("received" in outcome) await discard(ctx, outcome.received.key);
}

/** A value that came by itself, not in an object. @throws AppError INVALID_REQUEST, naming `field` */
export function readField<S extends z.ZodType>(schema: S, value: unknown, field: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const details = result.error.issues.map(({ message }) => ({ path: field, message }));
  throw new AppError("INVALID_REQUEST", undefined, { details });
}
