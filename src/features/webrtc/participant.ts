/** Somebody in a session, as its object knows them. */
import { z } from "zod";
import type { Connection } from "../../realtime/connection.ts";
import type { Participant } from "./contract.ts";
import type { Absence } from "./store.ts";

/** What the others see; kept in the connection's attachment, and in SQLite while there is no connection. */
export const ParticipantState = z.object({
  displayName: z.string(),
  role: z.string(),
  audioEnabled: z.boolean(),
  videoEnabled: z.boolean(),
  screenSharing: z.boolean(),
  handRaised: z.boolean(),
  /** ms since the epoch. */
  joinedAt: z.number(),
});
export type ParticipantState = z.infer<typeof ParticipantState>;

/** How somebody looks who has just come. */
export const arrived = (now: number) => ({
  audioEnabled: true,
  videoEnabled: true,
  screenSharing: false,
  handRaised: false,
  joinedAt: now,
});

/** What the Worker tells the room about who connects, and what the room adds once they have joined. */
export const SessionContext = z.object({
  /** What clients call the session, if it has a chosen id. */
  publicId: z.string().optional(),
  /** It was made by its first use, and ends with its last participant. */
  endsByItself: z.boolean().optional(),
  maxParticipants: z.number().int(),
  /** How far the outbox had come when the database was asked whether this user may be here. */
  asOf: z.number().int().default(0),
  participant: ParticipantState.optional(),
});
export type SessionContext = z.infer<typeof SessionContext>;

/**
 * One per user, however many windows they have: the one that joined last takes part, or every offer to them would be
 * answered twice. Either a connection (by its id, since it may move from one gateway to another) or an absence.
 */
export type Member = { userId: number; state: ParticipantState } & (
  | { connectionId: string; absence: null }
  | { connectionId: null; absence: Absence }
);

export const contextOf = ({ context }: Connection): SessionContext => SessionContext.parse(context);

/** Says in the attachment that this connection takes part, or (null) that it does not. */
export function keepState(connection: Connection, participant: ParticipantState | null): void {
  const context = { ...contextOf(connection), participant: participant ?? undefined };
  connection.context = context satisfies SessionContext;
  connection.save();
}

const shown = ({ userId, state }: Member): Participant => ({
  userId,
  ...state,
  joinedAt: new Date(state.joinedAt).toISOString(),
});

/** A participant as `receiverId` sees them; of two, the one with the higher id is polite. */
export const shownTo = (receiverId: number, member: Member): Participant & { polite: boolean } => ({
  ...shown(member),
  polite: receiverId > member.userId,
});
