/**
 * Streaming multipart/form-data (RFC 7578). Parts are handed out in the order they were sent, a file's bytes as they
 * arrive. Nothing reads ahead of who reads the file, so a form of any size passes through a few hundred KiB of memory.
 */
import { Dicer, type PartStream } from "@fastify/busboy/index.js";
import { AppError } from "../errors.ts";
import { decoded, parseDisposition } from "./disposition.ts";
import { joined } from "./parts.ts";

export type FieldPart = { kind: "field"; name: string; value: string };
/** `filename` is as the client wrote it, perhaps a path; empty if there is none. */
export type FilePart = { kind: "file"; name: string; filename: string; bytes: AsyncIterable<Uint8Array> };

/** More parts than any form of this API has. */
const MAX_PARTS = 40;
const FIELD_MAX_BYTES = 64 * 1024;
const HEADER_MAX_BYTES = 8 * 1024;
/** How much of a file may wait for its reader. */
const WAITING_BYTES = 256 * 1024;
/** RFC 2046, 5.1.1. */
const BOUNDARY_MAX_CHARACTERS = 70;

type Source = { body: ReadableStream<Uint8Array> | null; headers: Headers };
/** A part whose header has come. */
type Arrived = { name: string; stream: PartStream } & ({ filename: string } | { value: Promise<string> });

/**
 * The parts of a form, in any order. A file's bytes are read while its part is current; what is left of them when the
 * next part is asked for flows away unread. Leaving the loop early cancels the body.
 * @throws AppError UNSUPPORTED_MEDIA_TYPE not a form · INVALID_REQUEST a broken one, cut short, or with too many parts ·
 *   PAYLOAD_TOO_LARGE a field of more than 64 KiB
 */
export async function* formParts({ body, headers }: Source): AsyncGenerator<FieldPart | FilePart, void> {
  const reader = body?.getReader();
  const arrived: Arrived[] = [];
  let end: { error?: AppError } | undefined;
  let current: PartStream | undefined;
  let wake = () => {};
  const finish = (error?: unknown): void => {
    if (end) return;
    end = error === undefined ? {} : { error: asBroken(error) };
    if (end.error) current?.destroy(end.error);
    wake();
  };
  const arrive = (part: Arrived): void => {
    current = part.stream;
    arrived.push(part);
    wake();
  };
  try {
    const parser = openParser(boundaryOf(headers), arrive, finish);
    if (reader) void feed(parser, reader).catch(finish);
    else parser.end();
    for (;;) {
      const part = arrived.shift();
      if (part) yield* handOut(part);
      else if (end) {
        if (end.error) throw end.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    finish(new AppError("INVALID_REQUEST", "The form was left."));
    // Whoever hands out the request sees to what is left of it (http/drain.ts).
    await reader?.cancel().catch(() => {});
  }
}

/** @throws AppError UNSUPPORTED_MEDIA_TYPE · INVALID_REQUEST */
function boundaryOf(headers: Headers): string {
  const contentType = headers.get("content-type") ?? "";
  const [, quoted, token] =
    /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]*)"|([^\s;]*))/i.exec(contentType) ?? [];
  const boundary = quoted ?? token;
  if (!boundary) throw new AppError("UNSUPPORTED_MEDIA_TYPE", "Send multipart/form-data.");
  if (boundary.length <= BOUNDARY_MAX_CHARACTERS) return boundary;
  throw new AppError("INVALID_REQUEST", `A boundary may have ${BOUNDARY_MAX_CHARACTERS} characters.`);
}

async function* handOut(part: Arrived): AsyncGenerator<FieldPart | FilePart, void> {
  const { name, stream } = part;
  if ("value" in part) {
    yield { kind: "field", name, value: await part.value };
    return;
  }
  const bytes = bytesOf(stream);
  const { filename } = part;
  if (filename !== "") yield { kind: "file", name, filename, bytes };
  else {
    const first = await bytes.next();
    // A browser sends a file input that was left empty as a file of no name and no bytes (HTML standard, "constructing
    // the entry list"): there is none.
    if (!first.done) yield { kind: "file", name, filename, bytes: following(first.value, bytes) };
  }
  stream.resume();
}

async function* following(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  yield first;
  yield* rest;
}

function openParser(boundary: string, arrive: (part: Arrived) => void, finish: (error?: unknown) => void): Dicer {
  const parser = new Dicer({ boundary, maxHeaderPairs: 20, maxHeaderSize: HEADER_MAX_BYTES, partHwm: WAITING_BYTES });
  let parts = 0;
  parser.on("part", (stream) => {
    parts += 1;
    if (parts > MAX_PARTS) finish(new AppError("INVALID_REQUEST", "The form has too many parts."));
    // Whoever reads the part gets the error as well; without a listener, Node's streams would throw it at nobody.
    stream.on("error", finish);
    stream.on("header", (header) => {
      try {
        arrive(openPart(header, stream));
      } catch (error) {
        finish(error);
        stream.resume();
      }
    });
  });
  parser.on("error", finish);
  parser.on("finish", () => finish());
  return parser;
}

/** @throws AppError INVALID_REQUEST */
function openPart(header: Record<string, string[]>, stream: PartStream): Arrived {
  const disposition = parseDisposition(header["content-disposition"]?.[0] ?? "");
  if (!disposition)
    throw new AppError("INVALID_REQUEST", "A part of the form says no `Content-Disposition: form-data`.");
  // RFC 7578, 4.7: it is not used. Stored as it is, the content would be another than what was sent.
  const encoding = header["content-transfer-encoding"]?.[0]?.trim() ?? "";
  if (!/^(7bit|8bit|binary)?$/i.test(encoding)) {
    throw new AppError("INVALID_REQUEST", "A part of the form has a `Content-Transfer-Encoding` that is not taken.");
  }
  const { name, filename } = disposition;
  const isBytes = /^application\/octet-stream\b/i.test(header["content-type"]?.[0] ?? "");
  if (filename !== undefined || isBytes) return { name, filename: filename ?? "", stream };
  const value = fieldValue(stream);
  // Waited for when its turn comes, if it does.
  value.catch(() => {});
  return { name, value, stream };
}

/** @throws AppError PAYLOAD_TOO_LARGE */
function fieldValue(stream: PartStream): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    stream.on("data", (chunk) => {
      size += chunk.byteLength;
      if (size <= FIELD_MAX_BYTES) chunks.push(chunk);
      else stream.destroy(new AppError("PAYLOAD_TOO_LARGE", "A field is too long."));
    });
    stream.on("error", (error) => reject(asBroken(error)));
    stream.on("end", () => resolve(decoded(chunks.reduce(joined, new Uint8Array()))));
  });
}

/** Hands the body over chunk by chunk; `write` is done when the parser, and whoever reads the file, can take more. */
async function feed(parser: Dicer, reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  for (;;) {
    const { done, value } = await reader.read();
    if (!parser.writable) return;
    if (done) return parser.end();
    await new Promise<void>((resolve, reject) => {
      parser.write(value, (error) => (error ? reject(error) : resolve()));
    });
  }
}

async function* bytesOf(stream: PartStream): AsyncGenerator<Uint8Array, void> {
  try {
    // A destroyed stream takes no more, and the parser would wait for it for ever.
    yield* stream.iterator({ destroyOnReturn: false });
  } catch (error) {
    throw asBroken(error);
  }
}

const asBroken = (error: unknown): AppError =>
  error instanceof AppError
    ? error
    : new AppError("INVALID_REQUEST", "The form is broken, or was cut short.", { cause: error });
