/** Finding people, in what its answers show. `%` and `_` are ordinary characters: nothing here is a pattern. */
import { and, count, desc, eq, type SQL, sql } from "drizzle-orm";
import type { Ctx } from "../../context.ts";
import { one } from "../../db/batch.ts";
import { searched } from "../../db/folding.ts";
import { offsetOf, pagination } from "../../db/page.ts";
import { listTotals, users } from "../../db/tables.ts";
import { fold } from "../../text.ts";
import type { PeopleQuery } from "./contract.ts";
import { listedColumns } from "./service.ts";

/** The index knows sequences of three characters (FTS5, "The Trigram Tokenizer"). */
const INDEXED_CHARACTERS = 3;

/** Who finds more than this has to say more: ranking and counting read every one of them. */
const FOUND_MAX = 1000;

/**
 * Everybody, newest first; or who matches a search, an exact username first, then by followers. A search finds at most
 * about 1000 people, which is then its total.
 */
export async function listPeople(ctx: Ctx, query: PeopleQuery) {
  const { limit } = query;
  const search = fold(query.search ?? "").trim() || undefined;
  const isActive = eq(users.accountStatus, "active");
  const matches = search === undefined ? undefined : and(isActive, sql`${users.id} IN (${selectFound(search)})`);
  const isExact = sql`${users.username} = ${search ?? ""} COLLATE NOCASE`;
  const { people, counted } = await ctx.db.batch({
    people: ctx.db
      .select(listedColumns)
      .from(users)
      .where(matches ?? isActive)
      .orderBy(...(matches ? [desc(isExact), desc(users.followerCount)] : []), desc(users.id))
      .limit(limit)
      .offset(offsetOf(query)),
    counted: one(
      matches
        ? ctx.db.select({ total: count() }).from(users).where(matches)
        : ctx.db.select({ total: listTotals.total }).from(listTotals).where(eq(listTotals.list, "people")),
    ),
  });
  return { users: people, pagination: pagination(query, counted?.total ?? 0) };
}

/** A SELECT of the ids of who matches; who is called exactly so is always among them. */
function selectFound(search: string): SQL {
  const byPart = [...search].length < INDEXED_CHARACTERS ? selectByScan(search) : selectByIndex(search);
  return sql`SELECT exact.id FROM users exact WHERE exact.username = ${search} COLLATE NOCASE
    UNION SELECT part.id FROM (${byPart} LIMIT ${FOUND_MAX}) part`;
}

function selectByIndex(search: string): SQL {
  // One quoted phrase, so that no character of it is query syntax (FTS5, "Full-text Query Syntax").
  const phrase = `"${search.replaceAll('"', '""')}"`;
  return sql`SELECT rowid AS id FROM people_search WHERE people_search MATCH ${phrase}`;
}

/** No index helps with one or two characters; but in some scripts a name of two is a whole one. */
function selectByScan(search: string): SQL {
  const names = sql`concat_ws(char(10), ${searched.username}, ${searched.displayName}, ${searched.fullName})`;
  return sql`SELECT ${users.id} FROM ${users}
    WHERE ${users.accountStatus} = 'active' AND instr(lower(${names}), ${search}) > 0`;
}
