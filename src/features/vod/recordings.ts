/** What a recording may be: containers that media servers write, told by their first bytes, never by their names. */
import { fileTypeFromBuffer } from "file-type";
import { AppError } from "../../errors.ts";
import { composed, inert, showsNothing } from "../../text.ts";

/** Smaller ones are what a refused or aborted publisher leaves behind. */
const RECORDING_MIN_BYTES = 1024;

/** Detected container → the type that it is served as. */
const CONTAINERS: Record<string, string> = {
  flv: "video/x-flv",
  mp4: "video/mp4",
  m4v: "video/mp4",
  f4v: "video/mp4",
  "3gp": "video/3gpp",
  "3g2": "video/3gpp2",
  mov: "video/quicktime",
  webm: "video/webm",
  mkv: "video/x-matroska",
  mts: "video/mp2t",
};

/** @throws AppError INVALID_REQUEST */
export function requireSize(bytes: number): void {
  if (bytes >= RECORDING_MIN_BYTES) return;
  throw new AppError("INVALID_REQUEST", `A recording has at least ${RECORDING_MIN_BYTES} bytes.`);
}

/**
 * Looks at how a recording begins.
 * @param head its first bytes, at least RECORDING_MIN_BYTES if it has as many
 * @returns the type to serve it as
 * @throws AppError INVALID_REQUEST too small to be one · UNSUPPORTED_MEDIA_TYPE something else
 */
export async function recordingType(head: Uint8Array): Promise<string> {
  requireSize(head.byteLength);
  // The detector gives up on heads that break off in the middle of a structure.
  const found = await fileTypeFromBuffer(head.slice()).catch(() => undefined);
  const type = found && CONTAINERS[found.ext];
  if (!type) throw new AppError("UNSUPPORTED_MEDIA_TYPE", "A recording is FLV, MP4, MOV, WebM, Matroska or MPEG-TS.");
  return type;
}

/** The name that a client gives: only its last part, inert, and nothing that is not seen. It names no object. */
export function fileNameOf(path: string): string {
  const name = composed(path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1));
  // Made inert last: cutting could join what was kept apart.
  const plain = name
    .replace(/\p{Cc}/gu, "")
    .trim()
    .slice(0, 255);
  return showsNothing(plain) ? "recording" : inert(plain);
}
