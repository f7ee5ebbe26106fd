/** Who of a room's members is online, for the news that their lists of rooms show. */
import { sql } from "drizzle-orm";
import type { Ctx } from "../context.ts";
import type { Mark } from "./directory.ts";

/** Rooms of more members do not tell of what is said in them. */
export const INBOX_MEMBERS_MAX = 100;

/** A member who is online, how far they have read, and of which version of the room that is true. */
export type Online = Mark & { version: number };

/** One read: of the room, its members and their accounts, of a larger room the room alone. */
export const onlineMembers = (ctx: Ctx, roomId: string): Promise<Online[]> =>
  ctx.db.all<Online>(sql`
    SELECT m.user_id AS userId, m.read_seq AS seq, m.read_count AS count, r.version AS version
    FROM rooms r CROSS JOIN room_members m ON m.room_id = r.id CROSS JOIN users u ON u.id = m.user_id
    WHERE r.id = ${roomId} AND r.member_count <= ${INBOX_MEMBERS_MAX}
      AND u.connected_at IS NOT NULL AND u.account_status = 'active'`);
