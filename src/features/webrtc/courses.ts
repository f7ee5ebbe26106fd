/** Who may come into a course's session. */
import type { UserCtx } from "../../context.ts";

/** There are no courses yet, so nobody may. */
export async function mayJoinCourse(_ctx: UserCtx, _courseId: string): Promise<boolean> {
  return false;
}
