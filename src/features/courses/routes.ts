/** Course chat over HTTP (SPEC 6). */
import { Done, done } from "../../http/answers.ts";
import { route, router } from "../../http/route.ts";
import {
  AddCourseMember,
  Course,
  CourseList,
  CourseMemberParam,
  CourseMessageList,
  CourseMessageParam,
  CourseParam,
  CourseStatistics,
  EditCourseMessage,
  HistoryQuery,
  MakeCourse,
  Mute,
  MuteState,
  NewCourseMessage,
  SearchQuery,
  SendCourseMessage,
  SlowCourse,
  TypeParam,
} from "./contract.ts";
import {
  addCourseMember,
  deleteCourseMessage,
  editCourseMessage,
  listCourses,
  makeCourse,
  muteInCourse,
  readCourse,
  readCourseMessages,
  readCourseStatistics,
  removeCourseMember,
  sendCourseMessage,
  slowCourse,
} from "./service.ts";

export const courseRoutes = router()
  .openapi(
    route("post", "/chat/courses", {
      who: "moderator",
      summary: "Make a course room, or adopt one that was made by its first use",
      body: MakeCourse,
      answers: { 201: Course },
    }),
    async (c) => c.json(await makeCourse(c.var.ctx, c.req.valid("json")), 201),
  )
  .openapi(
    route("get", "/chat/courses", {
      who: "user",
      summary: "Courses that I may join",
      answers: { 200: CourseList },
    }),
    async (c) => c.json(await listCourses(c.var.ctx), 200),
  )
  .openapi(
    route("get", "/chat/courses/{courseId}", {
      who: "user",
      summary: "A course",
      params: CourseParam,
      answers: { 200: Course },
    }),
    async (c) => c.json(await readCourse(c.var.ctx, c.req.valid("param").courseId), 200),
  )
  .openapi(
    route("patch", "/chat/courses/{courseId}", {
      who: "moderator",
      summary: "Set the slow mode",
      params: CourseParam,
      body: SlowCourse,
      answers: { 200: Course },
    }),
    async (c) => {
      const { slowModeSeconds } = c.req.valid("json");
      return c.json(await slowCourse(c.var.ctx, c.req.valid("param").courseId, slowModeSeconds), 200);
    },
  )
  .openapi(
    route("post", "/chat/courses/{courseId}/members", {
      who: "moderator",
      summary: "Let somebody in",
      params: CourseParam,
      body: AddCourseMember,
      answers: { 201: Done, 200: Done },
    }),
    async (c) => {
      const { isNew } = await addCourseMember(c.var.ctx, c.req.valid("param").courseId, c.req.valid("json").userId);
      return isNew ? c.json(done("Member added"), 201) : c.json(done("Already a member"), 200);
    },
  )
  .openapi(
    route("delete", "/chat/courses/{courseId}/members/{userId}", {
      who: "moderator",
      summary: "Remove a member",
      params: CourseMemberParam,
      answers: { 200: Done },
    }),
    async (c) => {
      const { courseId, userId } = c.req.valid("param");
      await removeCourseMember(c.var.ctx, courseId, userId);
      return c.json(done("Member removed"), 200);
    },
  )
  .openapi(
    route("post", "/chat/courses/{courseId}/members/{userId}/mute", {
      who: "user",
      summary: "Mute somebody for a while",
      description: "Moderators, and who made the course.",
      params: CourseMemberParam,
      body: Mute,
      answers: { 200: MuteState },
    }),
    async (c) => {
      const { courseId, userId } = c.req.valid("param");
      return c.json(await muteInCourse(c.var.ctx, courseId, userId, c.req.valid("json").seconds), 200);
    },
  )
  .openapi(
    route("delete", "/chat/courses/{courseId}/members/{userId}/mute", {
      who: "user",
      summary: "Unmute",
      params: CourseMemberParam,
      answers: { 200: MuteState },
    }),
    async (c) => {
      const { courseId, userId } = c.req.valid("param");
      return c.json(await muteInCourse(c.var.ctx, courseId, userId, null), 200);
    },
  )
  .openapi(
    route("get", "/chat/courses/{courseId}/messages", {
      who: "user",
      summary: "What was said, newest first",
      params: CourseParam,
      query: HistoryQuery,
      answers: { 200: CourseMessageList },
    }),
    async (c) => c.json(await readCourseMessages(c.var.ctx, c.req.valid("param").courseId, c.req.valid("query")), 200),
  )
  .openapi(
    route("post", "/chat/courses/{courseId}/messages", {
      who: "user",
      summary: "Send",
      description: "A course that does not exist is made, where AUTO_CREATE has courses.",
      params: CourseParam,
      body: SendCourseMessage,
      answers: { 201: NewCourseMessage },
    }),
    async (c) => c.json(await sendCourseMessage(c.var.ctx, c.req.valid("param").courseId, await c.req.json()), 201),
  )
  .openapi(
    route("get", "/chat/courses/{courseId}/messages/search", {
      who: "user",
      budget: "searches",
      summary: "Search, newest first",
      params: CourseParam,
      query: SearchQuery,
      answers: { 200: CourseMessageList },
    }),
    async (c) => c.json(await readCourseMessages(c.var.ctx, c.req.valid("param").courseId, c.req.valid("query")), 200),
  )
  .openapi(
    route("get", "/chat/courses/{courseId}/messages/type/{type}", {
      who: "user",
      budget: "searches",
      summary: "Messages of one type, newest first",
      params: TypeParam,
      query: HistoryQuery,
      answers: { 200: CourseMessageList },
    }),
    async (c) => {
      const { courseId, type } = c.req.valid("param");
      return c.json(await readCourseMessages(c.var.ctx, courseId, { ...c.req.valid("query"), type }), 200);
    },
  )
  .openapi(
    route("get", "/chat/courses/{courseId}/statistics", {
      who: "user",
      budget: "searches",
      summary: "Figures of what was said",
      params: CourseParam,
      answers: { 200: CourseStatistics },
    }),
    async (c) => c.json(await readCourseStatistics(c.var.ctx, c.req.valid("param").courseId), 200),
  )
  .openapi(
    route("put", "/chat/messages/{messageId}", {
      who: "user",
      summary: "Edit my message",
      params: CourseMessageParam,
      body: EditCourseMessage,
      answers: { 200: NewCourseMessage },
    }),
    async (c) => {
      const { messageId } = c.req.valid("param");
      return c.json(await editCourseMessage(c.var.ctx, messageId, await c.req.json()), 200);
    },
  )
  .openapi(
    route("delete", "/chat/messages/{messageId}", {
      who: "user",
      summary: "Delete",
      description: "My own; moderators, and who made the course, delete others'.",
      params: CourseMessageParam,
      answers: { 200: Done },
    }),
    async (c) => {
      await deleteCourseMessage(c.var.ctx, c.req.valid("param").messageId);
      return c.json(done("Message deleted"), 200);
    },
  );
