/**
 * When a stream goes live and when it ends (MEDIA.md 3.3). A session of a media server is what counts, never the key alone:
 * viewers, refused second publishers and relays send events under the same key. Every step is one conditional UPDATE, so
 * that repeated, late and simultaneous events cannot meet halfway.
 */
import { and, eq, gt, lt, type SQL, sql } from "drizzle-orm";
import type { Ctx } from "../../context.ts";
import { deliverSoon, pendingFor } from "../../db/outbox.ts";
import { streamEarlyEnds, streamPlayers, streams } from "../../db/tables.ts";

type Row = typeof streams.$inferSelect;

/** An end that came before its beginning counts this long. Not longer: nginx numbers sessions from 1 again when it restarts. */
export const EARLY_END_MS = 60_000;

/** What ends a session. The publisher is cut off at its next update, which finds another session or none. */
export const ending = (now: Date, reason: NonNullable<Row["endReason"]>) => ({
  status: "ended" as const,
  session: null,
  endReason: reason,
  endedAt: now,
  leaseUntil: null,
  updatedAt: now,
});

/** Only active accounts broadcast. */
const isWelcome = sql`EXISTS (SELECT 1 FROM users u
  WHERE u.id = ${streams.userId} AND u.banned_at IS NULL AND u.account_status = 'active')`;

/** Whether this very session is on the air. */
export const isOnAir = (streamId: number, session: string): SQL | undefined =>
  and(eq(streams.id, streamId), eq(streams.status, "live"), eq(streams.session, session), isWelcome);

/**
 * Until when a session counts as live that is heard of now: for three heartbeats, if the media server says how often it sends
 * them, and for STREAM_LEASE_SECONDS if it does not.
 */
export const leaseFrom = (ctx: Ctx, heartbeatSeconds: number | undefined): Date =>
  new Date(ctx.now.getTime() + (heartbeatSeconds ? 3 * heartbeatSeconds : ctx.config.STREAM_LEASE_SECONDS) * 1000);

type Start = {
  /** The media server has already let the publisher in. */
  takesOver: boolean;
  /** `null` if nobody knows whether there will be heartbeats: then the first one starts the lease. */
  leaseUntil: Date | null;
};

/**
 * A publisher starts. Another one that is live keeps the stream, unless the new one takes over. Comes after `endIfLapsed`: what
 * is live here goes on.
 */
export function goLive(ctx: Ctx, streamId: number, session: string, { takesOver, leaseUntil }: Start) {
  const now = ctx.now.getTime();
  const goesOn = sql`${streams.status} = 'live'`;
  return ctx.db
    .update(streams)
    .set({
      status: "live",
      session,
      startedAt: sql`iif(${goesOn}, ${streams.startedAt}, ${now})`,
      plays: sql`iif(${goesOn}, ${streams.plays}, 0)`,
      peakViewers: sql`iif(${goesOn}, ${streams.peakViewers}, ${streams.roomViewers})`,
      endedAt: null,
      endReason: null,
      lastSeenAt: ctx.now,
      leaseUntil,
      updatedAt: ctx.now,
    })
    .where(
      and(
        eq(streams.id, streamId),
        sql`${streams.session} IS NOT ${session}`,
        takesOver ? undefined : sql`NOT (${goesOn})`,
        isWelcome,
        sql`NOT EXISTS (SELECT 1 FROM stream_early_ends e
          WHERE e.stream_id = ${streamId} AND e.session = ${session} AND e.at > ${now - EARLY_END_MS})`,
      ),
    );
}

/** A publisher stops; `at` is when, if the media server tells later. Only the session that is live can end. */
export function endSession(ctx: Ctx, streamId: number, session: string, at: Date = ctx.now) {
  const end = Math.min(at.getTime(), ctx.now.getTime());
  return ctx.db
    .update(streams)
    .set({ ...ending(ctx.now, "done"), endedAt: sql`max(${end}, ${streams.startedAt})` })
    .where(and(eq(streams.id, streamId), eq(streams.status, "live"), eq(streams.session, session)));
}

/** Remembers an end whose session never began, and is no viewer's: its publish may still be on its way. */
export function recordEarlyEnd(ctx: Ctx, streamId: number, session: string) {
  const now = ctx.now.getTime();
  return ctx.db
    .insert(streamEarlyEnds)
    .select(
      sql`SELECT ${streamId}, ${session}, ${now} WHERE NOT EXISTS (SELECT 1 FROM stream_sessions s
        WHERE s.stream_id = ${streamId} AND s.session = ${session}
          AND (s.ended_at IS NULL OR s.ended_at > ${now - EARLY_END_MS}))
        AND NOT EXISTS (SELECT 1 FROM stream_players p WHERE p.stream_id = ${streamId} AND p.session = ${session})`,
    )
    .onConflictDoUpdate({ target: [streamEarlyEnds.streamId, streamEarlyEnds.session], set: { at: ctx.now } });
}

/** A heartbeat: the session that is live is still there. From the first one on, silence ends it. */
export function renewLease(ctx: Ctx, streamId: number, session: string, leaseUntil: Date) {
  return ctx.db.update(streams).set({ lastSeenAt: ctx.now, leaseUntil }).where(isOnAir(streamId, session));
}

/** A heartbeat of a session whose lease had run out: the media server was cut off from here, not the publisher from it. */
export function resumeLapsed(ctx: Ctx, streamId: number, session: string, leaseUntil: Date) {
  return ctx.db
    .update(streams)
    .set({
      status: "live",
      session,
      endedAt: null,
      endReason: null,
      lastSeenAt: ctx.now,
      leaseUntil,
      updatedAt: ctx.now,
    })
    .where(
      and(
        eq(streams.id, streamId),
        eq(streams.status, "ended"),
        eq(streams.endReason, "lease"),
        sql`(SELECT s.session FROM stream_sessions s WHERE s.stream_id = ${streamId} ORDER BY s.id DESC LIMIT 1) = ${session}`,
        isWelcome,
      ),
    );
}

/** Keeps a session from going live for a minute: it has ended, or was turned away. */
export function barSession(ctx: Ctx, streamId: number, session: string) {
  return ctx.db
    .insert(streamEarlyEnds)
    .values({ streamId, session, at: ctx.now })
    .onConflictDoUpdate({ target: [streamEarlyEnds.streamId, streamEarlyEnds.session], set: { at: ctx.now } });
}

/**
 * node-media-server announces a second publisher before it turns it away, and takes it back with a `donePlay`: the session
 * that it replaced is still the live one. That is the one before it, unless this was turned away, too. `withinMs`: only if it
 * was replaced no longer ago, or heard of since.
 */
export function giveBack(ctx: Ctx, streamId: number, session: string, withinMs = Number.POSITIVE_INFINITY) {
  const replaced = sql`(SELECT iif(s.end_reason = 'replaced', s.session, NULL) FROM stream_sessions s
    WHERE s.stream_id = ${streamId} AND s.ended_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM stream_early_ends e
      WHERE e.stream_id = s.stream_id AND e.session = s.session AND e.at > ${ctx.now.getTime() - EARLY_END_MS})
    ORDER BY s.id DESC LIMIT 1)`;
  return ctx.db
    .update(streams)
    .set({ session: replaced, lastSeenAt: ctx.now })
    .where(
      and(
        eq(streams.id, streamId),
        eq(streams.session, session),
        Number.isFinite(withinMs) ? gt(streams.lastSeenAt, new Date(ctx.now.getTime() - withinMs)) : undefined,
        sql`${replaced} IS NOT NULL`,
      ),
    );
}

/** Somebody plays a live stream through the media server. Counted by triggers, once per session. */
export function addPlayer(ctx: Ctx, streamId: number, session: string) {
  return ctx.db
    .insert(streamPlayers)
    .select(sql`SELECT ${streams.id}, ${session} FROM ${streams} WHERE ${streams.id} = ${streamId} AND status = 'live'`)
    .onConflictDoNothing();
}

export function removePlayer(ctx: Ctx, streamId: number, session: string) {
  return ctx.db
    .delete(streamPlayers)
    .where(and(eq(streamPlayers.streamId, streamId), eq(streamPlayers.session, session)));
}

/** What has gone silent (a stopped nginx sends nothing) ended when the media server was last heard of. */
const endSilent = (ctx: Ctx, which?: SQL) =>
  ctx.db
    .update(streams)
    .set({ ...ending(ctx.now, "lease"), endedAt: sql`${streams.lastSeenAt}` })
    .where(and(eq(streams.status, "live"), lt(streams.leaseUntil, ctx.now), which))
    .returning({ id: streams.id });

/** Before a new session begins, so that nothing of the lapsed one goes on in it. */
export const endIfLapsed = (ctx: Ctx, streamId: number) => endSilent(ctx, eq(streams.id, streamId));

/**
 * Ends what has gone silent; and what is longer than any broadcast, as of now, since without heartbeats nothing was heard of
 * it since it began. Who still sends is cut off then.
 */
export async function endLapsed(ctx: Ctx): Promise<void> {
  const longest = new Date(ctx.now.getTime() - ctx.config.STREAM_MAX_HOURS * 3_600_000);
  const { lapsed, tooLong } = await ctx.db.batch({
    lapsed: endSilent(ctx),
    tooLong: ctx.db
      .update(streams)
      .set(ending(ctx.now, "too_long"))
      .where(and(eq(streams.status, "live"), lt(streams.startedAt, longest)))
      .returning({ id: streams.id }),
  });
  // Bounded, as every statement; the sweep has the rest.
  const targets = [...lapsed, ...tooLong].slice(0, 90).map(({ id }) => `stream:${id}` as const);
  if (targets.length > 0) deliverSoon(ctx, await pendingFor(ctx, ...targets));
}

/** Run by cron. */
export async function forgetEarlyEnds(ctx: Ctx): Promise<void> {
  await ctx.db.delete(streamEarlyEnds).where(lt(streamEarlyEnds.at, new Date(ctx.now.getTime() - EARLY_END_MS)));
}
