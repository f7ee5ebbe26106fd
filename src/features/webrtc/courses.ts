/** Who may come into a course's session: who may join the course. */
export { mayJoinCourse } from "../courses/service.ts";
