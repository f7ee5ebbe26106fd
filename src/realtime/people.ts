/** Whom frames name: who they are from, to or about. Erasure goes by it. */
import { type SQL, sql } from "drizzle-orm";

/** Keys under which frames name a user by id (the features' contracts). */
const NAMING_KEYS = ["senderId", "receiverId", "seenBy", "userId"];
/** Keys under which they describe one, with an `id`. */
const DESCRIBING_KEYS = ["actor", "user"];

/** Within a frame's data: what a product or its clients put in, whatever its keys mean to them. */
const THEIR_OWN = "data";

/** The users that a frame's data names, each once. */
export function peopleIn(value: unknown): number[] {
  const people = new Set<number>();
  collect(value, people);
  return [...people];
}

function collect(value: unknown, people: Set<number>): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const named = DESCRIBING_KEYS.includes(key) ? idOf(inner) : NAMING_KEYS.includes(key) ? inner : undefined;
    if (typeof named === "number") people.add(named);
    if (key !== THEIR_OWN) collect(inner, people);
  }
}

const idOf = (value: unknown): unknown =>
  typeof value === "object" && value !== null && "id" in value ? value.id : undefined;

/** The condition that a payload of the outbox for a hub has frames that name this user. */
export const framesName = (payload: SQL, userId: number): SQL => sql`(json_valid(${payload}) AND EXISTS (
  SELECT 1 FROM json_tree(${payload}, '$.frames') part WHERE part.atom = ${userId}
  AND (part.key IN (SELECT value FROM json_each(${JSON.stringify(NAMING_KEYS)}))
    OR (part.key = 'id' AND EXISTS (SELECT 1 FROM json_each(${JSON.stringify(DESCRIBING_KEYS)}) described
      WHERE part.path LIKE '%.' || described.value)))))`;
