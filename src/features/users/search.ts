/** Finding people. `%` and `_` are ordinary characters: nothing here is a pattern. */
import { and, count, desc, eq, type SQL, sql } from "drizzle-orm";
import type { Ctx } from "../../context.ts";
import { offsetOf, pagination } from "../../db/page.ts";
import { listTotals, users } from "../../db/tables.ts";
import type { PeopleQuery } from "./contract.ts";
import { listedColumns } from "./service.ts";

/** The index knows sequences of three characters (FTS5, "The Trigram Tokenizer"). */
const INDEXED_CHARACTERS = 3;

/** Everybody, newest first; or who matches a search, an exact username first, then by followers. */
export async function listPeople(ctx: Ctx, query: PeopleQuery) {
  const { search, limit } = query;
  const isActive = eq(users.accountStatus, "active");
  const matches = search === undefined ? undefined : and(isActive, matching(search));
  const isExact = sql`${users.username} = ${search ?? ""} COLLATE NOCASE`;
  const [people, [counted]] = await ctx.db.batch([
    ctx.db
      .select(listedColumns)
      .from(users)
      .where(matches ?? isActive)
      .orderBy(...(matches ? [desc(isExact), desc(users.followerCount)] : []), desc(users.id))
      .limit(limit)
      .offset(offsetOf(query)),
    matches
      ? ctx.db.select({ total: count() }).from(users).where(matches)
      : ctx.db.select({ total: listTotals.total }).from(listTotals).where(eq(listTotals.list, "people")),
  ]);
  return { users: people, pagination: pagination(query, counted?.total ?? 0) };
}

function matching(search: string): SQL {
  if ([...search].length >= INDEXED_CHARACTERS) {
    // One quoted phrase, so that no character of it is query syntax (FTS5, "Full-text Query Syntax").
    const phrase = `"${search.replaceAll('"', '""')}"`;
    return sql`${users.id} IN (SELECT rowid FROM people_search WHERE people_search MATCH ${phrase})`;
  }
  // No index helps with one or two characters; a name of two is a whole name in some scripts, so they are looked for all
  // the same, by signed-in people alone.
  const names = sql`concat_ws(char(10), ${users.username}, ${users.displayName}, ${users.fullName})`;
  return sql`instr(lower(${names}), lower(${search})) > 0`;
}
