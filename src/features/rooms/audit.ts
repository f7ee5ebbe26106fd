/** What the audit keeps of what moderators do in rooms of others. A backend's deeds are recorded by the server API. */
import { type SQL, sql } from "drizzle-orm";
import { recordEach } from "../../auth/audit.ts";
import type { ServerCtx, UserCtx } from "../../context.ts";
import { jsonObject } from "../../db/json.ts";

type Deed = {
  /** A condition on `r`, the room as it is before; it does not hold for who acts as its owner. */
  which: SQL;
  details: Record<string, SQL | string | number>;
};

/** The statement that records it, for the batch of the deed. */
export const recordRoom = (
  ctx: UserCtx | ServerCtx,
  action: "create" | "update" | "add_member" | "remove_member",
  { which, details }: Deed,
) =>
  recordEach(ctx, {
    action,
    targetType: "room",
    id: sql`coalesce(r.chosen_id, r.id)`,
    from: sql`rooms r WHERE ${ctx.actor.kind === "user" ? which : sql`0`}`,
    details: jsonObject({ kind: sql`r.kind`, courseId: sql`r.course_id`, ...details }),
  });
