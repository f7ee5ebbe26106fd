/** What members do in a room over HTTP: each asks the database who they are, then the room, by the door that frames take. */
import type { z } from "zod";
import { enterRoom, joinRoom } from "../../chat/access.ts";
import { askSummary, execute, readMessages, say } from "../../chat/client.ts";
import { moveMarks } from "../../chat/directory.ts";
import type { UserCtx } from "../../context.ts";
import {
  type HistoryQuery,
  MuteState,
  NewMessage,
  ReactionChange,
  ReadMark,
  RoomMessageList,
  type SearchQuery,
} from "./contract.ts";

/** Newest first. @throws AppError as enterRoom */
export async function readHistory(ctx: UserCtx, roomId: string, query: HistoryQuery | SearchQuery) {
  return RoomMessageList.parse(await readMessages(ctx, await enterRoom(ctx, roomId), query));
}

/** `body` as it came: see `act`. @throws AppError as joinRoom and Conversation.send */
export async function sendMessage(ctx: UserCtx, roomId: string, body: unknown): Promise<z.infer<typeof NewMessage>> {
  return NewMessage.parse(await say(ctx, await joinRoom(ctx, roomId), "send_message", body));
}

/** @throws AppError as enterRoom and Conversation.edit */
export async function editMessage(ctx: UserCtx, roomId: string, messageId: string, body: object) {
  return NewMessage.parse(await execute(ctx, await enterRoom(ctx, roomId), "edit_message", { ...body, messageId }));
}

/** @throws AppError as enterRoom and Conversation.remove */
export async function deleteMessage(ctx: UserCtx, roomId: string, messageId: string): Promise<void> {
  await execute(ctx, await enterRoom(ctx, roomId), "delete_message", { messageId });
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
  return ReactionChange.parse(await execute(ctx, access, "reaction", { messageId, emoji, action }));
}

/** Moves my read mark. Without a socket to remember it by, it is written at once. @throws AppError as enterRoom */
export async function markRead(ctx: UserCtx, roomId: string, { seq }: { seq: number }) {
  const access = await enterRoom(ctx, roomId);
  await execute(ctx, access, "read", { seq });
  const { mark } = await askSummary(ctx, access.roomId, ctx.actor.id);
  await ctx.db.run(moveMarks(access.roomId, [mark]));
  return ReadMark.parse({ userId: ctx.actor.id, seq: mark.seq });
}

/** `seconds` null: unmutes. @throws AppError as enterRoom and ChatActions.mute */
export async function muteMember(ctx: UserCtx, roomId: string, userId: number, seconds: number | null) {
  const access = await enterRoom(ctx, roomId);
  const [command, input] = seconds === null ? ["unmute_member", { userId }] : ["mute_member", { userId, seconds }];
  return MuteState.parse(await execute(ctx, access, command, input));
}
