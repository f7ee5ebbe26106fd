/** Whether an account may act, as a condition: what a long call does in the end is checked then, not only when it began. */
import { type SQL, sql } from "drizzle-orm";

/** There is such an account, it is active, and not banned. */
export const isInGoodStanding = (userId: number | SQL): SQL<number> =>
  sql<number>`EXISTS (SELECT 1 FROM users acting WHERE acting.id = ${userId}
    AND acting.account_status = 'active' AND acting.banned_at IS NULL)`;
