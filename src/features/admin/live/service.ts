/**
 * Who is connected: the list, where one of them is, and signing them out. Nothing is written for a look, and no object is
 * called for a list; where somebody is, their own object alone knows, and is asked when one user is looked at.
 */
import { and, desc, eq, isNotNull, sql } from "drizzle-orm";
import { logEach, recordEach } from "../../../auth/audit.ts";
import type { UserCtx } from "../../../context.ts";
import { one } from "../../../db/batch.ts";
import { searched } from "../../../db/folding.ts";
import { deliverSoon, enqueueSelect, pendingFor } from "../../../db/outbox.ts";
import { offsetOf, pagination } from "../../../db/page.ts";
import { rooms, sessions, socketTickets, streams, users, webrtcSessions } from "../../../db/tables.ts";
import { AppError, CLOSE } from "../../../errors.ts";
import { whereIs } from "../../../hub/client.ts";
import type { HubPayload } from "../../../hub/delivery.ts";
import { countMatches, hasPart } from "../search.ts";
import type { Live, LiveQuery, Whereabouts } from "./contract.ts";
import { namePlaces } from "./places.ts";

const isConnected = isNotNull(users.connectedAt);

/**
 * One round trip. That somebody is connected is in no index: one would write a row more whenever anybody comes or goes, which
 * costs more than to read the accounts when an admin looks.
 */
export async function listLive(ctx: UserCtx, query: LiveQuery): Promise<Live> {
  const names = [searched.username, searched.email, searched.fullName];
  const where = and(isConnected, hasPart(names, query.search));
  const { rows, counted, connected, onAir, calls, busy } = await ctx.db.batch({
    rows: ctx.db
      .select({ id: users.id, username: users.username, fullName: users.fullName, connectedAt: users.connectedAt })
      .from(users)
      .where(where)
      .orderBy(desc(users.connectedAt), desc(users.id))
      .limit(query.limit)
      .offset(offsetOf(query)),
    counted: countMatches(ctx, sql`${users} WHERE ${where}`),
    connected: one(ctx.db.select({ total: sql<number>`count(*)` }).from(users).where(isConnected)),
    onAir: one(
      ctx.db
        .select({
          total: sql<number>`count(*)`,
          viewers: sql<number>`coalesce(sum(max(${streams.players}, ${streams.roomViewers})), 0)`,
        })
        .from(streams)
        .where(eq(streams.status, "live")),
    ),
    calls: one(
      ctx.db
        .select({ total: sql<number>`count(*)` })
        .from(webrtcSessions)
        .where(sql`${webrtcSessions.endedAt} IS NULL`),
    ),
    busy: one(
      ctx.db.select({ total: sql<number>`count(*)` }).from(rooms).where(sql`${rooms.busyUntil} > ${ctx.now.getTime()}`),
    ),
  });
  return {
    figures: {
      connected: connected?.total ?? 0,
      live_streams: onAir?.total ?? 0,
      viewers: onAir?.viewers ?? 0,
      open_calls: calls?.total ?? 0,
      busy_rooms: busy?.total ?? 0,
    },
    people: rows.flatMap(({ connectedAt, ...row }) =>
      connectedAt === null ? [] : [{ ...row, connectedAt: connectedAt.toISOString() }],
    ),
    pagination: pagination(query, counted?.total ?? 0),
  };
}

const PLACES_MOST = 100;

/** One call, to the user's object. @throws AppError NOT_FOUND */
export async function readWhereabouts(ctx: UserCtx, userId: number): Promise<Whereabouts> {
  const [user] = await ctx.db
    .select({ id: users.id, username: users.username, connectedAt: users.connectedAt })
    .from(users)
    .where(eq(users.id, userId));
  if (!user) throw new AppError("NOT_FOUND");
  const { connections, rooms: refs } = await whereIs(ctx, userId, PLACES_MOST);
  return {
    ...user,
    connectedAt: user.connectedAt?.toISOString() ?? null,
    connections,
    places: await namePlaces(ctx, refs),
  };
}

/**
 * Ends all of a user's sessions; their connections close with 4001, here and in every room, also if there is no session.
 * @throws AppError NOT_FOUND
 */
export async function signOutUser(ctx: UserCtx, userId: number, reason: string): Promise<string> {
  const payload: HubPayload = { revocation: { code: CLOSE.unauthorized, reason: "UNAUTHORIZED" } };
  const from = sql`users WHERE ${eq(users.id, userId)}`;
  const { user, pending } = await ctx.db.batch({
    user: one(ctx.db.select({ id: users.id }).from(users).where(eq(users.id, userId))),
    audited: recordEach(ctx, { action: "sign_out", targetType: "user", id: users.id, from, reason }),
    told: enqueueSelect(ctx, sql`SELECT 'user:' || users.id, ${JSON.stringify(payload)} FROM ${from}`),
    sessions: ctx.db.delete(sessions).where(eq(sessions.userId, userId)),
    tickets: ctx.db.delete(socketTickets).where(eq(socketTickets.userId, userId)),
    pending: pendingFor(ctx, `user:${userId}`),
  });
  if (!user) throw new AppError("NOT_FOUND");
  logEach(ctx, "sign_out", "user", [userId]);
  deliverSoon(ctx, pending);
  return "User signed out";
}
