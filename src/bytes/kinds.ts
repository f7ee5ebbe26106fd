/**
 * What may be uploaded (SPEC 10), and whether its first bytes are what its name says. Types are ours, by extension, once
 * the content has been found to fit: what a client declares is never stored or echoed.
 */
import { fileTypeFromBuffer } from "file-type";
import { AppError } from "../errors.ts";
import { HEAD_BYTES } from "./parts.ts";

const MB = 1024 * 1024;

/** Largest size in bytes by category; "MB" is read as 2^20 bytes. */
export const CATEGORY_MAX_BYTES = {
  document: 50 * MB,
  image: 10 * MB,
  video: 500 * MB,
  audio: 50 * MB,
  archive: 100 * MB,
};
export type Category = keyof typeof CATEGORY_MAX_BYTES;
export const CATEGORIES = ["document", "image", "video", "audio", "archive"] as const satisfies Category[];

export type Kind = { extension: string; category: Category; mimeType: string; maxBytes: number };

type Known = {
  category: Category;
  mimeType: string;
  /** What the detector may call it: containers go by several names. */
  detected: string[];
  /** How it begins, for heads that are too short for the detector: `??` is any byte. */
  begins?: string;
};

const office = (mimeType: string): Known => ({ category: "document", mimeType, detected: ["cfb"] });
const officeXml = (mimeType: string, own: string): Known => ({
  category: "document",
  mimeType: `application/vnd.openxmlformats-officedocument.${mimeType}`,
  // A zip whose first entries do not tell what is in it.
  detected: [own, "zip"],
});
const jpeg: Known = { category: "image", mimeType: "image/jpeg", detected: ["jpg"] };

const KNOWN: Record<string, Known> = {
  pdf: { category: "document", mimeType: "application/pdf", detected: ["pdf"] },
  doc: office("application/msword"),
  xls: office("application/vnd.ms-excel"),
  ppt: office("application/vnd.ms-powerpoint"),
  docx: officeXml("wordprocessingml.document", "docx"),
  xlsx: officeXml("spreadsheetml.sheet", "xlsx"),
  pptx: officeXml("presentationml.presentation", "pptx"),
  jpg: jpeg,
  jpeg,
  png: { category: "image", mimeType: "image/png", detected: ["png", "apng"], begins: "89504e470d0a1a0a" },
  gif: { category: "image", mimeType: "image/gif", detected: ["gif"] },
  webp: { category: "image", mimeType: "image/webp", detected: ["webp"] },
  svg: { category: "image", mimeType: "image/svg+xml", detected: [] },
  mp4: { category: "video", mimeType: "video/mp4", detected: ["mp4", "m4v"] },
  avi: { category: "video", mimeType: "video/x-msvideo", detected: ["avi"] },
  mov: { category: "video", mimeType: "video/quicktime", detected: ["mov", "mp4"] },
  wmv: { category: "video", mimeType: "video/x-ms-wmv", detected: ["asf"], begins: "3026b2758e66cf11a6d900aa0062ce6c" },
  webm: { category: "video", mimeType: "video/webm", detected: ["webm"] },
  mp3: { category: "audio", mimeType: "audio/mpeg", detected: ["mp3"], begins: "494433" },
  wav: { category: "audio", mimeType: "audio/wav", detected: ["wav"] },
  ogg: { category: "audio", mimeType: "audio/ogg", detected: ["ogg", "oga", "opus", "spx", "ogx"], begins: "4f676753" },
  m4a: { category: "audio", mimeType: "audio/mp4", detected: ["m4a", "m4b", "mp4"] },
  // Office and Java files are zip archives too, and may be packed under that name.
  zip: {
    category: "archive",
    mimeType: "application/zip",
    detected: ["zip", "docx", "xlsx", "pptx", "odt", "ods", "odp", "epub", "jar", "apk"],
  },
  rar: { category: "archive", mimeType: "application/vnd.rar", detected: ["rar"] },
  "7z": { category: "archive", mimeType: "application/x-7z-compressed", detected: ["7z"] },
  tar: { category: "archive", mimeType: "application/x-tar", detected: ["tar"] },
  gz: { category: "archive", mimeType: "application/gzip", detected: ["gz", "tar.gz"] },
};

/**
 * What a file of this name has to be.
 * @throws AppError UNSUPPORTED_MEDIA_TYPE an extension that is not accepted, or none, or one of another category
 */
export function kindOf(filename: string, category?: Category): Kind {
  const extension = /\.([^.]+)$/.exec(filename)?.[1]?.toLowerCase() ?? "";
  const known = Object.hasOwn(KNOWN, extension) ? KNOWN[extension] : undefined;
  if (!known) throw new AppError("UNSUPPORTED_MEDIA_TYPE", "Files of this type are not accepted.");
  if (category !== undefined && known.category !== category) {
    throw new AppError("UNSUPPORTED_MEDIA_TYPE", `A .${extension} file is not of the category ${category}.`);
  }
  const { mimeType } = known;
  return { extension, category: known.category, mimeType, maxBytes: CATEGORY_MAX_BYTES[known.category] };
}

/**
 * Looks whether content begins as a file of this kind does.
 * @param head the first HEAD_BYTES, or all there is
 * @throws AppError UNSUPPORTED_MEDIA_TYPE
 */
export async function requireKind(head: Uint8Array, { extension }: Pick<Kind, "extension">): Promise<void> {
  const fits = extension === "svg" ? isSvg(head) : await isDetected(head, KNOWN[extension]);
  if (!fits) throw new AppError("UNSUPPORTED_MEDIA_TYPE", `The content is not that of a .${extension} file.`);
}

async function isDetected(head: Uint8Array, known: Known | undefined): Promise<boolean> {
  if (!known) return false;
  // The detector gives up on heads that break off in the middle of a structure.
  const found = await fileTypeFromBuffer(head.slice(0, HEAD_BYTES)).catch(() => undefined);
  if (found) return known.detected.includes(found.ext);
  return known.begins !== undefined && head.toHex().startsWith(known.begins);
}

/** XML that has `svg` as its root, after a declaration, comments and a doctype: none of them may hide an HTML page. */
const SVG_START =
  /^\uFEFF?\s*(<\?xml[^>]*\?>\s*)?(<!--(?:(?!-->)[\s\S])*-->\s*|<!DOCTYPE\s+svg\b[^>[]*(\[[^\]]*\]\s*)?>\s*)*<svg[\s>/]/;

function isSvg(head: Uint8Array): boolean {
  try {
    // A cut in the middle of a character is no error.
    return SVG_START.test(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(head, { stream: true }));
  } catch {
    return false;
  }
}
