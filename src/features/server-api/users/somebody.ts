/** People whom a server's call names, several at a time and by either id. */
import { sql } from "drizzle-orm";
import { BACKEND } from "../../../auth/identities.ts";
import type { Ctx } from "../../../context.ts";
import { AppError } from "../../../errors.ts";
import type { Somebody, Whom } from "../base-contract.ts";

/** Which of the two ids is meant. */
export const whomOf = (one: Somebody): Whom => {
  if (typeof one === "object") return one;
  return typeof one === "number" ? { userId: one } : { externalId: one };
};

/** `at`: their position in the list. */
type Found = { at: number; id: number };

async function find(ctx: Ctx, people: Somebody[]): Promise<Found[]> {
  if (people.length === 0) return [];
  return ctx.db.all<Found>(sql`
    SELECT asked.key AS at, users.id FROM json_each(${JSON.stringify(people.map(whomOf))}) asked
    LEFT JOIN identities ON identities.issuer = ${BACKEND} AND identities.subject = asked.value ->> 'externalId'
    JOIN users ON users.id = coalesce(asked.value ->> 'userId', identities.user_id)
    WHERE users.account_status = 'active'`);
}

/** Those who have an account that is active, each once; whoever is not known is left out. */
export async function findKnown(ctx: Ctx, people: Somebody[]): Promise<number[]> {
  return [...new Set((await find(ctx, people)).map(({ id }) => id))];
}

/** The same, in the order of the list. @throws AppError NOT_FOUND one of them is not known */
export async function findEverybody(ctx: Ctx, people: Somebody[]): Promise<number[]> {
  const found = await find(ctx, people);
  if (found.length < people.length) throw new AppError("NOT_FOUND", "There is no such user.");
  return [...new Set(found.sort((one, other) => one.at - other.at).map(({ id }) => id))];
}
