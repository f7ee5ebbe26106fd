/** What members do in a room over HTTP: each asks the database who they are, then the room, by the door that frames take. */
import { and, eq } from "drizzle-orm";
import type { z } from "zod";
import type { UserCtx } from "../../context.ts";
import { roomMembers } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { enterRoom } from "./access.ts";
import {
  type HistoryQuery,
  MuteState,
  NewMessage,
  ReactionChange,
  ReadMark,
  RoomMessageList,
  type SearchQuery,
} from "./contract.ts";
import { parseMessageId } from "./message-id.ts";
import { act, askSummary, readMessages } from "./room-client.ts";
import { moveMarks } from "./summary.ts";

/** A cursor is a message's id. @throws AppError INVALID_REQUEST */
export function requireCursors({ before, after }: HistoryQuery): void {
  for (const [path, cursor] of Object.entries({ before, after })) {
    if (cursor === undefined || parseMessageId(cursor)) continue;
    throw new AppError("INVALID_REQUEST", undefined, {
      details: [{ path, message: "expected a message's id or a nextCursor" }],
    });
  }
}

/** Newest first. @throws AppError as enterRoom */
export async function readHistory(ctx: UserCtx, roomId: string, query: HistoryQuery | SearchQuery) {
  requireCursors(query);
  return RoomMessageList.parse(await readMessages(ctx, await enterRoom(ctx, roomId), query));
}

/** `body` as it came: see `act`. @throws AppError as enterRoom and Conversation.send */
export async function sendMessage(ctx: UserCtx, roomId: string, body: unknown): Promise<z.infer<typeof NewMessage>> {
  return NewMessage.parse(await act(ctx, await enterRoom(ctx, roomId), "send_message", body));
}

/** @throws AppError as enterRoom and Conversation.edit */
export async function editMessage(ctx: UserCtx, roomId: string, messageId: string, body: object) {
  return NewMessage.parse(await act(ctx, await enterRoom(ctx, roomId), "edit_message", { ...body, messageId }));
}

/** @throws AppError as enterRoom and Conversation.remove */
export async function deleteMessage(ctx: UserCtx, roomId: string, messageId: string): Promise<void> {
  await act(ctx, await enterRoom(ctx, roomId), "delete_message", { messageId });
}

/** What is so already changes and sends nothing. @throws AppError as enterRoom and Conversation.react */
export async function react(
  ctx: UserCtx,
  roomId: string,
  messageId: string,
  { emoji }: { emoji: string },
  action: "added" | "removed",
) {
  const access = await enterRoom(ctx, roomId);
  return ReactionChange.parse(await act(ctx, access, "reaction", { messageId, emoji, action }));
}

/** Moves my read mark. Without a socket to remember it by, it is written at once. @throws AppError as enterRoom */
export async function markRead(ctx: UserCtx, roomId: string, { seq }: { seq: number }) {
  const access = await enterRoom(ctx, roomId);
  await act(ctx, access, "read", { seq });
  const { mark } = await askSummary(ctx, roomId, ctx.actor.id);
  await ctx.db.run(moveMarks(roomId, [mark]));
  return ReadMark.parse({ userId: ctx.actor.id, seq: mark.seq });
}

/** `seconds` null: unmutes. @throws AppError as enterRoom, Conversation.mute · NOT_FOUND not a member */
export async function muteMember(ctx: UserCtx, roomId: string, userId: number, seconds: number | null) {
  const access = await enterRoom(ctx, roomId);
  const [member] = await ctx.db
    .select({ userId: roomMembers.userId })
    .from(roomMembers)
    .where(and(eq(roomMembers.roomId, roomId), eq(roomMembers.userId, userId)));
  if (!member) throw new AppError("NOT_FOUND", "This user is not a member.");
  const answer =
    seconds === null
      ? await act(ctx, access, "unmute_member", { userId })
      : await act(ctx, access, "mute_member", { userId, seconds });
  return MuteState.parse(answer);
}
