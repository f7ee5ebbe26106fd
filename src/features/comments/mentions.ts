/** Who is named in a comment. */
import { fold } from "../../text.ts";

/** Usernames as SPEC 1 has them; not in the middle of a word, so that an email address names nobody. */
const MENTION = /(?<![\w.@])@([A-Za-z0-9_.]{3,30})(?![\w.]*@)/g;

/** Nobody is meant by an eleventh name, and each one told costs a call to their hub. */
const MENTIONS_MAX = 10;

/** A name as typed, and without the full stops that may belong to the sentence. */
export type Mention = { typed: string; bare: string };

/** The people named with `@username`, each once, at most 10. */
export function mentionsIn(content: string): Mention[] {
  const byName = new Map<string, Mention>();
  // Folded: what was made inert has a joiner in it, and a phone may write `＠`.
  for (const [, typed = ""] of fold(content).matchAll(MENTION)) {
    byName.set(typed, { typed, bare: typed.replace(/\.+$/, "") });
  }
  return [...byName.values()].slice(0, MENTIONS_MAX);
}
