/** What goes over the wire alike in every kind of room, whatever its dialect calls it. */
import { z } from "zod";
import { AuthorId, Timestamp, UserId } from "../realtime/protocol.ts";
import { composed, Link, searchText, showsNothing, userText } from "../text.ts";

export const MessageId = z.string().min(1).max(64).describe("Opaque, sortable");
export const ClientMessageId = z
  .string()
  .min(1)
  .max(64)
  .optional()
  .describe("Sending it again answers the same message");
export const FileId = z
  .string()
  .min(1)
  .max(64)
  .nullish()
  .describe("A file of the sender's own: whoever may read the chat may read it, until the message is deleted");
export const FileUrl = Link.nullish().transform((url) => url ?? null);
/** What is said with a file needs no words; without one it does, which the message's own schema checks. */
export const TextBesideFile = userText(5000, 0).default("").describe("A message with a file needs none");
type NamedFile = { fileId?: string | null | undefined; fileUrl: string | null };
export const namesFile = ({ fileId, fileUrl }: NamedFile): boolean => fileUrl !== null || fileId != null;
export const ReplyTo = MessageId.nullish().transform((id) => id ?? null);

export const JoinPolicy = z.enum(["open", "members"]);

export const ReactionSummary = z.object({
  emoji: z.string(),
  count: z.number().int(),
  userIds: z.array(UserId).describe("The first 50"),
});

export const Emoji = z
  .string()
  .overwrite(composed)
  .regex(/^[^\s<>"'&`]{1,32}$/u, "must be an emoji or a short name without blanks")
  .refine((text) => !showsNothing(text), "must be something that shows")
  .meta({ example: "👍" });
export const ReactionChange = z.object({
  messageId: MessageId,
  userId: AuthorId,
  emoji: Emoji,
  action: z.enum(["added", "removed"]),
  count: z.number().int(),
});

/** The longest slow mode, seconds. */
export const SLOW_MODE_MAX_SECONDS = 21_600;
export const Mute = z.object({ seconds: z.number().int().min(1).max(31_536_000).default(3600) });
export const MuteState = z.object({ userId: UserId, mutedUntil: Timestamp.nullable() });

const messageCursor = MessageId.optional();
export const HistoryQuery = z.object({
  before: messageCursor.describe("Only messages older than this id, or a `nextCursor`"),
  after: messageCursor.describe("Only messages newer than this id"),
  limit: z.number().int().min(1).max(100).default(20),
});
export type HistoryQuery = z.output<typeof HistoryQuery>;
export const SearchQuery = HistoryQuery.extend({
  q: searchText(100, 1).describe("Messages that contain every one of these words, or parts of words"),
});
export type SearchQuery = z.output<typeof SearchQuery>;

export const Cursor = MessageId.nullable().describe(
  "Goes back as `before`; null at the end. A search may answer fewer than `limit` and go on all the same",
);
