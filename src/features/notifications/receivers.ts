/** What all notifications ask about who gets them. */
import { type SQL, sql } from "drizzle-orm";

/** How many somebody has not seen, for a frame that the database makes. */
export const unseenOf = (userId: SQL | number): SQL =>
  sql`(SELECT count(*) FROM notifications unseen WHERE unseen.user_id = ${userId} AND unseen.seen_at IS NULL)`;

/** Nobody hears of what somebody did whom they have blocked. */
export const hasBlocked = (receiverId: SQL, actorId: number): SQL =>
  sql`EXISTS (SELECT 1 FROM blocks b WHERE b.blocker_id = ${receiverId} AND b.blocked_id = ${actorId})`;
