/** The chat beside a stream: its frames, and its history over HTTP (SPEC 7). */
import { z } from "zod";
import {
  CustomEvent,
  customEventIn,
  EventAck,
  FileId,
  FileUrl,
  SAYS_NOTHING,
  saysSomething,
  TextBesideFile,
} from "../../chat/contract.ts";
import { FeedQuery, NextCursor } from "../../db/page.ts";
import { IntegerId } from "../../http/answers.ts";
import { Timestamp } from "../../realtime/protocol.ts";
import { AuthorId, UserId, UserRef } from "../users/contract.ts";
import { StreamId, StreamStatus } from "./contract.ts";

/** Opaque and sortable; as a number it is the message's `seq`, so that it can be given as `before` or `after`. */
const ChatMessageId = z.string().regex(/^\d{1,15}$/, "is not the id of a message");

export const ChatMessage = z
  .object({
    id: ChatMessageId,
    streamId: StreamId,
    seq: z.number().int(),
    userId: AuthorId,
    username: z.string(),
    message: z.string(),
    fileUrl: z.string().optional().describe("Of a message with a file"),
    replyTo: ChatMessageId.optional().describe("Of an answer to another message"),
    timestamp: Timestamp,
  })
  .meta({ id: "ChatMessage" });
export type ChatMessage = z.infer<typeof ChatMessage>;

/** A socket is in one stream's room already; a Socket.IO client says which one it means. */
const streamId = z.number().int().optional();

export const WhichStream = z.object({ streamId });

export const SendChatMessage = z
  .object({
    streamId,
    message: TextBesideFile,
    fileId: FileId,
    fileUrl: FileUrl,
    replyTo: ChatMessageId.nullish(),
    clientMessageId: z.string().min(1).max(64).optional().describe("Sending it again answers the same message"),
  })
  .refine(saysSomething, SAYS_NOTHING);
export const DeleteChatMessage = z.object({ streamId, messageId: ChatMessageId });

const MUTE_MAX_SECONDS = 30 * 86_400;
export const MuteViewer = z.object({
  streamId,
  userId: UserRef,
  seconds: z.number().int().min(1).max(MUTE_MAX_SECONDS).default(600),
});
export const UnmuteViewer = z.object({ streamId, userId: UserRef });
export const SlowMode = z.object({
  streamId,
  seconds: z.number().int().min(0).max(3600).describe("Between two messages of one person; 0 switches it off"),
});

/** Client → server. What a native socket joins it is in already; leaving closes it. All but the first three are for those who moderate. */
export const StreamCommands = {
  join_stream: WhichStream,
  leave_stream: WhichStream,
  chat_message: SendChatMessage,
  chat_delete: DeleteChatMessage,
  chat_mute: MuteViewer,
  chat_unmute: UnmuteViewer,
  chat_slow_mode: SlowMode,
  event: CustomEvent.extend({ streamId }),
};
export type StreamCommand = keyof typeof StreamCommands;

/** What the acks carry. */
export const StreamAcks = {
  chat_message: ChatMessage,
  chat_delete: z.object({ messageId: ChatMessageId }),
  chat_mute: z.object({ userId: UserId, until: Timestamp.nullable() }),
  chat_unmute: z.object({ userId: UserId, until: Timestamp.nullable() }),
  chat_slow_mode: z.object({ seconds: z.number().int() }),
  event: EventAck,
};

/**
 * Server → client. The count, of people here or of players, whichever is greater, has no `seq`: it is not kept. Who joins while slow mode is on, or while muted, is told so at
 * once, without a `seq`; who is told nothing is held back by nothing.
 */
export const StreamFrames = {
  chat_message: ChatMessage,
  chat_message_deleted: z.object({ streamId: StreamId, messageId: ChatMessageId }),
  chat_muted: z.object({ streamId: StreamId, userId: UserId, until: Timestamp.nullable() }),
  chat_slow_mode: z.object({ streamId: StreamId, seconds: z.number().int() }),
  "stream:status": z.object({
    streamId: StreamId,
    status: StreamStatus,
    startTime: Timestamp.nullable(),
    endTime: Timestamp.nullable(),
  }),
  "stream:viewer_count": z.object({ streamId: StreamId, count: z.number().int() }),
  event: customEventIn(StreamId),
};

export const ChatHistory = z.object({ messages: z.array(ChatMessage), nextCursor: NextCursor });
export type ChatHistory = z.infer<typeof ChatHistory>;
export const ChatMessageParam = z.object({ id: IntegerId, messageId: ChatMessageId });
export const MuteParam = z.object({ id: IntegerId, userId: UserRef });

/** The id of a message has zeros in front, which no other number may have. */
const cursor = z.union([z.number().int().min(0), ChatMessageId.transform(Number)]).optional();

export const ChatHistoryQuery = FeedQuery.extend({
  before: cursor.describe("Only messages older than this id, or a `nextCursor`"),
  after: cursor.describe("Only messages newer than this id, or a `nextCursor`"),
});
