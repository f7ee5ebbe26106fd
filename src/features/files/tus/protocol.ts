/** The headers of tus 1.0 (tus.io/protocols/resumable-upload), read and written. */
import { CATEGORY_MAX_BYTES } from "../../../bytes/kinds.ts";
import type { HashName } from "../../../bytes/parts.ts";
import { AppError } from "../../../errors.ts";

export const TUS_VERSION = "1.0.0";

/** The type of a PATCH's body. */
export const PIECE = "application/offset+octet-stream";

/** What a client asks with OPTIONS. */
export const TUS_ABILITIES = {
  "Tus-Version": TUS_VERSION,
  "Tus-Extension": "creation,termination,expiration,checksum",
  "Tus-Max-Size": String(Math.max(...Object.values(CATEGORY_MAX_BYTES))),
  "Tus-Checksum-Algorithm": "sha1,sha256,md5",
};

/** Headers of extensions that are not offered. Half obeyed, they would make something else of the file than was meant. */
const NOT_OFFERED: Record<string, string> = {
  "Upload-Concat": "concatenation",
  "Upload-Defer-Length": "creation-defer-length",
  Trailer: "checksum-trailer",
};

/** @throws AppError INVALID_REQUEST naming an extension that is not offered */
export function refuseExtensions(headers: Headers): void {
  for (const [header, extension] of Object.entries(NOT_OFFERED)) {
    if (headers.has(header)) throw notOffered(header, extension);
  }
}

export const notOffered = (header: string, extension: string): AppError =>
  badHeader(header, `the extension ${extension} is not offered`);

const HASHES: Record<string, HashName> = { sha1: "SHA-1", sha256: "SHA-256", md5: "MD5" };

export type Checksum = { hash: HashName; hex: string };

/** @throws AppError INVALID_REQUEST no number, or none that is whole */
export function wholeNumber(headers: Headers, name: string): number {
  const text = headers.get(name) ?? "";
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw badHeader(name, "must be a whole number");
  return value;
}

/**
 * `key base64,key base64`; a key may have no value.
 * @throws AppError INVALID_REQUEST
 */
export function parseMetadata(header: string): Record<string, string> {
  const pairs = header.split(",").flatMap((pair): [string, string][] => {
    const [key = "", value = ""] = pair.trim().split(" ");
    return key === "" ? [] : [[key, decode(value)]];
  });
  if (new Set(pairs.map(([key]) => key)).size < pairs.length) throw badHeader("Upload-Metadata", "has a key twice");
  return Object.fromEntries(pairs);
}

function decode(base64: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.fromBase64(base64));
  } catch (error) {
    throw badHeader("Upload-Metadata", "must be base64 of UTF-8", error);
  }
}

/** @throws AppError INVALID_REQUEST an algorithm that is not offered, or no base64 */
export function parseChecksum(header: string | null): Checksum | undefined {
  if (header === null) return undefined;
  const [name = "", base64 = ""] = header.trim().split(/\s+/);
  const hash = Object.hasOwn(HASHES, name) ? HASHES[name] : undefined;
  try {
    if (hash) return { hash, hex: Uint8Array.fromBase64(base64).toHex() };
  } catch {
    // Said below.
  }
  throw badHeader("Upload-Checksum", `must be one of ${TUS_ABILITIES["Tus-Checksum-Algorithm"]} and base64`);
}

function badHeader(path: string, message: string, cause?: unknown): AppError {
  return new AppError("INVALID_REQUEST", undefined, { details: [{ path, message }], cause });
}
