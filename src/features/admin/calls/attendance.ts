/** Who was in a call, by name, for admins: the call's object knows the records, the database the names. */
import { and } from "drizzle-orm";
import type { UserCtx } from "../../../context.ts";
import { searched } from "../../../db/folding.ts";
import { inList } from "../../../db/json.ts";
import { offsetOf, pagination } from "../../../db/page.ts";
import { users } from "../../../db/tables.ts";
import { readAttendance } from "../../webrtc/service.ts";
import type { PeopleQuery } from "../base-contract.ts";
import { hasPart } from "../search.ts";

/** Two round trips, and a call to the object; a row read for each person who was there. @throws AppError NOT_FOUND */
export async function listAttendance(ctx: UserCtx, name: string, query: PeopleQuery) {
  const { attendance } = await readAttendance(ctx, name);
  const ids = [...new Set(attendance.flatMap(({ userId }) => userId ?? []))];
  const people = await ctx.db
    .select({ id: users.id, username: users.username, fullName: users.fullName })
    .from(users)
    .where(and(inList(users.id, ids), hasPart([searched.username, searched.fullName], query.search)));
  const found = new Map(people.map((person) => [person.id, person]));
  const records = attendance.flatMap((record) => {
    const person = record.userId === null ? undefined : found.get(record.userId);
    if (!person && query.search !== "") return [];
    return { ...record, username: person?.username ?? null, fullName: person?.fullName ?? null };
  });
  const from = offsetOf(query);
  return { attendance: records.slice(from, from + query.limit), pagination: pagination(query, records.length) };
}
