/** Who is at a connection: what an object must still know about it after hibernation. */
import { z } from "zod";
import type { UserCtx } from "../context.ts";
import { Version } from "../platform/version.ts";
import { ROLES } from "../roles.ts";
import { ReaderState } from "./reader.ts";

/** What the Worker has established about whoever connects. */
export const Person = z.object({
  userId: z.number().int(),
  username: z.string(),
  displayName: z.string().nullable(),
  avatarUrl: z.string().nullable(),
  role: z.enum(ROLES),
});
export type Person = z.infer<typeof Person>;

/** The caller as objects know them. */
export const personOf = ({ actor }: UserCtx): Person => ({
  userId: actor.id,
  username: actor.username,
  displayName: actor.displayName,
  avatarUrl: actor.avatarUrl,
  role: actor.role,
});

/** A connection's ticket from the Worker into the object. */
export const ConnectRequest = Person.extend({
  sessionId: z.string(),
  /** When the token ends, ms since the epoch. */
  expiresAt: z.number(),
  /** How far the outbox had come when the database was asked about this user: a revocation after it counts. */
  asOf: z.number().int().default(0),
  /** The generation of the database that was asked, and when the account was made, ms. */
  generation: z.string().optional(),
  userBornAt: z.number().int().optional(),
  /** Of the Worker's code. */
  version: Version.optional(),
  address: z.string(),
  heartbeat: z.enum(["server", "client"]),
  batch: z.boolean(),
  since: z.number().int().optional(),
  epoch: z.string().optional(),
  /** A gateway's client that begins anew: it is sent what waits for its user. */
  takesQueue: z.boolean().optional(),
  /** The join context: what the room must know about the member beyond the person. The room checks it. */
  context: z.unknown().optional(),
});
export type ConnectRequest = z.infer<typeof ConnectRequest>;

/**
 * A connect request as it crosses to an object. Workers, gateways and objects of several releases run side by side for some
 * minutes, and all know the join context as `facts`; so do the states that objects have stored.
 */
export const CrossingRequest = ConnectRequest.omit({ context: true }).extend({ facts: z.unknown().optional() });
export type CrossingRequest = z.infer<typeof CrossingRequest>;

export const toCrossing = ({ context, ...request }: ConnectRequest): CrossingRequest => ({
  ...request,
  facts: context,
});
export const fromCrossing = ({ facts, ...request }: CrossingRequest): ConnectRequest => ({
  ...request,
  context: facts,
});

/** The header in which the Worker hands over who connects. The Worker builds the request anew: no client can set it. */
const CONNECT_REQUEST_HEADER = "x-roomcast-connect-request";
const REDIRECT_HEADER = "x-roomcast-elsewhere";

export const writeConnectRequest = (request: ConnectRequest): Record<string, string> => ({
  [CONNECT_REQUEST_HEADER]: encodeURIComponent(JSON.stringify(toCrossing(request))),
});

/** An object's answer to an upgrade: the client is to be held by another object. The Worker takes it there. */
export const sendRedirect = (redirect: string): Response =>
  new Response(null, { status: 307, headers: { [REDIRECT_HEADER]: encodeURIComponent(redirect) } });

/** The redirect in an object's answer; null: it took the client, or turned it away. */
export function redirectIn({ headers }: Response): string | null {
  const redirect = headers.get(REDIRECT_HEADER);
  return redirect === null ? null : decodeURIComponent(redirect);
}

export const readConnectRequest = ({ headers }: Request): ConnectRequest =>
  fromCrossing(CrossingRequest.parse(JSON.parse(decodeURIComponent(headers.get(CONNECT_REQUEST_HEADER) ?? "null"))));

/** Kept in the socket's attachment: 16 KB at most (platform limit). */
export const ConnectionState = CrossingRequest.omit({
  since: true,
  epoch: true,
  takesQueue: true,
  version: true,
}).extend({
  id: z.string(),
  /** The number of its membership, if a gateway holds it: see Membership. */
  join: z.number().int().optional(),
  openedAt: z.number(),
  /** Last frame from this client, ms. */
  lastSeenAt: z.number(),
  /** Pings in a row that were not answered; one at most of a client that has answered none. */
  missed: z.number(),
  /** Whether a pong ever came from this client: many of other products' clients know none (SPEC 14). */
  answersPings: z.boolean().optional(),
  /** Lost its connection, or was silent for long: gone for others until it is heard of again, and sent to meanwhile. */
  isSuspended: z.boolean().optional(),
  /** Next ping or deadline, ms; null when the client beats. */
  beatAt: z.number().nullable(),
  /** What was sent and read: a sleep does not forget what is still held for this client. */
  reader: ReaderState.optional(),
  /** A replay that is under way: everything up to `at` was sent. When the next page is due without an answer, ms. */
  replay: z.object({ at: z.number().int(), epoch: z.string(), isQueue: z.boolean(), dueAt: z.number() }).optional(),
  /** Frames spent per budget: [start of the window in ms, count]. */
  spent: z.record(z.string(), z.tuple([z.number(), z.number()])),
});
export type ConnectionState = z.infer<typeof ConnectionState>;

/** Of whoever comes in now; `beatAt`, `spent`: see ConnectionState. */
export function newState(
  { since: _since, epoch: _epoch, takesQueue: _takesQueue, version: _version, context, ...request }: ConnectRequest,
  { now, ...begun }: Pick<ConnectionState, "id" | "beatAt" | "spent"> & { now: number },
): ConnectionState {
  return { ...request, facts: context, ...begun, openedAt: now, lastSeenAt: now, missed: 0 };
}
