/** Whose an event is: what it tells of them goes when they are erased. Of others whom it names it has a number alone. */
import { type SQL, sql } from "drizzle-orm";
import type { WebhookEventType } from "./contract.ts";

const KEYS = ["userId", "senderId", "receiverId", "reporterId", "hostId"];

/** The users whose event this is, each once. */
export function peopleOf(type: string, data: Record<string, unknown>): number[] {
  const ids = KEYS.map((key) => data[key]);
  // A room is not its owner's alone; a file is.
  if (type.startsWith("file.")) ids.push(data.ownerId);
  if (data.targetType === "user") ids.push(data.targetId);
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

/** The condition that a fact in the outbox is of this user, and is no ending. */
export const isFactOf = (payload: SQL, userId: number): SQL => sql`(json_valid(${payload})
  AND ${payload} ->> 'type' NOT IN (SELECT value FROM json_each(${JSON.stringify(ENDINGS)}))
  AND EXISTS (SELECT 1 FROM json_each(${payload}, '$.data') part WHERE part.atom = ${userId}
    AND (part.key IN (SELECT value FROM json_each(${JSON.stringify(KEYS)}))
      OR (part.key = 'ownerId' AND ${payload} ->> 'type' GLOB 'file.*')
      OR (part.key = 'targetId' AND ${payload} ->> '$.data.targetType' = 'user'))))`;
