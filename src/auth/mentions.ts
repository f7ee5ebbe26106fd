/** Who is named with `@username` in what somebody wrote. */
import { type SQL, sql } from "drizzle-orm";
import { fold } from "../text.ts";

/** Usernames as SPEC 1 has them; not in the middle of a word, so that an email address names nobody. */
const MENTION = /(?<![\w.@])@([A-Za-z0-9_.]{3,30})(?![\w.]*@)/g;
/** What folding makes an @ of: without one, nobody is named, and nothing is folded. */
const AT = /[@\uFE6B\uFF20]/;

/** A name as typed, and without the full stops that may belong to the sentence. */
export type Mention = { typed: string; bare: string };

/** The people named, each once, the first `most`: nobody is meant by more, and each one told costs a call to their hub. */
export function mentionsIn(content: string, most: number): Mention[] {
  if (!AT.test(content)) return [];
  const byName = new Map<string, Mention>();
  // Folded: what was made inert has a joiner in it, and a phone may write `＠`.
  for (const [, typed = ""] of fold(content).matchAll(MENTION)) {
    byName.set(typed, { typed, bare: typed.replace(/\.+$/, "") });
  }
  return [...byName.values()].slice(0, most);
}

/** A table of the users who are called so: `user_id`. */
export const usersNamed = (mentions: readonly Mention[]): SQL =>
  sql`(SELECT u.id AS user_id FROM json_each(${JSON.stringify(mentions)}) named
    JOIN users u ON u.username = coalesce(
      (SELECT exact.username FROM users exact WHERE exact.username = named.value ->> 'typed' COLLATE NOCASE),
      named.value ->> 'bare') COLLATE NOCASE)`;
