/**
 * Course chat (SPEC 6). Beyond SPEC, where it is silent:
 * `GET /chat/courses` and `GET /chat/courses/:courseId`; for moderators `PATCH` of a course's slow mode, `DELETE` of a
 * member, and mutes; over a native socket, whose path names the course, `courseId` may be left out.
 */
import { z } from "zod";
import {
  ClientMessageId,
  Cursor,
  CustomEvent,
  customEventIn,
  FileId,
  FileUrl,
  HistoryQuery,
  JoinPolicy,
  MessageId,
  Mute,
  MuteState,
  ReactionSummary,
  ReplyTo,
  SAYS_NOTHING,
  SearchQuery,
  SLOW_MODE_MAX_SECONDS,
  saysSomething,
  TextBesideFile,
} from "../../chat/contract.ts";

import { AuthorId, Timestamp, UserId, UserRef } from "../../realtime/protocol.ts";
import { userText } from "../../text.ts";

export { HistoryQuery, Mute, MuteState, SearchQuery };

const CourseId = userText(100).describe("Any text");
export const CourseParam = z.object({ courseId: CourseId });
export const CourseMessageParam = z.object({ messageId: MessageId });

/** `system` and `announcement` are for moderators. */
export const CourseMessageType = z.enum(["text", "file", "image", "system", "announcement"]);
export const TypeParam = CourseParam.extend({ type: CourseMessageType });

export const Course = z
  .object({
    courseId: z.string(),
    name: z.string().nullable(),
    joinPolicy: JoinPolicy.describe("open: any signed-in user; members: those who were added"),
    ownerId: UserId.nullable(),
    slowModeSeconds: z.number().int(),
    createdAt: Timestamp,
  })
  .meta({ id: "Course" });
export const CourseList = z.object({ courses: z.array(Course) });
export const AddCourseMember = z.object({ userId: UserRef });
export const CourseMemberParam = CourseParam.extend({ userId: UserRef });
export const SlowCourse = z.object({ slowModeSeconds: z.number().int().min(0).max(SLOW_MODE_MAX_SECONDS) });

export const MakeCourse = z.object({
  courseId: CourseId,
  name: userText(100),
  joinPolicy: JoinPolicy.default("open"),
});
export type MakeCourse = z.output<typeof MakeCourse>;

const messageFields = {
  message: TextBesideFile,
  messageType: CourseMessageType.default("text"),
  replyTo: ReplyTo,
  fileId: FileId,
  fileUrl: FileUrl,
  clientMessageId: ClientMessageId,
};
/** `{message, message_type?, reply_to?, file_url?}`. */
export const SendCourseMessage = z.object(messageFields).refine(saysSomething, SAYS_NOTHING);
export const EditCourseMessage = z.object({ message: userText(5000) });

const whichCourse = { courseId: CourseId.optional() };
const InCourse = z.object(whichCourse);

/** Client → server. */
export const CourseCommands = {
  "chat:join_room": InCourse,
  "chat:leave_room": InCourse,
  "chat:send_message": z.object({ ...whichCourse, ...messageFields }).refine(saysSomething, SAYS_NOTHING),
  "chat:edit_message": z.object({ ...whichCourse, messageId: MessageId, message: userText(5000) }),
  "chat:delete_message": z.object({ ...whichCourse, messageId: MessageId }),
  "chat:typing_start": InCourse,
  "chat:typing_stop": InCourse,
  "chat:get_online_users": InCourse,
  "chat:mute_member": Mute.extend({ userId: UserRef }),
  "chat:unmute_member": z.object({ userId: UserRef }),
  event: CustomEvent.extend(whichCourse),
};

const newMessage = {
  id: MessageId,
  courseId: z.string(),
  seq: z.number().int(),
  userId: AuthorId,
  userName: z.string(),
  avatarUrl: z.string().nullable(),
  message: z.string(),
  messageType: CourseMessageType,
  fileUrl: z.string().nullable(),
  replyTo: MessageId.nullable(),
  createdAt: Timestamp,
};
export const NewCourseMessage = z.object({
  ...newMessage,
  editedAt: Timestamp.optional(),
  isDeleted: z.literal(true).optional(),
});

/** A message as it is now. */
export const CourseMessage = z
  .object({ ...newMessage, editedAt: Timestamp.nullable(), reactions: z.array(ReactionSummary) })
  .meta({ id: "CourseMessage" });
export type CourseMessage = z.infer<typeof CourseMessage>;
export const CourseMessageList = z.object({ messages: z.array(CourseMessage), nextCursor: Cursor });

export const CourseStatistics = z
  .object({
    totalMessages: z.number().int(),
    activeUsers: z.number().int().describe("People who wrote a message that is still there"),
    messagesByType: z.record(z.string(), z.number().int()),
    topSenders: z.array(z.object({ userId: UserId, userName: z.string(), count: z.number().int() })).describe("Ten"),
    messagesPerDay: z
      .array(z.object({ date: z.iso.date(), count: z.number().int() }))
      .describe("The last 30 days that had a message, oldest first"),
  })
  .meta({ id: "CourseStatistics" });

const OnlineUser = z.object({ userId: UserId, userName: z.string(), avatarUrl: z.string().nullable() });

/** Server → client. The first three, and an event that is kept, are durable: they carry `seq`, and `since` replays them. */
export const CourseFrames = {
  "chat:new_message": NewCourseMessage,
  "chat:message_updated": NewCourseMessage.extend({ messageId: MessageId, editedAt: Timestamp }),
  "chat:message_deleted": z.object({
    id: MessageId,
    messageId: MessageId,
    courseId: z.string(),
    deletedBy: AuthorId,
    deletedAt: Timestamp,
  }),
  "chat:user_joined": OnlineUser.extend({ courseId: z.string() }),
  "chat:user_left": OnlineUser.extend({ courseId: z.string() }),
  "chat:user_typing": z.object({ courseId: z.string(), userId: UserId, userName: z.string(), isTyping: z.boolean() }),
  "chat:online_users": z.object({
    courseId: z.string(),
    users: z.array(OnlineUser).describe("At most 100"),
    count: z.number().int().describe("How many people are here"),
  }),
  /** A crowd's joins and leaves, gathered: at most once a second. */
  "chat:presence": z.object({
    courseId: z.string(),
    count: z.number().int(),
    joined: z.array(OnlineUser).describe("At most 20 of those who came"),
    left: z.array(UserId).describe("At most 20 of those who went"),
  }),
  event: customEventIn(z.string().describe("The `courseId`")),
  "chat:error": z.object({ code: z.string(), message: z.string() }),
};
