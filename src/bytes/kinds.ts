/**
 * What may be uploaded (SPEC 10), and whether its first bytes are what its name says. Types are ours, by extension, once
 * the content has been found to fit: what a client declares is never stored or echoed.
 */
import { fileTypeFromBuffer } from "file-type";
import { AppError } from "../errors.ts";
import { fold } from "../text.ts";
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

export type Kind = { extension: string; category: Category; mimeType: string; maxBytes: number };

type Known = {
  category: Category;
  mimeType: string;
  /** What the detector may call it: containers go by several names. */
  detected: string[];
  /** What the detector does not know of it. `found` is the detector's word, if it has one. */
  isAlso?: (head: Uint8Array, found: string | undefined) => boolean;
};

/** For what the detector passes over: a pattern over the first 32 bytes as hex. */
const begins = (pattern: RegExp) => (head: Uint8Array, found: string | undefined) =>
  found === undefined && pattern.test(head.subarray(0, 32).toHex());

/** A local file, an empty archive, or a part of one that was split (APPNOTE.TXT, 4.3.7, 4.3.16, 8.5.3). */
const ZIP = /^504b(0304|0506|0708)/;

const office = (mimeType: string): Known => ({ category: "document", mimeType, detected: ["cfb"] });
const officeXml = (mimeType: string, own: string): Known => ({
  category: "document",
  mimeType: `application/vnd.openxmlformats-officedocument.${mimeType}`,
  // A zip whose first entries do not tell what is in it; with a password, Office packs the zip into a compound file.
  detected: [own, "zip", "cfb"],
});
const jpeg: Known = { category: "image", mimeType: "image/jpeg", detected: ["jpg"] };
/** The family of ISO base media files: which brand a phone, a camera or an editor writes first says little. */
const ISO_MEDIA = ["mp4", "m4v", "m4a", "m4b", "mov", "3gp", "3g2", "f4v", "f4a"];

const KNOWN: Record<string, Known> = {
  pdf: { category: "document", mimeType: "application/pdf", detected: ["pdf"], isAlso: isPdf },
  doc: office("application/msword"),
  xls: office("application/vnd.ms-excel"),
  ppt: office("application/vnd.ms-powerpoint"),
  docx: officeXml("wordprocessingml.document", "docx"),
  xlsx: officeXml("spreadsheetml.sheet", "xlsx"),
  pptx: officeXml("presentationml.presentation", "pptx"),
  jpg: jpeg,
  jpeg,
  png: { category: "image", mimeType: "image/png", detected: ["png", "apng"], isAlso: begins(/^89504e470d0a1a0a/) },
  gif: { category: "image", mimeType: "image/gif", detected: ["gif"] },
  webp: { category: "image", mimeType: "image/webp", detected: ["webp"] },
  svg: { category: "image", mimeType: "image/svg+xml", detected: [], isAlso: isSvg },
  mp4: { category: "video", mimeType: "video/mp4", detected: ISO_MEDIA },
  avi: { category: "video", mimeType: "video/x-msvideo", detected: ["avi"] },
  mov: { category: "video", mimeType: "video/quicktime", detected: ISO_MEDIA },
  wmv: {
    category: "video",
    mimeType: "video/x-ms-wmv",
    detected: ["asf"],
    isAlso: begins(/^3026b2758e66cf11a6d900aa0062ce6c/),
  },
  webm: { category: "video", mimeType: "video/webm", detected: ["webm"] },
  mp3: { category: "audio", mimeType: "audio/mpeg", detected: ["mp3"], isAlso: begins(/^494433/) },
  // Beyond 4 GB, and from recorders that do not know the length yet: RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088).
  wav: {
    category: "audio",
    mimeType: "audio/wav",
    detected: ["wav"],
    isAlso: begins(/^(52494646|52463634|42573634).{8}57415645/),
  },
  ogg: {
    category: "audio",
    mimeType: "audio/ogg",
    detected: ["ogg", "oga", "ogv", "ogm", "opus", "spx", "ogx"],
    isAlso: begins(/^4f676753/),
  },
  m4a: { category: "audio", mimeType: "audio/mp4", detected: ISO_MEDIA },
  // Whatever is packed so: documents, programs and add-ons are zip archives too.
  zip: {
    category: "archive",
    mimeType: "application/zip",
    detected: ["zip"],
    isAlso: (head) => ZIP.test(head.subarray(0, 4).toHex()),
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
  const extension = /\.([^.]+)$/.exec(fold(filename))?.[1]?.trim() ?? "";
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
  const known = KNOWN[extension];
  // The detector gives up on heads that break off in the middle of a structure.
  const detected = await fileTypeFromBuffer(head.slice(0, HEAD_BYTES)).catch(() => undefined);
  const found = detected?.ext;
  if (known && ((found && known.detected.includes(found)) || known.isAlso?.(head, found))) return;
  throw new AppError("UNSUPPORTED_MEDIA_TYPE", `The content is not that of a .${extension} file.`);
}

/** Readers look for the header in the first 1024 bytes, and programs write blanks or a printer's job before it. */
const PDF_START = /^[^<]{0,1019}?%PDF-\d/s;

function isPdf(head: Uint8Array, found: string | undefined): boolean {
  // Byte by byte, whatever the encoding. No markup may stand before it: a page is no document.
  return found === undefined && PDF_START.test(new TextDecoder("latin1").decode(head.subarray(0, 1024)));
}

/** What may stand before the root of a drawing. None of it may hide an HTML page. */
const XML_PROLOGUE = [
  /<\?(?:(?!\?>)[\s\S])*\?>/,
  /<!--(?:(?!-->)[\s\S])*-->/,
  /<!DOCTYPE\s+(?:[\w.-]+:)?svg\b[^>[]*(?:\[[^\]]*\]\s*)?>/,
];
/** A prefix must be declared as SVG's; Adobe's programs write namespaces as entities. */
const PREFIXED_ROOT =
  /(?<prefix>[A-Za-z_][\w.-]*):svg\s[^>]*?\bxmlns:\k<prefix>\s*=\s*["'](?:http:\/\/www\.w3\.org\/2000\/svg|&\w+;)["']/;
const SVG_START = new RegExp(
  `^\\uFEFF?\\s*(?:(?:${XML_PROLOGUE.map(({ source }) => source).join("|")})\\s*)*<(?:svg[\\s>/]|${PREFIXED_ROOT.source})`,
);

function isSvg(head: Uint8Array): boolean {
  const [first = 0, second = 0] = head;
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  const encoding = isUtf16 ? (first === 0xff ? "utf-16le" : "utf-16be") : "utf-8";
  // Not fatal: an old drawing may be in Latin-1, and the head may end within a character.
  return SVG_START.test(new TextDecoder(encoding, { fatal: false, ignoreBOM: true }).decode(head));
}
