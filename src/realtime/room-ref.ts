/** Where a user can be besides their own hub: which kind of object, by its binding, and which one. */
import { z } from "zod";

export const RoomKind = z.enum(["CHAT_ROOM", "STREAM_ROOM", "STREAM_AUDIENCE", "WEBRTC_ROOM", "TOPIC_ROOM"]);
export type RoomKind = z.infer<typeof RoomKind>;

export type RoomRef = { kind: RoomKind; name: string };

/** Names an object among all that a client can be in: two kinds may use one name. Null: a user's hub. */
export const objectKey = (kind: RoomKind | null, name: string): string => `${kind ?? "USER_HUB"}:${name}`;

/** An order to close a user's connections: all, those of one session, or all but those of one. */
export const Revocation = z.object({
  userId: z.number().int(),
  code: z.number().int(),
  reason: z.string(),
  sessionId: z.string().optional(),
  exceptSessionId: z.string().optional(),
  /** Its id in the outbox, and of which generation: who was authenticated there later is not meant. None: everybody is. */
  asOf: z.number().int().optional(),
  generation: z.string().optional(),
});
export type Revocation = z.infer<typeof Revocation>;

/** Whether a revocation closes all of a user's connections, as a ban does: lifting the ban lifts it. */
export const isBan = ({ sessionId, exceptSessionId }: Pick<Revocation, "sessionId" | "exceptSessionId">): boolean =>
  sessionId === undefined && exceptSessionId === undefined;

/** A connection's right to be here: its session, and of which database, and how far on, that was asked. */
export type Authenticated = { sessionId: string; asOf: number; generation?: string | undefined };

/** Whether a revocation means this connection. */
export const isRevoked = (
  { sessionId, exceptSessionId, asOf, generation }: Omit<Revocation, "userId">,
  by: Authenticated,
): boolean =>
  (asOf === undefined || by.asOf < asOf || (generation !== undefined && by.generation !== generation)) &&
  (sessionId === undefined || sessionId === by.sessionId) &&
  exceptSessionId !== by.sessionId;
