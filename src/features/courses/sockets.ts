/** `GET /api/v1/chat/courses/:courseId/ws`: course chat natively (SPEC 6). */
import { joinCourse } from "../../chat/access.ts";
import { intoRoom } from "../../chat/client.ts";
import { AppError } from "../../errors.ts";
import { router } from "../../http/route.ts";
import { socket } from "../../http/sockets.ts";
import { CourseParam } from "./contract.ts";

export const courseSockets = router();

courseSockets.get(
  "/chat/courses/:courseId/ws",
  socket(async (ctx, c) => {
    const named = CourseParam.safeParse(c.req.param());
    if (!named.success) throw new AppError("NOT_FOUND");
    return intoRoom(ctx, await joinCourse(ctx, named.data.courseId));
  }),
);
