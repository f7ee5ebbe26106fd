/** What other slices ask of this one: whether two people may deal with each other. */
import { type SQL, type SQLWrapper, sql } from "drizzle-orm";

type Id = number | SQLWrapper;

/**
 * Whether one of two people has blocked the other, as a condition for the statement that it guards. It holds both ways:
 * who has blocked somebody has to unblock them first, or they would be talked at without a way to answer.
 */
export const blockedBetween = (oneId: Id, otherId: Id): SQL<number> =>
  sql`EXISTS (SELECT 1 FROM blocks block WHERE (block.blocker_id = ${oneId} AND block.blocked_id = ${otherId})
    OR (block.blocker_id = ${otherId} AND block.blocked_id = ${oneId}))`;
