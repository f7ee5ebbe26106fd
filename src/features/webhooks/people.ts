/** Whose an event is: what it tells of them goes when they are erased. Of others whom it names it has a number alone. */
import { type SQL, sql } from "drizzle-orm";
import type { WebhookEventType } from "./contract.ts";

type Owner = {
  /** The key in an event's data that names them. */
  key: string;
  /** In which events alone it does so, here and for what lies in the database. */
  where?: { isMet: (type: string, data: Record<string, unknown>) => boolean; sql: (payload: SQL) => SQL };
};

const OWNERS: readonly Owner[] = [
  ...["userId", "senderId", "receiverId", "reporterId", "hostId"].map((key) => ({ key })),
  {
    // A room is not its owner's alone; a file is.
    key: "ownerId",
    where: {
      isMet: (type) => type.startsWith("file."),
      sql: (payload) => sql`${payload} ->> 'type' GLOB 'file.*'`,
    },
  },
  {
    key: "targetId",
    where: {
      isMet: (_, data) => data.targetType === "user",
      sql: (payload) => sql`${payload} ->> '$.data.targetType' = 'user'`,
    },
  },
];

/** The users whose event this is, each once. */
export function peopleOf(type: string, data: Record<string, unknown>): number[] {
  const ids = OWNERS.map(({ key, where }) => (where?.isMet(type, data) === false ? undefined : data[key]));
  return [...new Set(ids.filter((id) => typeof id === "number"))];
}

/** What an endpoint is told although it is about somebody who was erased: that they, or what was theirs, are no more. */
export const ENDINGS: readonly WebhookEventType[] = [
  "user.erased",
  "room.member_removed",
  "file.deleted",
  "stream.ended",
  "call.ended",
];

/** The condition that a fact in the outbox is of this user, as `peopleOf` has it, and is no ending. */
export function isFactOf(payload: SQL, userId: number): SQL {
  const names = OWNERS.map(({ key, where }) => sql`(part.key = ${key} AND ${where?.sql(payload) ?? sql`true`})`);
  return sql`(json_valid(${payload})
    AND ${payload} ->> 'type' NOT IN (SELECT value FROM json_each(${JSON.stringify(ENDINGS)}))
    AND EXISTS (SELECT 1 FROM json_each(${payload}, '$.data') part
      WHERE part.atom = ${userId} AND (${sql.join(names, sql` OR `)})))`;
}
