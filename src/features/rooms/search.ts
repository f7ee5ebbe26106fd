/**
 * Search and statistics of a room, filled in batches: by the room's alarm, and by whoever asks, so that an answer is always
 * complete. On the way of a message there is no index to write.
 *
 * Messages are indexed in blocks of BLOCK neighbours, since every row of an index is a row written and billed. The index
 * holds three-letter pieces, without text, positions or sizes. It only finds blocks to look into: whether a message matches
 * is decided on its text, so that no character of a search is special. What a block has is always what its messages say
 * now; the newest messages, which do not fill a block yet, are looked through.
 */
export const SEARCH_SCHEMA = `
  CREATE VIRTUAL TABLE search USING fts5(content, content='', columnsize=0, detail=none, tokenize='trigram');
  CREATE TABLE counts (
    day TEXT NOT NULL, user_id INTEGER NOT NULL, type TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (day, user_id, type)
  ) WITHOUT ROWID;
`;

/** The longest messages, inert, fill a third of the 2 MB that the platform takes as one text. */
const BLOCK = 32;
/** Blocks of one batch: some 20 ms. */
const BATCH_BLOCKS = 32;
/** How long a full block may wait for the index, unless somebody searches. */
const INDEX_AFTER_MS = 300_000;
/** Pieces of a word that are looked up; the text decides in the end. */
const PIECES_PER_WORD = 8;

/** The user id under which erased people's messages are counted. */
const NOBODY = 0;

type Candidate = { seq: number; content: string };

const IS_THERE = "kind = 'message' AND deleted_at IS NULL";
/** Day, author and type of a message. */
const COUNTED = `strftime('%Y-%m-%d', at / 1000, 'unixepoch'), ifnull(user_id, ${NOBODY}), type`;

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

  /** When the alarm should index, ms; null when no block is full. */
  due(): number | null {
    const [full] = this.#sql.exec<{ at: number }>("SELECT at FROM log WHERE seq = ?", this.#indexed + BLOCK).toArray();
    return full ? full.at + INDEX_AFTER_MS : null;
  }

  /** Indexes a batch of full blocks. Answers whether more wait. */
  indexBatch(): boolean {
    const from = this.#indexed;
    const [newest] = this.#sql.exec<{ seq: number | null }>("SELECT max(seq) AS seq FROM log").toArray();
    const full = Math.floor(((newest?.seq ?? 0) - from) / BLOCK);
    const until = from + Math.min(full, BATCH_BLOCKS) * BLOCK;
    if (until === from) return false;
    this.#sql.exec(
      `INSERT INTO search (rowid, content) SELECT (seq - 1) / ${BLOCK}, group_concat(content, char(10))
       FROM log WHERE ${IS_THERE} AND seq > ? AND seq <= ? GROUP BY 1`,
      from,
      until,
    );
    this.#sql.exec(
      `INSERT INTO counts (day, user_id, type, count) SELECT ${COUNTED}, count(*)
       FROM log WHERE ${IS_THERE} AND seq > ? AND seq <= ? GROUP BY 1, 2, 3
       ON CONFLICT (day, user_id, type) DO UPDATE SET count = count + excluded.count`,
      from,
      until,
    );
    this.#sql.exec("UPDATE state SET indexed_seq = ?", until);
    this.#indexed = until;
    return full > BATCH_BLOCKS;
  }

  #catchUp(): void {
    while (this.indexBatch());
  }

  /** Makes a change of this message's text, and keeps the index in step with it. */
  follow<T>(seq: number, change: () => T): T {
    if (seq > this.#indexed) return change();
    const block = Math.floor((seq - 1) / BLOCK);
    // An index without text must be told which text to take out (SQLite docs, FTS5 4.4.3).
    const before = this.#textOf(block);
    const result = change();
    const after = this.#textOf(block);
    this.#sql.exec("INSERT INTO search (search, rowid, content) VALUES ('delete', ?, ?)", block, before);
    if (after !== null) this.#sql.exec("INSERT INTO search (rowid, content) VALUES (?, ?)", block, after);
    return result;
  }

  /** What the messages of a block say; null when none is left. */
  #textOf(block: number): string | null {
    return this.#sql
      .exec<{ text: string | null }>(
        `SELECT group_concat(content, char(10)) AS text FROM log WHERE ${IS_THERE} AND seq > ? AND seq <= ?`,
        block * BLOCK,
        (block + 1) * BLOCK,
      )
      .one().text;
  }

  /** A message that was counted is deleted. */
  uncount(message: { seq: number; at: number; userId: number | null; type: string }): void {
    if (message.seq > this.#indexed) return;
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

  /** The seqs of messages that contain every word of `text`, whatever the case, newest first. */
  find(text: string, { before, after, limit }: { before?: number; after?: number; limit: number }): number[] {
    this.#catchUp();
    const words = text.split(/\s+/).filter(Boolean);
    const lowered = words.map((word) => word.toLowerCase());
    const found: number[] = [];
    for (const { seq, content } of this.#candidates(words, before ?? Number.MAX_SAFE_INTEGER, after ?? 0)) {
      const lower = content.toLowerCase();
      if (!lowered.every((word) => lower.includes(word))) continue;
      found.push(seq);
      if (found.length === limit) break;
    }
    return found;
  }

  *#candidates(words: string[], before: number, after: number): Generator<Candidate> {
    const pieces = words.flatMap(piecesOf);
    // Nothing of three letters to look up: every message is a candidate.
    if (pieces.length === 0) return yield* this.#between(after, before);
    yield* this.#between(Math.max(after, this.#indexed), before);
    const blocks = this.#sql.exec<{ block: number }>(
      "SELECT rowid AS block FROM search WHERE search MATCH ? AND rowid <= ? AND rowid >= ? ORDER BY rowid DESC",
      pieces.map(quoted).join(" AND "),
      Math.floor((before - 2) / BLOCK),
      Math.floor(after / BLOCK),
    );
    for (const { block } of blocks) {
      yield* this.#between(Math.max(after, block * BLOCK), Math.min(before, (block + 1) * BLOCK + 1));
    }
  }

  /** The messages between two positions, both left out, newest first. */
  #between(after: number, before: number): Iterable<Candidate> {
    const query = `SELECT seq, content FROM log WHERE ${IS_THERE} AND seq > ? AND seq < ? ORDER BY seq DESC`;
    return this.#sql.exec<Candidate>(query, after, before);
  }

  /** Of all messages that are there now. Top senders: 10. Days: the last 30 that had a message, oldest first. */
  statistics(): Statistics {
    this.#catchUp();
    const rows = <T extends Record<string, SqlStorageValue>>(query: string): T[] =>
      this.#sql
        .exec<T>(
          `WITH counted (day, user_id, type, count) AS (
             SELECT day, user_id, type, count FROM counts
             UNION ALL SELECT ${COUNTED}, 1 FROM log WHERE ${IS_THERE} AND seq > ?
           ) ${query}`,
          this.#indexed,
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

/** The first few three-letter pieces of a word. The index folds their case as it folded that of the messages. */
function piecesOf(word: string): string[] {
  const letters = [...word];
  const pieces = letters.slice(0, -2).map((letter, at) => `${letter}${letters[at + 1]}${letters[at + 2]}`);
  return pieces.slice(0, PIECES_PER_WORD);
}

/** A string of the index's query language: in it, only the quote has a meaning (SQLite docs, FTS5 3.1). */
const quoted = (piece: string): string => `"${piece.replaceAll('"', '""')}"`;
