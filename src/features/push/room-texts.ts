/** What messages of rooms say now: the database does not have them, their rooms do. */
import { parseMessageId } from "../../chat/message-id.ts";
import type { Ctx } from "../../context.ts";
import { logFailure } from "../../platform/log.ts";
import { callObject } from "../../platform/objects.ts";

/** By message id: its text, or null if it is deleted. One whose room did not answer is not there. */
export type RoomTexts = Map<string, string | null>;

/** A call of its room for each message; a room that fails holds up nobody else's push. */
export async function readRoomTexts(ctx: Ctx, messageIds: string[]): Promise<RoomTexts> {
  const texts: RoomTexts = new Map();
  const read = async (messageId: string) => {
    const found = parseMessageId(messageId);
    if (!found) return;
    try {
      const text = await callObject(ctx, ctx.env.CHAT_ROOM, found.roomId, (room) => room.textOf(found.seq));
      texts.set(messageId, text);
    } catch (error) {
      logFailure(ctx, "push.text", error, { room: found.roomId });
    }
  };
  await Promise.all([...new Set(messageIds)].map(read));
  return texts;
}
