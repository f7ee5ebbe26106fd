/** What goes over the wire alike in every kind of room, whatever its dialect calls it. */
import { z } from "zod";
import { AuthorId, Timestamp, UserId } from "../realtime/protocol.ts";
import { verbatim } from "../spelling.ts";
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
/** For `refine` of what has its words in `message`. */
export const saysSomething = ({ message, ...file }: { message: string } & NamedFile): boolean =>
  message !== "" || namesFile(file);
export const SAYS_NOTHING = { path: ["message"], message: "may not be empty" };
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

/** How much a custom event may carry, bytes of JSON. */
const EVENT_MAX_BYTES = 4096;

/** What a Socket.IO client may send beside JSON would not arrive as it was sent. */
const isJson = (value: unknown): boolean => {
  if (typeof value !== "object" || value === null) return true;
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return false;
  return Object.values(value).every(isJson);
};
const fitsEvent = (data: unknown): boolean =>
  new TextEncoder().encode(JSON.stringify(data)).byteLength <= EVENT_MAX_BYTES;

const eventParts = {
  name: z
    .string()
    .regex(/^[\w.:-]{1,64}$/, "must be 1 to 64 of letters, digits, _ . : -")
    .describe("The product's own"),
  data: verbatim(
    z
      .unknown()
      .refine(isJson, "must be JSON")
      .refine(fitsEvent, `may have ${EVENT_MAX_BYTES} bytes of JSON`)
      .default(null),
  ).describe("Any JSON, passed on as it is: a page must treat it as text"),
};

/** A product's own event, to everybody in a room: `event` in every kind of room. */
export const CustomEvent = z.object({
  ...eventParts,
  keep: z.boolean().default(false).describe("Into the room's log: it has a seq, and is replayed"),
});
export type CustomEvent = z.output<typeof CustomEvent>;

/** What the ack of one that is kept carries. */
export const EventAck = z.object({ seq: z.number().int() }).optional();

/** In a place that logs nothing. */
export const PassingEvent = z.object({
  ...eventParts,
  keep: z.literal(false, "nothing is kept here").optional(),
});

/** As it arrives. `roomId`: as the room's other frames name it. */
export const customEventIn = <Id extends z.ZodType>(roomId: Id) =>
  z.object({
    name: z.string(),
    data: verbatim(z.unknown()).describe("As it was sent: treat it as text"),
    userId: AuthorId,
    roomId,
  });
