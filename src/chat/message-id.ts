/**
 * A room message's id: its room's id and its position in the room's log, so that the id alone finds the room, and ids sort
 * as the messages do. Opaque to clients (SPEC 0).
 */
const SEPARATOR = "_";
/** 36^9 messages are more than a room can hold. */
const DIGITS = 9;

export const messageIdOf = (roomId: string, seq: number): string =>
  `${roomId}${SEPARATOR}${seq.toString(36).padStart(DIGITS, "0")}`;

/** Null for what was never a message id. */
export function parseMessageId(id: string): { roomId: string; seq: number } | null {
  const [, roomId, digits] = /^([0-9a-f-]{36})_([0-9a-z]{9})$/.exec(id) ?? [];
  return roomId && digits ? { roomId, seq: Number.parseInt(digits, 36) } : null;
}
