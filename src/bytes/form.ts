/**
 * Streaming multipart/form-data (RFC 7578). Parts are handed out in the order they were sent, a file's bytes as they
 * arrive. Nothing reads ahead of who reads the file, so a form of any size passes through a few hundred KiB of memory.
 */
import { Busboy, type FileStream } from "@fastify/busboy/index.js";
import { AppError } from "../errors.ts";

export type FieldPart = { kind: "field"; name: string; value: string };
export type FilePart = { kind: "file"; name: string; filename: string; bytes: AsyncIterable<Uint8Array> };

/** More parts than any form of this API has. */
const MAX_PARTS = 40;
const FIELD_MAX_BYTES = 64 * 1024;
const HEADER_MAX_BYTES = 8 * 1024;
/** How much of a file may wait for its reader. */
const WAITING_BYTES = 256 * 1024;

type Source = { body: ReadableStream<Uint8Array> | null; headers: Headers };
type Arrived = FieldPart | (FilePart & { stream: FileStream });

/**
 * The parts of a form, in any order. A file's bytes are read while its part is current; what is left of them when the
 * next part is asked for flows away unread. Leaving the loop early cancels the body.
 * @throws AppError UNSUPPORTED_MEDIA_TYPE not a form · INVALID_REQUEST a broken one, cut short, or with too many parts ·
 *   PAYLOAD_TOO_LARGE a field of more than 64 KiB
 */
export async function* formParts({ body, headers }: Source): AsyncGenerator<FieldPart | FilePart, void> {
  const contentType = headers.get("content-type") ?? "";
  if (!body || !/^multipart\/form-data\s*;.*\bboundary=/i.test(contentType)) {
    await body?.cancel();
    throw new AppError("UNSUPPORTED_MEDIA_TYPE", "Send multipart/form-data.");
  }
  const reader = body.getReader();
  const arrived: Arrived[] = [];
  let end: { error?: AppError } | undefined;
  let current: FileStream | undefined;
  let wake = () => {};
  const finish = (error?: unknown): void => {
    if (end) return;
    end = error === undefined ? {} : { error: asBroken(error) };
    if (end.error) current?.destroy(end.error);
    wake();
  };
  const arrive = (part: Arrived): void => {
    if (part.kind === "file") current = part.stream;
    arrived.push(part);
    wake();
  };
  void feed(openParser(contentType, arrive, finish), reader).catch(finish);
  try {
    for (;;) {
      const part = arrived.shift();
      if (part) {
        yield part;
        if (part.kind === "file") part.stream.resume();
      } else if (end) {
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
    // Without this, `wrangler dev` would read an unread body to its end before it passes the answer on.
    await reader.cancel().catch(() => {});
  }
}

function openParser(contentType: string, arrive: (part: Arrived) => void, finish: (error?: unknown) => void): Busboy {
  const parser = new Busboy({
    headers: { "content-type": contentType },
    preservePath: true,
    limits: { fieldSize: FIELD_MAX_BYTES, parts: MAX_PARTS, headerPairs: 20, headerSize: HEADER_MAX_BYTES },
    fileHwm: WAITING_BYTES,
  });
  parser.on("field", (name, value, _isNameCut, isValueCut) => {
    if (isValueCut) finish(new AppError("PAYLOAD_TOO_LARGE", "A field is too long."));
    else arrive({ kind: "field", name, value });
  });
  parser.on("file", (name, stream, filename = "") => {
    // The reader gets the error as well; without a listener, Node's streams would throw it at nobody.
    stream.on("error", finish);
    arrive({ kind: "file", name, filename: decodeFilename(filename), bytes: bytesOf(stream), stream });
  });
  parser.on("partsLimit", () => finish(new AppError("INVALID_REQUEST", "The form has too many parts.")));
  parser.on("error", finish);
  parser.on("finish", () => finish());
  return parser;
}

/** Hands the body over chunk by chunk; `write` is done when the parser, and whoever reads the file, can take more. */
async function feed(parser: Busboy, reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return parser.end();
    await new Promise<void>((resolve, reject) => {
      parser.write(value, (error) => (error ? reject(error) : resolve()));
    });
  }
}

async function* bytesOf(stream: FileStream): AsyncGenerator<Uint8Array, void> {
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

/** Browsers write these three characters so (HTML standard, "multipart/form-data encoding algorithm"). */
const decodeFilename = (name: string): string =>
  name.replace(/%(22|0D|0A)/gi, (escaped) => decodeURIComponent(escaped));
