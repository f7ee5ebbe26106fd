/**
 * What a user's own event socket tells of rooms, for a list of rooms that is live (SPEC 14): being invited, and removed. Who is
 * away is not told, and costs nothing: they read the list when they come.
 */
import { type SQL, sql } from "drizzle-orm";
import { SYSTEM_NAME } from "../../chat/dialect.ts";
import type { ServerCtx, UserCtx } from "../../context.ts";
import { enqueueSelect } from "../../db/outbox.ts";
import { frameFor } from "../../hub/client.ts";

/** What clients call a room; `r`: of the table `rooms`. */
const publicId = sql`coalesce(r.chosen_id, r.id)`;
/** A number that is bound is REAL to D1, and would read `1.0`. */
const receiver = sql`'user:' || CAST(w.user_id AS INTEGER)`;

const whoIsOnline = sql`JOIN users u ON u.id = w.user_id AND u.connected_at IS NOT NULL`;

/** Tells people that they belong to a room now. `who`: a SELECT of (user_id, room_id), in the batch that made them members. */
export function enqueueInvited(ctx: UserCtx | ServerCtx, who: SQL) {
  const system = { id: null, username: SYSTEM_NAME, avatarUrl: null };
  const { id, username, avatarUrl } = ctx.actor.kind === "user" ? ctx.actor : system;
  const frame = frameFor("room:invited", {
    roomId: publicId,
    name: sql`r.name`,
    isGroup: sql`json(iif(r.kind = 'group', 'true', 'false'))`,
    actor: { id, username, avatarUrl },
  });
  // The room's name is the words of its owner, whom no key of the frame names.
  const payload = sql`json_set(${frame}, '$.about', json_array(r.owner_id))`;
  return enqueueSelect(
    ctx,
    sql`SELECT ${receiver}, ${payload} FROM (${who}) w JOIN rooms r ON r.id = w.room_id ${whoIsOnline}`,
  );
}

/** Tells people, the one who did it among them, that a room is not theirs any more. `who`: as enqueueInvited, while the room is there. */
export const enqueueRemoved = (ctx: UserCtx | ServerCtx, who: SQL, reason: "removed" | "left" | "deleted") =>
  enqueueSelect(
    ctx,
    sql`SELECT ${receiver}, ${frameFor("room:removed", { roomId: publicId, reason })}
      FROM (${who}) w JOIN rooms r ON r.id = w.room_id ${whoIsOnline}`,
  );
