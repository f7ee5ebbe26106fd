/** Figures of what was said: indexed messages are counted by day, author and type, the newest ones when somebody asks. */

/** The user id under which erased people's messages are counted. No account has it. */
const NOBODY = 0;

/** Day, author and type of a message. */
const KEY = `strftime('%Y-%m-%d', at / 1000, 'unixepoch'), ifnull(user_id, ${NOBODY}), type`;
const IS_THERE = "kind = 'message' AND deleted_at IS NULL";

/** What a message is counted by. */
export type Counted = { at: number; userId: number | null; type: string };

export type Figures = {
  totalMessages: number;
  activeUsers: number;
  messagesByType: Record<string, number>;
  topSenders: { userId: number; userName: string; count: number }[];
  messagesPerDay: { date: string; count: number }[];
};

export class Statistics {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Counts the messages after `from`, up to `until`. */
  count(from: number, until: number): void {
    this.#sql.exec(
      `INSERT INTO counts (day, user_id, type, count) SELECT ${KEY}, count(*)
       FROM log WHERE ${IS_THERE} AND seq > ? AND seq <= ? GROUP BY 1, 2, 3
       ON CONFLICT (day, user_id, type) DO UPDATE SET count = count + excluded.count`,
      from,
      until,
    );
  }

  /** A message that was counted is deleted. */
  uncount(message: Counted): void {
    this.#sql.exec(
      `UPDATE counts SET count = count - 1
       WHERE day = strftime('%Y-%m-%d', ? / 1000, 'unixepoch') AND user_id = ? AND type = ?`,
      message.at,
      message.userId ?? NOBODY,
      message.type,
    );
  }

  /** What this user wrote counts as nobody's. */
  anonymise(userId: number): void {
    this.#sql.exec(
      `INSERT INTO counts (day, user_id, type, count) SELECT day, ${NOBODY}, type, count FROM counts WHERE user_id = ?
       ON CONFLICT (day, user_id, type) DO UPDATE SET count = count + excluded.count`,
      userId,
    );
    this.#sql.exec("DELETE FROM counts WHERE user_id = ?", userId);
  }

  /**
   * Of all messages that are there now; `counted`: the seq up to which they were counted. Top senders: 10. Days: the last
   * 30 that had a message, oldest first.
   */
  figures(counted: number): Figures {
    const rows = <T extends Record<string, SqlStorageValue>>(query: string): T[] =>
      this.#sql
        .exec<T>(
          `WITH counted (day, user_id, type, count) AS (
             SELECT day, user_id, type, count FROM counts
             UNION ALL SELECT ${KEY}, 1 FROM log WHERE ${IS_THERE} AND seq > ?
           ) ${query}`,
          counted,
        )
        .toArray();
    const byType = rows<{ type: string; count: number }>(
      "SELECT type, sum(count) AS count FROM counted GROUP BY type HAVING sum(count) > 0 ORDER BY type",
    );
    const [active] = rows<{ users: number }>(
      `SELECT count(*) AS users FROM (
         SELECT 1 FROM counted WHERE user_id <> ${NOBODY} GROUP BY user_id HAVING sum(count) > 0)`,
    );
    return {
      totalMessages: byType.reduce((sum, { count }) => sum + count, 0),
      activeUsers: active?.users ?? 0,
      messagesByType: Object.fromEntries(byType.map(({ type, count }) => [type, count])),
      topSenders: rows<{ userId: number; userName: string; count: number }>(
        `SELECT c.user_id AS userId, ifnull(p.username, '') AS userName, sum(c.count) AS count
         FROM counted c LEFT JOIN people p ON p.user_id = c.user_id WHERE c.user_id <> ${NOBODY}
         GROUP BY c.user_id HAVING sum(c.count) > 0 ORDER BY 3 DESC, 1 LIMIT 10`,
      ),
      messagesPerDay: rows<{ date: string; count: number }>(
        `SELECT day AS date, sum(count) AS count FROM counted GROUP BY day HAVING sum(count) > 0 ORDER BY day DESC LIMIT 30`,
      ).reverse(),
    };
  }
}
