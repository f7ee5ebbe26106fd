/**
 * What is made by its first use (SPEC 14): joining or writing to a course, group or call that does not exist makes it, open
 * to everybody. Statements of the batch that lets the user in: the database runs one batch after the other, so of many first
 * users at once one makes it, and what is deleted meanwhile stays deleted.
 */
import { type SQL, sql } from "drizzle-orm";
import { v7 as uuidv7 } from "uuid";
import { chargeCall } from "../auth/call-budgets.ts";
import { ChosenId } from "../chosen-id.ts";
import type { MadeOnFirstUse } from "../config.ts";
import type { UserCtx } from "../context.ts";
import { courseIdCalled, isFreeRoomName, roomIdCalled } from "./names.ts";

/**
 * Whether this deployment makes such things on first use, and this may be the name of one. It counts as a write of the
 * caller's, by whatever door they came.
 * @throws AppError RATE_LIMIT
 */
export async function claimFirstUse(ctx: UserCtx, what: MadeOnFirstUse, name: string): Promise<boolean> {
  // Courses have an alphabet of their own, which their contract has checked.
  const isMade = ctx.config.AUTO_CREATE.includes(what) && (what === "courses" || ChosenId.safeParse(name).success);
  if (isMade) await chargeCall(ctx, "writes");
  return isMade;
}

/** An id that was deleted is never made by itself again: whoever has an old link would be led among strangers. */
export const wasDeleted = (kind: "room" | "course" | "call", name: string): SQL =>
  sql`EXISTS (SELECT 1 FROM deleted_ids WHERE kind = ${kind} AND id = ${name})`;

/** Who acts, as long as their account is there. */
const me = ({ actor }: UserCtx): SQL => sql`users u WHERE u.id = ${actor.id} AND u.account_status = 'active'`;

/** An open group that the caller owns, as one that they make by `POST /rooms`. */
export const makeGroup = (ctx: UserCtx, name: string) =>
  ctx.db.run(sql`INSERT INTO rooms (id, kind, name, owner_id, join_policy, chosen_id, created_at, last_active_at)
    SELECT ${uuidv7()}, 'group', ${name}, u.id, 'open', ${name}, ${ctx.now.getTime()}, ${ctx.now.getTime()} FROM ${me(ctx)}
      AND ${isFreeRoomName(name)} AND NOT ${wasDeleted("room", name)}`);

/** An open course of nobody's: who is first gets no power over it. */
export const makeCourse = (ctx: UserCtx, courseId: string) =>
  ctx.db.run(sql`INSERT INTO rooms (id, kind, name, course_id, join_policy, is_unclaimed, created_at, last_active_at)
    SELECT ${uuidv7()}, 'course', ${courseId}, ${courseId}, 'open', 1, ${ctx.now.getTime()}, ${ctx.now.getTime()}
      FROM ${me(ctx)} AND ${courseIdCalled(courseId)} IS NULL AND NOT ${wasDeleted("course", courseId)}`);

/**
 * Makes the caller a member of an open group. Not who was removed from it, nor whom its owner has blocked. Their read mark
 * starts at what has been said so far.
 */
export const joinOpenGroup = (ctx: UserCtx, name: string) =>
  ctx.db.run(sql`INSERT OR IGNORE INTO room_members (room_id, user_id, joined_at, read_seq, read_count)
    SELECT r.id, u.id, ${ctx.now.getTime()}, r.head, r.message_count
      FROM rooms r JOIN ${me(ctx)} AND r.id = ${roomIdCalled(name)} AND r.kind = 'group' AND r.join_policy = 'open'
      AND NOT EXISTS (SELECT 1 FROM room_removals x WHERE x.room_id = r.id AND x.user_id = u.id)
      AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.blocker_id = r.owner_id AND b.blocked_id = u.id)`);
