/** Who is meant: users by what a client calls them (SPEC 14, "Ids"). Numbers are ids, and never come here. */
import { sql } from "drizzle-orm";
import type { Ctx, User } from "../context.ts";
import { AppError } from "../errors.ts";
import type { FindUsers } from "../input.ts";
import { fold } from "../text.ts";
import { BACKEND } from "./identities.ts";

/** Whose account was erased has no id left, and this name, which nobody can register. */
export const ERASED_NAME = "Deleted user";

/**
 * Finds them in one query. `@name` is a username; bare text an `externalId` first, then a username: whoever registers as
 * somebody's `externalId` is not taken for them. Where a backend names its people in production, bare text is theirs alone.
 */
export const findUsers =
  (ctx: Ctx): FindUsers =>
  async (names) => {
    const asked = [...new Set(names)].map((name) => ({ name, username: usernameIn(ctx, name) }));
    const rows = await ctx.db.all<{ name: string; id: number | null }>(sql`
      SELECT asked.value ->> 'name' AS name,
        CASE WHEN identities.user_id IS NOT NULL THEN identities.user_id
          ELSE (SELECT id FROM users WHERE username = asked.value ->> 'username' COLLATE NOCASE) END AS id
      FROM json_each(${JSON.stringify(asked)}) asked
      LEFT JOIN identities ON identities.issuer = ${BACKEND} AND identities.subject = asked.value ->> 'name'
        AND substr(identities.subject, 1, 1) <> '@'`);
    const found = new Map(rows.flatMap(({ name, id }) => (id ? [[name, id] as const] : [])));
    // Which name it was is not repeated: what a client sent is never markup in an answer of ours.
    if (names.some((name) => !found.has(name))) throw new AppError("NOT_FOUND", "There is no such user.");
    return found;
  };

/** No username is longer, with its @. A fold may make more of what cannot be one. */
const USERNAME_MAX_CHARS = 31;

/** The username that this may mean, or null. */
function usernameIn({ config }: Ctx, name: string): string | null {
  if (name.length > USERNAME_MAX_CHARS) return null;
  if (name.startsWith("@")) return fold(name.slice(1));
  return config.isProduction && config.JWT_SHARED_SECRET ? null : fold(name);
}

/** Whether this means that user, in a path of their own. */
export async function isNamed(ctx: Ctx, { id, username }: User, name: string): Promise<boolean> {
  if (/^\d+$/.test(name)) return name === String(id);
  if (usernameIn(ctx, name) === fold(username)) return true;
  return await findUsers(ctx)([name]).then(
    (found) => found.get(name) === id,
    () => false,
  );
}
