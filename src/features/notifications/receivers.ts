/** What all notifications ask about who gets them, and send them. */
import { type SQL, sql } from "drizzle-orm";
import { iso, type jsonObject } from "../../db/json.ts";
import { framesFor } from "../../hub/client.ts";

/** How many somebody has not seen, for a frame that the database makes. */
export const unseenOf = (userId: SQL | number): SQL =>
  sql`(SELECT count(*) FROM notifications unseen WHERE unseen.user_id = ${userId} AND unseen.seen_at IS NULL)`;

/** Nobody hears of what somebody did whom they have blocked. */
export const hasBlocked = (receiverId: SQL, actorId: number): SQL =>
  sql`EXISTS (SELECT 1 FROM blocks b WHERE b.blocker_id = ${receiverId} AND b.blocked_id = ${actorId})`;

/** The frames of a new notification, the row `n`. */
export const framesOfNew = (told: Pick<Parameters<typeof jsonObject>[0], "type" | "refId" | "actor" | "target">): SQL =>
  framesFor(
    [
      "notification:new",
      { id: sql`n.id`, userId: sql`n.user_id`, ...told, createdAt: iso(sql`n.created_at`), seen: false },
    ],
    ["notification:unseen_count", { count: unseenOf(sql`n.user_id`) }],
  );
