/** Tells members of a room that they are named in a message there (SPEC 14). */
import { sql } from "drizzle-orm";
import { usersNamed } from "../../auth/mentions.ts";
import type { RoomMention } from "../../chat/mentions.ts";
import { after } from "../../db/batch.ts";
import type { CallContext } from "../../db/call-context.ts";
import { inList } from "../../db/json.ts";
import { deliverNow, enqueueSelect, pendingFor } from "../../db/outbox.ts";
import { isInGoodStanding } from "../../db/standing.ts";
import { framesOfNew, hasBlocked } from "./receivers.ts";

/**
 * A notification as any other, for each member who is named, once however often it is called. Nobody hears of their own
 * message, of one by somebody who has left, or whom they have blocked; nor do those in `except`.
 */
export async function notifyMentioned(ctx: CallContext, mention: RoomMention): Promise<void> {
  const { author, room, messageId, named, except } = mention;
  const now = ctx.now.getTime();
  const isAMember = sql`EXISTS (SELECT 1 FROM room_members a WHERE a.room_id = ${room.id} AND a.user_id = ${author.id})`;
  const target = { type: "room", id: room.publicId, title: room.name };
  const frames = framesOfNew({ type: "mention", refId: messageId, actor: author, target });
  // The room's name is the words of its owner, whom no key of the frame names.
  const payload = sql`json_set(${frames}, '$.about', json_array(${room.ownerId}))`;
  const { pending } = await ctx.db.batch({
    notified: ctx.db.run(sql`
      INSERT OR IGNORE INTO notifications
        (user_id, type, ref_id, actor_id, target_type, target_id, target_title, created_at, room_id, message_id)
      SELECT DISTINCT m.user_id, 'mention', 0, ${author.id}, 'room', 0, ${room.name}, ${now}, ${room.id}, ${messageId}
      FROM ${usersNamed(named)} named JOIN room_members m ON m.room_id = ${room.id} AND m.user_id = named.user_id
      WHERE m.user_id <> ${author.id} AND NOT ${inList(sql`m.user_id`, except)} AND ${isAMember}
        AND ${isInGoodStanding(author.id)} AND ${isInGoodStanding(sql`m.user_id`)}
        AND NOT ${hasBlocked(sql`m.user_id`, author.id)}`),
    told: after(
      "notified",
      enqueueSelect(
        ctx,
        sql`SELECT 'user:' || n.user_id, ${payload} FROM notifications n WHERE changes() > 0 AND n.message_id = ${messageId}`,
      ),
    ),
    pending: pendingFor(
      ctx,
      sql`SELECT 'user:' || n.user_id FROM notifications n WHERE n.message_id = ${messageId} AND n.message_id IS NOT NULL`,
    ),
  });
  await deliverNow(ctx, pending);
}
