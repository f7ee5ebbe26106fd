/**
 * Search and statistics of a room, filled in batches: by the room's alarm, and by a search itself, which is therefore
 * always complete. On the way of a message there is no index to write.
 *
 * The index holds three-letter pieces without text, positions or sizes, which makes a batch a few rows written whatever
 * its length. It only finds candidates: whether a message matches is decided on its text, so that no character of a
 * search is special. Every message that is there with a seq up to `indexed_seq` is in the index as it is now.
 */
export const SEARCH_SCHEMA = `
  CREATE VIRTUAL TABLE search USING fts5(content, content='', columnsize=0, detail=none, tokenize='trigram');
  CREATE TABLE counts (
    day TEXT NOT NULL, user_id INTEGER NOT NULL, type TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (day, user_id, type)
  ) WITHOUT ROWID;
`;

/** Messages of one batch; one takes some 20 ms. */
const BATCH = 1000;
/** How long a message may wait for the index, unless somebody searches. */
const INDEX_AFTER_MS = 300_000;
/** Pieces of a word that are looked up; the text decides in the end. */
const PIECES_PER_WORD = 8;

/** The user id under which erased people's messages are counted. */
const NOBODY = 0;

export type Statistics = {
  totalMessages: number;
  activeUsers: number;
  messagesByType: Record<string, number>;
  topSenders: { userId: number; userName: string; count: number }[];
  messagesPerDay: { date: string; count: number }[];
};

export class RoomSearch {
  readonly #sql: SqlStorage;
  #indexed: number;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#indexed = sql.exec<{ seq: number }>("SELECT indexed_seq AS seq FROM state").one().seq;
  }

  /** When the alarm should index, ms; null when nothing waits. */
  due(): number | null {
    const [waiting] = this.#sql.exec<{ at: number }>("SELECT at FROM log WHERE seq = ?", this.#indexed + 1);
    return waiting ? waiting.at + INDEX_AFTER_MS : null;
  }

  /** Indexes one batch of what waits. Answers whether more waits. */
  indexBatch(): boolean {
    const from = this.#indexed;
    const [edge] = this.#sql.exec<{ seq: number | null }>("SELECT max(seq) AS seq FROM log");
    const until = Math.min(from + BATCH, edge?.seq ?? 0);
    if (until <= from) return false;
    const fresh = "kind = 'message' AND deleted_at IS NULL AND seq > ? AND seq <= ?";
    this.#sql.exec(
      `INSERT INTO search (rowid, content) SELECT seq, content FROM log WHERE ${fresh} ORDER BY seq`,
      from,
      until,
    );
    this.#sql.exec(
      `INSERT INTO counts (day, user_id, type, count)
       SELECT strftime('%Y-%m-%d', at / 1000, 'unixepoch'), ifnull(user_id, ${NOBODY}), type, count(*)
       FROM log WHERE ${fresh} GROUP BY 1, 2, 3
       ON CONFLICT (day, user_id, type) DO UPDATE SET count = count + excluded.count`,
      from,
      until,
    );
    this.#sql.exec("UPDATE state SET indexed_seq = ?", until);
    this.#indexed = until;
    return until < (edge?.seq ?? 0);
  }

  #catchUp(): void {
    while (this.indexBatch());
  }

  /** A message changes its text. Call it before the log changes. */
  replace(seq: number, before: string, after: string): void {
    if (seq > this.#indexed) return;
    this.#forget(seq, before);
    this.#sql.exec("INSERT INTO search (rowid, content) VALUES (?, ?)", seq, after);
  }

  /** A message goes. Call it before the log changes. */
  remove(message: { seq: number; at: number; userId: number | null; type: string; content: string }): void {
    if (message.seq > this.#indexed) return;
    this.#forget(message.seq, message.content);
    this.#sql.exec(
      `UPDATE counts SET count = count - 1
       WHERE day = strftime('%Y-%m-%d', ? / 1000, 'unixepoch') AND user_id = ? AND type = ?`,
      message.at,
      message.userId ?? NOBODY,
      message.type,
    );
  }

  /** An index without text must be told which text to take out (SQLite docs, FTS5 4.4.3). */
  #forget(seq: number, content: string): void {
    this.#sql.exec("INSERT INTO search (search, rowid, content) VALUES ('delete', ?, ?)", seq, content);
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

  /** The seqs of messages that contain every word of `text`, whatever the case, newest first. */
  find(text: string, { before, after, limit }: { before?: number; after?: number; limit: number }): number[] {
    this.#catchUp();
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const found: number[] = [];
    for (const { seq, content } of this.#candidates(words, before ?? Number.MAX_SAFE_INTEGER, after ?? 0)) {
      const lower = content.toLowerCase();
      if (!words.every((word) => lower.includes(word))) continue;
      found.push(seq);
      if (found.length === limit) break;
    }
    return found;
  }

  #candidates(words: string[], before: number, after: number): Iterable<{ seq: number; content: string }> {
    const pieces = words.flatMap(piecesOf);
    // Nothing of three letters to look up: every message is a candidate.
    if (pieces.length === 0) {
      return this.#sql.exec<{ seq: number; content: string }>(
        `SELECT seq, content FROM log WHERE kind = 'message' AND deleted_at IS NULL AND seq < ? AND seq > ?
         ORDER BY seq DESC`,
        before,
        after,
      );
    }
    return this.#sql.exec<{ seq: number; content: string }>(
      `SELECT l.seq, l.content FROM search s JOIN log l ON l.seq = s.rowid
       WHERE s.search MATCH ? AND s.rowid < ? AND s.rowid > ? AND l.deleted_at IS NULL ORDER BY s.rowid DESC`,
      pieces.map(quoted).join(" AND "),
      before,
      after,
    );
  }

  /** Of all messages that are there now. Top senders: 10. Days: the last 30 that had a message, oldest first. */
  statistics(): Statistics {
    this.#catchUp();
    const rows = <T extends Record<string, SqlStorageValue>>(query: string): T[] => this.#sql.exec<T>(query).toArray();
    const byType = rows<{ type: string; count: number }>(
      "SELECT type, sum(count) AS count FROM counts GROUP BY type HAVING sum(count) > 0 ORDER BY type",
    );
    const [active] = rows<{ users: number }>(
      `SELECT count(*) AS users FROM (SELECT 1 FROM counts WHERE user_id <> ${NOBODY} GROUP BY user_id HAVING sum(count) > 0)`,
    );
    return {
      totalMessages: byType.reduce((sum, { count }) => sum + count, 0),
      activeUsers: active?.users ?? 0,
      messagesByType: Object.fromEntries(byType.map(({ type, count }) => [type, count])),
      topSenders: rows<{ userId: number; userName: string; count: number }>(
        `SELECT c.user_id AS userId, ifnull(p.username, '') AS userName, sum(c.count) AS count
         FROM counts c LEFT JOIN people p ON p.user_id = c.user_id WHERE c.user_id <> ${NOBODY}
         GROUP BY c.user_id HAVING sum(c.count) > 0 ORDER BY 3 DESC, 1 LIMIT 10`,
      ),
      messagesPerDay: rows<{ date: string; count: number }>(
        `SELECT day AS date, sum(count) AS count FROM counts GROUP BY day HAVING sum(count) > 0 ORDER BY day DESC LIMIT 30`,
      ).reverse(),
    };
  }
}

/** The first few three-letter pieces of a word, as the index has them. */
function piecesOf(word: string): string[] {
  const letters = [...word];
  const pieces = letters.slice(0, -2).map((letter, at) => `${letter}${letters[at + 1]}${letters[at + 2]}`);
  return pieces.slice(0, PIECES_PER_WORD);
}

/** A string of the index's query language: in it, only the quote has a meaning (SQLite docs, FTS5 3.1). */
const quoted = (piece: string): string => `"${piece.replaceAll('"', '""')}"`;
