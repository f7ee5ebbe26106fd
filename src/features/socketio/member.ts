/** What a gateway knows about a client: the state that its socket keeps through hibernation and recovery. */
import { z } from "zod";
import type { User, UserCtx } from "../../context.ts";
import { type ConnectRequest, Person } from "../../realtime/connection-state.ts";
import type { ClientSocket } from "../../socketio/application.ts";

/** Rooms that one socket may be in: its state has some 7000 characters. */
export const MAX_STAYS = 32;

/** What joining may say about a client, in characters of JSON. */
const MAX_JOIN_DATA_CHARS = 400;

/** A room that the socket is in: by which channel, under which name, the object, and what joining said, if it is to be said again. */
export const Stay = z.object({
  channel: z.string(),
  name: z.string(),
  object: z.string(),
  data: z
    .record(z.string(), z.json())
    .refine((data) => JSON.stringify(data).length <= MAX_JOIN_DATA_CHARS)
    .optional()
    .catch(undefined),
});
export type Stay = z.infer<typeof Stay>;

export const Member = z.object({
  person: Person,
  sessionId: z.string(),
  /** When the token ends, ms. */
  expiresAt: z.number(),
  /** When the database was last asked about this user, ms: a cut-off since then counts. */
  authenticatedAt: z.number(),
  address: z.string(),
  stays: z.array(Stay),
});
export type Member = z.infer<typeof Member>;

export const memberOf = (socket: ClientSocket): Member => Member.parse(socket.state);

/** Who has just been authenticated. */
export function memberFrom({ actor, now, address }: UserCtx, stays: Stay[] = []): Member {
  const { id: userId, username, displayName, avatarUrl, role, sessionId, expiresAt } = actor;
  const person = { userId, username, displayName, avatarUrl, role };
  return { person, sessionId, expiresAt, authenticatedAt: now.getTime(), address, stays };
}

/** How a room takes them in: the gateway watches over the connection, so there is no heartbeat. */
export function connectRequestOf({ person, stays: _stays, ...member }: Member, facts?: unknown): ConnectRequest {
  return { ...person, ...member, heartbeat: "client", batch: false, facts };
}

export const sessionOf = ({
  person,
  sessionId,
  expiresAt,
}: Member): Pick<User, "sessionId" | "expiresAt"> & { userId: number } => ({
  userId: person.userId,
  sessionId,
  expiresAt,
});
