/** What a deleted video could not take along in its own transaction (trigger videos_delete). */
import { sql } from "drizzle-orm";
import type { CallContext } from "../../../db/call-context.ts";
import type { Delivery } from "../../../db/outbox.ts";
import { ROUND_ROWS, runRounds } from "./rounds.ts";

/** The outbox's way to the likes, comments and views that are left of video `name`. */
export async function deliverOrphans(ctx: CallContext, name: string, _deliveries: Delivery[]): Promise<void> {
  await runRounds(ctx, `orphans:${name}`, (now) => clearRound(now, Number(name)));
}

async function clearRound(ctx: CallContext, videoId: number): Promise<boolean> {
  const results = await ctx.db.batch({
    likes: ctx.db.run(sql`DELETE FROM likes WHERE (video_id, user_id) IN (
      SELECT video_id, user_id FROM likes WHERE video_id = ${videoId} LIMIT ${ROUND_ROWS})`),
    comments: ctx.db.run(sql`DELETE FROM comments WHERE id IN (
      SELECT id FROM comments WHERE video_id = ${videoId} LIMIT ${ROUND_ROWS})`),
    views: ctx.db.run(sql`DELETE FROM video_views WHERE (video_id, viewer) IN (
      SELECT video_id, viewer FROM video_views WHERE video_id = ${videoId} LIMIT ${ROUND_ROWS})`),
  });
  return Object.values(results).some((result) => result.meta.changes > 0);
}
