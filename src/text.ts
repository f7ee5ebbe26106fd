/**
 * User-written text (SPEC 0): harmless in a browser that puts it into innerHTML, natural in one that sets text. Nothing is
 * escaped or cut out: an invisible word joiner breaks what a browser would take for markup, so `1 < 2`, `<3` and `I'm`
 * stay as typed, and a typed tag still reads as it was typed.
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

/** Makes text inert. Doing it again changes nothing. */
export function inert(text: string): string {
  return text
    .toWellFormed()
    .replace(UNSEEN, "")
    .replace(TAG_OPEN, `<${JOINER}`)
    .replace(EVENT_HANDLER, (on) => `${on}${JOINER}`)
    .replace(SCRIPT_SCHEME, `$1${JOINER}`);
}

/** Length in characters as people count them: code points, so that an emoji is not two. */
const lengthOf = (text: string): number => [...text].length;

/** A schema for user-written text of `min` to `max` characters that is not only blank. */
export const userText = (max: number, min = 1) =>
  z
    .string()
    // The cheap bound first: a code point is at most two units.
    .max(max * 2, `may have ${max} characters`)
    .refine((text) => text.length <= max || lengthOf(text) <= max, `may have ${max} characters`)
    .transform(inert)
    .refine((text) => min === 0 || text.trim() !== "", "may not be empty")
    .meta({ type: "string", minLength: min, maxLength: max });

/** A link that a page may put into `href` or `src`: http(s), or a path of this service. */
export const Link = z
  .string()
  .max(2048)
  .refine((text) => /^(https?:\/\/|\/(?!\/))[^\s<>"'`]*$/i.test(text), "must be an http(s) link or a path");
