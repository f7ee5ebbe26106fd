/** What endpoints hear (SPEC 12), event by event: `type` tells them apart. The facts are written by migrations/0033. */
import { z } from "zod";
import { AuthorId, Timestamp, UserId } from "../../realtime/protocol.ts";
import { userText } from "../../text.ts";
import { NewCourseMessage } from "../courses/contract.ts";
import { FileInfo } from "../files/contract.ts";
import { Report } from "../reports/contract.ts";
import { NewMessage } from "../rooms/contract.ts";
import { StreamId } from "../streams/contract.ts";
import { Vod } from "../vod/contract.ts";
import { Session } from "../webrtc/contract.ts";

const externalIds = z
  .record(z.string(), z.string())
  .optional()
  .describe("The product's own ids of users who are named here and have one, under the same keys");

/** `room.member_added` → `RoomMemberAddedEvent`: what made clients call it. */
const nameOf = (type: string): string =>
  `${type.replace(/(?:^|[._])(\w)/g, (_, first: string) => first.toUpperCase())}Event`;

/** An event of this type. What the product calls its people goes along with any of them. */
const event = <const T extends string, S extends z.ZodRawShape>(type: T, data: z.ZodObject<S>) =>
  z
    .object({
      type: z.literal(type),
      timestamp: Timestamp.describe("When it happened"),
      subject: z.string().describe("What its order is kept for: `room:…`, `user:12`, `users:3-12`"),
      data: data.extend({ externalIds }),
    })
    .meta({ id: nameOf(type) });

const User = z.object({
  userId: UserId,
  username: z.string(),
  displayName: z.string().nullable(),
  fullName: z.string().nullable(),
  avatarUrl: z.string().nullable(),
  bio: z.string().nullable(),
  email: z.string().nullable(),
  role: z.enum(["user", "moderator", "admin"]),
  isVerified: z.boolean(),
  accountStatus: z.enum(["active", "not_active", "deleted"]),
  isBanned: z.boolean(),
  banReason: z.string().nullable(),
});

/** As DirectMessage, whose slice stands above this one: it asks this one before it accepts a message. */
const SentMessage = z.object({
  id: z.number().int(),
  senderId: UserId,
  receiverId: UserId,
  content: z.string(),
  createdAt: Timestamp,
});

const DeletedRoom = z.object({
  roomId: z.string(),
  courseId: z.string().nullable(),
  kind: z.enum(["group", "private", "course"]),
  name: z.string().nullable(),
});
const RoomFacts = DeletedRoom.extend({ ownerId: UserId.nullable() });
const Membership = RoomFacts.extend({ userId: UserId });
const DeletedMessage = z.object({
  roomId: z.string(),
  id: NewMessage.shape.id,
  messageId: NewMessage.shape.id,
  deletedBy: AuthorId.describe("null: by the system"),
  deletedAt: Timestamp,
});

const StartedStream = z.object({ streamId: StreamId, userId: UserId, title: z.string(), startTime: Timestamp });
const EndedStream = StartedStream.extend({
  endTime: Timestamp,
  reason: z.enum(["done", "owner", "lease", "too_long", "banned", "key_rotated", "admin"]).nullable(),
  peakViewers: z.number().int(),
  plays: z.number().int(),
});
const Recording = Vod.pick({ streamId: true, userId: true, title: true, duration: true, mimeType: true, size: true });

const FileFacts = FileInfo.pick({ name: true, folder: true, mimeType: true, size: true, visibility: true }).extend({
  fileId: z.string(),
  ownerId: UserId,
});

const ReportFacts = Report.pick({ reporterId: true, targetType: true, targetId: true, reason: true }).extend({
  reportId: z.number().int(),
});
const NewReport = ReportFacts.extend(Report.pick({ status: true, details: true }).shape);
const ClosedReport = ReportFacts.extend({
  status: Report.shape.status.exclude(["pending"]),
  result: Report.shape.result,
  resolvedBy: UserId.nullable(),
});

const StartedCall = Session.pick({ hostId: true, title: true, courseId: true }).extend({
  sessionId: Session.shape.id,
  startedAt: Timestamp,
});

export const WebhookEvent = z
  .discriminatedUnion("type", [
    event("user.registered", User),
    event("user.updated", User),
    event("user.banned", User),
    event("user.erased", User.pick({ userId: true, username: true })),
    event("user.online", z.object({ userId: UserId, at: Timestamp })),
    event("user.offline", z.object({ userId: UserId, lastSeen: Timestamp })),
    event("message.sent", SentMessage),
    event("room.created", RoomFacts),
    event("room.deleted", DeletedRoom),
    event("room.member_added", Membership),
    event("room.member_removed", Membership),
    event("room.message_sent", NewMessage),
    event("room.message_edited", NewMessage),
    event("room.message_deleted", DeletedMessage),
    event("course.message_sent", NewCourseMessage),
    event("stream.started", StartedStream),
    event("stream.ended", EndedStream),
    event("vod.created", Recording.extend({ vodId: Vod.shape.id })),
    event("file.created", FileFacts),
    event("file.deleted", FileFacts),
    event("report.created", NewReport),
    event("report.closed", ClosedReport),
    event("call.started", StartedCall),
    event("call.ended", StartedCall.extend({ endedAt: Timestamp })),
    event("webhook.test", z.object({ webhookId: z.number().int(), message: z.string() })),
  ])
  .meta({ id: "WebhookEvent" });
export type WebhookEvent = z.infer<typeof WebhookEvent>;

/** What is POSTed to an endpoint. */
export const WebhookCall = z
  .union([WebhookEvent, z.object({ events: z.array(WebhookEvent) })])
  .describe("`{events: […]}` where the endpoint has a `batchSize` above 1");

// ── Before a message ────────────────────────────────────────────────────────────────────────────────────────────────

/** One of them is named. */
const target = {
  roomId: z.string().optional(),
  courseId: z.string().optional(),
  streamId: StreamId.optional(),
  receiverId: UserId.optional().describe("Of a direct message"),
};

/** What is asked before a message, or an edit, is accepted. */
export const MessageQuestion = event(
  "message.before",
  z.object({
    ...target,
    kind: z.enum(["message", "edit"]),
    userId: UserId,
    username: z.string(),
    content: z.string(),
    messageId: z.string().optional().describe("Of an edit"),
    messageType: z.string().optional(),
    fileUrl: z.string().nullable().optional(),
    replyTo: z.string().nullable().optional(),
  }),
).meta({ id: "MessageQuestion" });
export type MessageQuestion = z.infer<typeof MessageQuestion>;
/** Where a message is to be. */
export type MessageTarget = Pick<MessageQuestion["data"], keyof typeof target>;

/** Several that came while one was asked about. */
export const MessageQuestions = z.union([MessageQuestion, z.object({ events: z.array(MessageQuestion).max(50) })]);

export const MessageAnswer = z
  .discriminatedUnion("action", [
    z.object({ action: z.literal("allow") }).meta({ id: "AllowMessage" }),
    z.object({ action: z.literal("refuse"), reason: userText(500).optional() }).meta({ id: "RefuseMessage" }),
    z.object({ action: z.literal("replace"), content: userText(5000) }).meta({ id: "ReplaceMessage" }),
  ])
  .meta({ id: "MessageAnswer" });
export type MessageAnswer = z.infer<typeof MessageAnswer>;

/** To several questions, in their order. */
export const MessageAnswerList = z.object({ answers: z.array(MessageAnswer) });
