/**
 * Rooms of the messenger, group and private (SPEC 5). Beyond SPEC, where it is silent: mutes and slow mode are set by
 * `POST|DELETE /rooms/:id/members/:userId/mute` and `PATCH /rooms/:id {slowModeSeconds}`; `POST /rooms/:id/read` moves the
 * read mark without a socket; `room_updated` tells connected members of a new name, owner, join policy or slow mode.
 * Writing over REST to an open group makes a member, as opening its socket does.
 */
import { z } from "zod";
import {
  ClientMessageId,
  Cursor,
  CustomEvent,
  customEventIn,
  Emoji,
  EventAck,
  FileId,
  FileUrl,
  HistoryQuery,
  JoinPolicy,
  MessageId,
  Mute,
  MuteState,
  namesFile,
  ReactionChange,
  ReactionSummary,
  ReplyTo,
  SearchQuery,
  SLOW_MODE_MAX_SECONDS,
  TextBesideFile,
} from "../../chat/contract.ts";
import { ChosenId } from "../../chosen-id.ts";
import { PageQuery, Pagination } from "../../db/page.ts";

import { AuthorId, Timestamp, UserId, UserRef } from "../../realtime/protocol.ts";
import { userText } from "../../text.ts";
import { PersonBrief } from "../users/contract.ts";

export {
  ClientMessageId,
  FileId,
  FileUrl,
  HistoryQuery,
  JoinPolicy,
  Mute,
  MuteState,
  PageQuery,
  ReactionChange,
  ReplyTo,
  SearchQuery,
};

const RoomId = z.string().min(1).max(64).describe("Opaque, sortable");

export const RoomParam = z.object({ id: RoomId });
export const MemberParam = RoomParam.extend({ userId: UserRef });
export const MessageParam = RoomParam.extend({ messageId: MessageId });

export const MessageType = z.enum(["text", "file", "image", "video", "audio", "system", "announcement"]);
const newMessage = {
  id: MessageId,
  roomId: RoomId,
  seq: z.number().int(),
  userId: AuthorId,
  username: z.string(),
  avatarUrl: z.string().nullable(),
  content: z.string(),
  type: MessageType,
  fileUrl: z.string().nullable(),
  replyTo: MessageId.nullable(),
  createdAt: Timestamp,
};

/** As it was sent. Replayed by `since`, it is as it is now: an edited one has `editedAt`, a deleted one has no text. */
export const NewMessage = z
  .object({ ...newMessage, editedAt: Timestamp.optional(), isDeleted: z.literal(true).optional() })
  .meta({ id: "NewRoomMessage" });

/** A message as it is now. */
export const RoomMessage = z
  .object({ ...newMessage, editedAt: Timestamp.nullable(), reactions: z.array(ReactionSummary) })
  .meta({ id: "RoomMessage" });
export type RoomMessage = z.infer<typeof RoomMessage>;

export const Room = z
  .object({
    id: RoomId,
    name: z.string().nullable(),
    isGroup: z.boolean(),
    ownerId: UserId.nullable().describe("null: a private room is nobody's"),
    joinPolicy: JoinPolicy.describe("open: whoever opens its socket becomes a member"),
    slowModeSeconds: z.number().int(),
    memberCount: z.number().int(),
    createdAt: Timestamp,
    lastMessage: RoomMessage.omit({ reactions: true }).nullable(),
    unreadCount: z.number().int().describe("Messages of others after the read mark"),
    peer: PersonBrief.nullable().describe("The other one of a private room"),
  })
  .meta({ id: "Room" });
export type Room = z.infer<typeof Room>;
export const RoomWithMembers = Room.extend({ members: z.array(PersonBrief).describe("The first 1000") }).meta({
  id: "RoomWithMembers",
});
export const RoomList = z.object({ rooms: z.array(Room), pagination: Pagination });

const RoomName = userText(100);

export const MakeRoom = z
  .object({
    id: ChosenId.optional(),
    name: RoomName.nullish(),
    isGroup: z.boolean(),
    memberIds: z.array(UserRef).max(500).default([]),
    joinPolicy: JoinPolicy.default("members").describe("open: whoever opens the group's socket becomes a member"),
  })
  .refine((room) => !room.isGroup || (room.name ?? "") !== "", { path: ["name"], message: "a group needs a name" })
  .refine((room) => room.isGroup || new Set(room.memberIds).size === 1, {
    path: ["memberIds"],
    message: "a private room has one other member",
  })
  .refine((room) => room.isGroup || room.joinPolicy === "members", {
    path: ["joinPolicy"],
    message: "a private room is for its two people",
  });
export type MakeRoom = z.output<typeof MakeRoom>;

export const ChangeRoom = z
  .object({
    name: RoomName.optional(),
    ownerId: UserRef.optional().describe("Hands the room over to this member"),
    joinPolicy: JoinPolicy.optional(),
    slowModeSeconds: z
      .number()
      .int()
      .min(0)
      .max(SLOW_MODE_MAX_SECONDS)
      .optional()
      .describe("Seconds between messages of one member"),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), "nothing to change");
export type ChangeRoom = z.output<typeof ChangeRoom>;

export const Invite = z.object({ userId: UserRef });

export const SendMessage = z
  .object({
    content: TextBesideFile,
    type: MessageType.default("text"),
    fileId: FileId,
    fileUrl: FileUrl,
    replyTo: ReplyTo,
    clientMessageId: ClientMessageId,
  })
  .refine(({ content, ...file }) => content !== "" || namesFile(file), {
    path: ["content"],
    message: "may not be empty",
  });
export const EditText = z.object({ content: userText(5000) });
export const React = z.object({ emoji: Emoji });
export const MarkRead = z.object({ seq: z.number().int().min(0) });
export const RoomMessageList = z.object({ messages: z.array(RoomMessage), nextCursor: Cursor });

export const ReadMark = z.object({ userId: UserId, seq: z.number().int() });

/** Client → server. */
export const RoomCommands = {
  send_message: SendMessage,
  edit_message: EditText.extend({ messageId: MessageId }),
  delete_message: z.object({ messageId: MessageId }),
  reaction: React.extend({
    messageId: MessageId,
    action: z.enum(["added", "removed"]).optional().describe("Without: the other of what is so"),
  }),
  typing: z.object({ isTyping: z.boolean().default(true) }),
  read: MarkRead,
  mute_member: Mute.extend({ userId: UserRef }),
  unmute_member: z.object({ userId: UserRef }),
  event: CustomEvent,
};

/** Which room a frame is of: a Socket.IO connection is in several. Clients of the messenger read the keys in either case. */
const inRoom = { roomId: RoomId, room_id: RoomId };
const byAuthor = { userId: AuthorId, user_id: AuthorId };
const byUser = { userId: UserId, user_id: UserId };
const ofMessage = { messageId: MessageId, message_id: MessageId };
const OnlineUser = z.object({ ...byUser, username: z.string(), avatarUrl: z.string().nullable() });
const NewMessageFrame = NewMessage.extend({ ...inRoom, ...byAuthor, ...ofMessage }).meta({ id: "NewRoomMessageFrame" });

const whose = { roomId: RoomId };

/** Server → client on the user's own event socket, for a list of rooms that is live. */
export const RoomInboxFrames = {
  "room:invited": z.object({
    ...whose,
    name: z.string().nullable(),
    isGroup: z.boolean(),
    actor: z
      .object({ id: UserId.nullable(), username: z.string(), avatarUrl: z.string().nullable() })
      .describe("Who invited; without an `id`: the product itself"),
  }),
  "room:removed": z
    .object({ ...whose, reason: z.enum(["removed", "left", "deleted"]) })
    .describe("Also to oneself, for other devices; when a room is deleted, if it had up to 100 members"),
  "room:activity": z
    .object({ ...whose, unreadCount: z.number().int(), lastMessage: Room.shape.lastMessage })
    .describe("Of rooms of up to 100 members, at most every 5 s, while one is not in the room; without a `seq`"),
};

/** What the acks of commands carry. */
export const RoomAcks = {
  send_message: NewMessageFrame,
  edit_message: NewMessage.extend({ editedAt: Timestamp }),
  delete_message: z.object({ messageId: MessageId }),
  reaction: ReactionChange,
  read: z.object({ seq: z.number().int() }),
  mute_member: MuteState,
  unmute_member: MuteState,
  event: EventAck,
};

/** Server → client. The first four, and an event that is kept, are durable: they carry `seq`, and `since` replays them. */
export const RoomFrames = {
  new_message: NewMessageFrame,
  message_updated: NewMessageFrame.extend({ editedAt: Timestamp }),
  message_deleted: z.object({
    id: MessageId,
    ...ofMessage,
    ...inRoom,
    deletedBy: AuthorId,
    deletedAt: Timestamp,
  }),
  reaction: ReactionChange.extend({ ...inRoom, ...byAuthor, ...ofMessage }),
  typing: z.object({ ...inRoom, ...byUser, username: z.string(), isTyping: z.boolean() }),
  read: ReadMark.extend({ ...inRoom, ...byUser }),
  user_joined: OnlineUser.extend(inRoom),
  user_left: OnlineUser.extend(inRoom),
  online_users: z.object({
    ...inRoom,
    users: z.array(OnlineUser).describe("At most 100"),
    count: z.number().int().describe("How many people are here"),
  }),
  /** A crowd's joins and leaves, gathered: at most once a second. */
  presence: z.object({
    ...inRoom,
    count: z.number().int(),
    joined: z.array(OnlineUser).describe("At most 20 of those who came"),
    left: z.array(UserId).describe("At most 20 of those who went"),
  }),
  room_updated: z.object({
    ...inRoom,
    id: RoomId,
    name: z.string().nullable(),
    ownerId: UserId.nullable(),
    joinPolicy: JoinPolicy,
    slowModeSeconds: z.number().int(),
  }),
  event: customEventIn(RoomId).extend({ room_id: RoomId, user_id: AuthorId }),
};
