/** Whether an account may act, as a condition: what a long call does in the end is checked then, not only when it began. */
import { type SQL, type SQLWrapper, sql } from "drizzle-orm";

/** There is such an account, it is active, and not banned. */
export const isInGoodStanding = (userId: number | SQLWrapper): SQL<number> =>
  sql<number>`EXISTS (SELECT 1 FROM users acting WHERE acting.id = ${userId}
    AND acting.account_status = 'active' AND acting.banned_at IS NULL)`;

/** There is such an account, and it is active. A ban stops a person, not what they published. */
export const isOpenAccount = (userId: number | SQLWrapper): SQL<number> =>
  sql<number>`EXISTS (SELECT 1 FROM users keeper WHERE keeper.id = ${userId} AND keeper.account_status = 'active')`;
