/** Where a user can be besides their own hub: which kind of object, by its binding, and which one. */
import { z } from "zod";

export const RoomKind = z.enum(["CHAT_ROOM", "STREAM_ROOM", "WEBRTC_ROOM"]);
export type RoomKind = z.infer<typeof RoomKind>;

export type RoomRef = { kind: RoomKind; name: string };

/** An order to close a user's connections: all, those of one session, or all but those of one. */
export type Revocation = {
  userId: number;
  code: number;
  reason: string;
  sessionId?: string | undefined;
  exceptSessionId?: string | undefined;
};

/** Whether a revocation means the connections of this session. */
export const isRevoked = ({ sessionId, exceptSessionId }: Revocation, of: { sessionId: string }): boolean =>
  (sessionId === undefined || sessionId === of.sessionId) && exceptSessionId !== of.sessionId;
