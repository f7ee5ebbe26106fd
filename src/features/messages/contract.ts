/** Direct messages between two people (SPEC 3), and their frames on the event socket (SPEC 2). */
import { z } from "zod";
import { FeedQuery, NextCursor } from "../../db/page.ts";
import { Timestamp } from "../../realtime/protocol.ts";
import { userText } from "../../text.ts";
import { PersonBrief, UserId, UserRef } from "../users/contract.ts";

export const DirectMessage = z
  .object({
    id: z.number().int(),
    senderId: UserId,
    receiverId: UserId,
    content: z.string(),
    createdAt: Timestamp,
    seen: z.boolean(),
  })
  .meta({ id: "DirectMessage" });
export type DirectMessage = z.infer<typeof DirectMessage>;

export const SendMessage = z.object({
  receiverId: UserRef,
  content: userText(5000),
  clientMessageId: z.string().min(1).max(64).optional().describe("Sending it again answers the same message"),
});
export type SendMessage = z.output<typeof SendMessage>;

export const MarkMessagesSeen = z
  .object({
    conversationWith: UserRef.optional().describe("Without: the named messages, whoever sent them"),
    messageIds: z.array(z.number().int()).max(1000).default([]).describe("None: all unseen ones from that user"),
  })
  .refine(({ conversationWith, messageIds }) => conversationWith !== undefined || messageIds.length > 0, {
    path: ["conversationWith"],
    message: "is needed where no message is named",
  });
export type MarkMessagesSeen = z.output<typeof MarkMessagesSeen>;

export const Typing = z.object({ conversationWith: UserRef });

export const MessageList = z.object({ messages: z.array(DirectMessage), nextCursor: NextCursor });
export const Conversation = z.object({
  user: PersonBrief,
  lastMessage: DirectMessage,
  unseenCount: z.number().int(),
});
export const ConversationList = z.object({ conversations: z.array(Conversation), nextCursor: NextCursor });
export { FeedQuery };

/** Client → server. */
export const MessageCommands = {
  "message:mark_seen": MarkMessagesSeen,
  "message:typing": Typing,
};

/** What the acks of commands carry. */
export const MessageAcks = { "message:mark_seen": z.object({ messageIds: z.array(z.number().int()) }) };

/** Server → client. */
export const MessageFrames = {
  "message:new": DirectMessage,
  "message:seen": z.object({ messageIds: z.array(z.number().int()), seenBy: UserId, seenAt: Timestamp }),
  "message:typing": z.object({ userId: UserId }),
};
