/**
 * User-written text (SPEC 0, 11): harmless in a browser that puts it into innerHTML, natural in one that sets text, and
 * compared as people read it. Nothing is escaped or cut out: an invisible word joiner breaks what a browser would take for
 * markup, so `1 < 2`, `<3` and `I'm` stay as typed, and a typed tag still reads as it was typed.
 *
 * `composed` is what is stored and shown, `fold` what is compared, looked up, indexed and counted. Never folded: ids that
 * somebody else chose (external ids, token subjects, room and course ids, topics).
 */
import { z } from "zod";

/** U+2060, zero width, no break. */
const JOINER = "\u2060";

/** `<` opens markup only before a letter, `/`, `!` or `?` (HTML standard, 13.2.5.6 "Tag open state"). */
const TAG_OPEN = /<(?=[a-z/!?])/gi;
/** What an attribute that runs script looks like, for pages that put text between quotes. */
const EVENT_HANDLER = /\bon(?=[a-z]{3,30}\s*=)/gi;
/** Schemes that run script; browsers skip tabs and line breaks inside them (URL standard, "basic URL parser"). */
const SCRIPT_SCHEME =
  /((?:j[\t\n\r]*a[\t\n\r]*v[\t\n\r]*a|v[\t\n\r]*b)[\t\n\r]*s[\t\n\r]*c[\t\n\r]*r[\t\n\r]*i[\t\n\r]*p[\t\n\r]*t)(?=\s*:)/gi;
/** Control characters but for tab and line breaks; the bidirectional overrides that let a text pose as another. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out.
const UNSEEN = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F\u202A-\u202E\u2066-\u2069]/g;

/** One of these is in everything that is not inert: a look for it is all that most texts cost. */
const SUSPICIOUS = new RegExp(`[<=:]|${UNSEEN.source}`);

/** Makes text inert. Doing it again changes nothing. */
export function inert(text: string): string {
  if (!SUSPICIOUS.test(text)) return text.toWellFormed();
  return text
    .toWellFormed()
    .replace(UNSEEN, "")
    .replace(TAG_OPEN, `<${JOINER}`)
    .replace(EVENT_HANDLER, (on) => `${on}${JOINER}`)
    .replace(SCRIPT_SCHEME, `$1${JOINER}`);
}

/** NFC: the one spelling of a text that is stored and shown. A Mac sends `é` as two characters, others as one. */
export const composed = (text: string): string => text.normalize("NFC");

/** What has no look of its own: joiners, variation selectors, soft hyphens, fillers, direction marks. */
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;

/**
 * What of a text counts when it is compared: NFKC, without case and default-ignorable characters (Unicode 3.13, D146,
 * NFKC_Casefold). Folding again changes nothing. SQL's `lower()` knows ASCII alone, so what D1 compares is folded here and
 * stored beside the text.
 */
export function fold(text: string): string {
  const plain = text.toWellFormed().normalize("NFKC").replace(IGNORABLE, "");
  // Upper case between: it alone makes `ß` and `ss`, `ς` and `σ`, `ı` and `i` the same; `ẞ` has none but `ß`'s.
  return plain.toLowerCase().toUpperCase().toLowerCase().replaceAll("ς", "σ").normalize("NFKC");
}

/** Blanks that Unicode counts as neither space nor ignorable: Braille, music and old scripts have some. */
const BLANKS = /[\s\p{Cc}\u2800\uFFF9-\uFFFB\u{13441}\u{13442}\u{16FE4}\u{1D159}]/gu;

/** What every reader sees, and nearly every text has. */
const VISIBLE = /[!-~]/;

/** Whether a reader sees nothing of a text, however long it is. */
export const showsNothing = (text: string): boolean =>
  !VISIBLE.test(text) &&
  text.replace(IGNORABLE, "").replace(BLANKS, "").normalize("NFKC").replace(IGNORABLE, "") === "";

/** What a keyboard adds to a name, an address, a code: blanks around it, marks that nobody sees. */
export const tidy = (text: string): string => composed(text).replace(IGNORABLE, "").trim();

/** Length in characters as people count them: code points, so that an emoji is not two. */
const lengthOf = (text: string): number => [...text].length;

/** A schema for user-written text of `min` to `max` characters of which something shows. With `min` 0: or empty. */
export const userText = (max: number, min = 1) =>
  z
    .string()
    // The cheap bound first: a code point is at most two units, and at most four of them become one.
    .max(max * 8, `may have ${max} characters`)
    .overwrite(composed)
    .refine((text) => text.length <= max || lengthOf(text) <= max, `may have ${max} characters`)
    .overwrite(inert)
    .refine((text) => min === 0 || !showsNothing(text), "may not be empty")
    .overwrite((text) => (showsNothing(text) ? "" : text))
    .meta({ type: "string", minLength: min, maxLength: max });

/** What is looked for. Empty: nothing in particular. */
export const searchText = (max = 100, min = 0) => userText(max, min).describe("Compared as people read it");

/** A link that a page may put into `href` or `src`: http(s), or a path of this service. */
export const Link = z
  .string()
  .max(2048)
  .refine((text) => /^(https?:\/\/|\/(?!\/))[^\s<>"'`]*$/i.test(text), "must be an http(s) link or a path");
