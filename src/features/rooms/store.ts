/**
 * A room's own SQLite. The log is the truth: `seq` is its key, a message is one row written, and edits, deletions and
 * reactions take a row each and change what they are about. Nothing is ever trimmed.
 */
import { migrate } from "../../realtime/migrations.ts";
import { SEARCH_SCHEMA } from "./search.ts";

const SCHEMA = [
  // nr: how many messages the log had by this row, so that what lies between two positions is a subtraction.
  // target: what an edit, deletion or reaction is about; of a message, what it replies to.
  `CREATE TABLE log (
     seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, nr INTEGER NOT NULL, user_id INTEGER, target INTEGER,
     type TEXT, content TEXT, file_url TEXT, client_id TEXT, edited_at INTEGER, deleted_at INTEGER,
     action TEXT, count INTEGER
   );
   CREATE UNIQUE INDEX log_once ON log (user_id, client_id) WHERE client_id IS NOT NULL;
   CREATE INDEX log_rare ON log (type, seq) WHERE type <> 'text';
   CREATE INDEX log_deletions ON log (target) WHERE kind = 'deletion';
   CREATE TABLE people (
     user_id INTEGER PRIMARY KEY, username TEXT NOT NULL, avatar_url TEXT, is_recorded INTEGER NOT NULL DEFAULT 0
   );
   CREATE TABLE reactions (
     message INTEGER NOT NULL, emoji TEXT NOT NULL, user_id INTEGER NOT NULL, PRIMARY KEY (message, emoji, user_id)
   ) WITHOUT ROWID;
   CREATE TABLE mutes (user_id INTEGER PRIMARY KEY, until INTEGER NOT NULL);
   CREATE TABLE departed (user_id INTEGER PRIMARY KEY, version INTEGER NOT NULL);
   CREATE TABLE state (
     epoch TEXT NOT NULL, facts TEXT, synced_seq INTEGER NOT NULL DEFAULT 0, indexed_seq INTEGER NOT NULL DEFAULT 0,
     closed_at INTEGER
   );`,
  SEARCH_SCHEMA,
];

/** A message as it is now. `userId` null: its author was erased. */
export type Entry = {
  seq: number;
  at: number;
  userId: number | null;
  username: string | null;
  avatarUrl: string | null;
  type: string;
  content: string;
  fileUrl: string | null;
  replyTo: number | null;
  editedAt: number | null;
  deletedAt: number | null;
};

/** One row of the log as it is replayed. */
export type Logged =
  | { kind: "message"; seq: number; entry: Entry }
  | { kind: "edit"; seq: number; entry: Entry }
  | { kind: "deletion"; seq: number; at: number; userId: number | null; target: number }
  | {
      kind: "reaction";
      seq: number;
      userId: number | null;
      target: number;
      emoji: string;
      action: Action;
      count: number;
    };
export type Action = "added" | "removed";

export type Draft = { type: string; content: string; fileUrl: string | null; replyTo: number | null };
export type Author = { userId: number; username: string; avatarUrl: string | null };

type EntryRow = {
  seq: number;
  at: number;
  user_id: number | null;
  username: string | null;
  avatar_url: string | null;
  type: string;
  content: string;
  file_url: string | null;
  target: number | null;
  edited_at: number | null;
  deleted_at: number | null;
};
type LogRow = EntryRow & { kind: string; action: string | null; count: number | null };

const COLUMNS = `l.seq, l.at, l.kind, l.user_id, p.username, p.avatar_url, l.type, l.content, l.file_url, l.target,
  l.edited_at, l.deleted_at, l.action, l.count`;
const FROM = "FROM log l LEFT JOIN people p ON p.user_id = l.user_id";

const toEntry = (row: EntryRow): Entry => ({
  seq: row.seq,
  at: row.at,
  userId: row.user_id,
  username: row.username,
  avatarUrl: row.avatar_url,
  type: row.type,
  content: row.content,
  fileUrl: row.file_url,
  replyTo: row.target,
  editedAt: row.edited_at,
  deletedAt: row.deleted_at,
});

export class RoomStore {
  readonly sql: SqlStorage;
  readonly epoch: string;
  #head: number;
  #count: number;
  /** People whose row is known to be right. */
  readonly #known = new Map<number, Author>();

  constructor(storage: DurableObjectStorage) {
    migrate(storage, SCHEMA);
    this.sql = storage.sql;
    const [newest] = this.sql.exec<{ seq: number; nr: number }>("SELECT seq, nr FROM log ORDER BY seq DESC LIMIT 1");
    this.#head = newest?.seq ?? 0;
    this.#count = newest?.nr ?? 0;
    const [state] = this.sql.exec<{ epoch: string }>("SELECT epoch FROM state");
    this.epoch = state?.epoch ?? crypto.randomUUID().slice(0, 13);
    if (!state) this.sql.exec("INSERT INTO state (epoch) VALUES (?)", this.epoch);
  }

  /** The newest seq; 0 when nothing was ever logged. */
  get head(): number {
    return this.#head;
  }

  /** How many messages were ever sent, deleted ones among them. */
  get messageCount(): number {
    return this.#count;
  }

  /** Notes how an author is shown: a row written when they come or change, none otherwise. */
  know({ userId, username, avatarUrl }: Author): void {
    const known = this.#known.get(userId) ?? this.#readAuthor(userId);
    if (known?.username !== username || known.avatarUrl !== avatarUrl) {
      this.sql.exec(
        `INSERT INTO people (user_id, username, avatar_url) VALUES (?, ?, ?)
         ON CONFLICT (user_id) DO UPDATE SET username = excluded.username, avatar_url = excluded.avatar_url`,
        userId,
        username,
        avatarUrl,
      );
    }
    this.#known.set(userId, { userId, username, avatarUrl });
  }

  #readAuthor(userId: number): Author | undefined {
    const [row] = this.sql.exec<{ username: string; avatar_url: string | null }>(
      "SELECT username, avatar_url FROM people WHERE user_id = ?",
      userId,
    );
    return row && { userId, username: row.username, avatarUrl: row.avatar_url };
  }

  /** Appends a message: one row written, and one more for its `clientMessageId`, or for a type other than text. */
  addMessage(author: Author, draft: Draft, at: number, clientId: string | null): Entry {
    this.know(author);
    const { type, content, fileUrl, replyTo } = draft;
    this.sql.exec(
      `INSERT INTO log (seq, at, kind, nr, user_id, target, type, content, file_url, client_id)
       VALUES (?, ?, 'message', ?, ?, ?, ?, ?, ?, ?)`,
      this.#head + 1,
      at,
      this.#count + 1,
      author.userId,
      replyTo,
      type,
      content,
      fileUrl,
      clientId,
    );
    this.#head += 1;
    this.#count += 1;
    return { seq: this.#head, at, ...author, type, content, fileUrl, replyTo, editedAt: null, deletedAt: null };
  }

  /** The message that this author sent with this `clientMessageId`. */
  messageOnce(userId: number, clientId: string): Entry | undefined {
    const [row] = this.sql.exec<EntryRow>(
      `SELECT ${COLUMNS} ${FROM} WHERE l.user_id = ? AND l.client_id = ?`,
      userId,
      clientId,
    );
    return row && toEntry(row);
  }

  /** A message that is still there. */
  message(seq: number): Entry | undefined {
    const entry = this.#entry(seq);
    return entry?.deletedAt === null ? entry : undefined;
  }

  #entry(seq: number): Entry | undefined {
    const [row] = this.sql.exec<EntryRow>(`SELECT ${COLUMNS} ${FROM} WHERE l.seq = ? AND l.kind = 'message'`, seq);
    return row && toEntry(row);
  }

  /** The newest message that is still there. */
  lastMessage(): Entry | undefined {
    const [row] = this.sql.exec<EntryRow>(
      `SELECT ${COLUMNS} ${FROM} WHERE l.kind = 'message' AND l.deleted_at IS NULL ORDER BY l.seq DESC LIMIT 1`,
    );
    return row && toEntry(row);
  }

  /** Answers the edit's own seq. The old text is gone: what is replayed later is the new one. */
  editMessage(seq: number, content: string, userId: number, at: number): number {
    this.sql.exec("UPDATE log SET content = ?, edited_at = ? WHERE seq = ?", content, at, seq);
    return this.#append("edit", { target: seq, userId, at });
  }

  /** Answers the deletion's own seq. Text and reactions are gone; the row keeps its place, so that the log has no gap. */
  deleteMessage(seq: number, userId: number, at: number): number {
    this.sql.exec("UPDATE log SET content = '', file_url = NULL, deleted_at = ? WHERE seq = ?", at, seq);
    this.sql.exec("DELETE FROM reactions WHERE message = ?", seq);
    return this.#append("deletion", { target: seq, userId, at });
  }

  hasReaction(message: number, emoji: string, userId: number): boolean {
    const found = this.sql.exec(
      "SELECT 1 FROM reactions WHERE message = ? AND emoji = ? AND user_id = ?",
      message,
      emoji,
      userId,
    );
    return found.toArray().length > 0;
  }

  /** How many gave this reaction, and how many kinds of reaction the message has. */
  reactionCounts(message: number, emoji: string): { count: number; kinds: number } {
    return this.sql
      .exec<{ count: number; kinds: number }>(
        "SELECT count(*) FILTER (WHERE emoji = ?) AS count, count(DISTINCT emoji) AS kinds FROM reactions WHERE message = ?",
        emoji,
        message,
      )
      .one();
  }

  /** Adds or takes back a reaction. Answers its own seq and how many there are now. */
  react(message: number, emoji: string, author: Author, action: Action, at: number): { seq: number; count: number } {
    const change =
      action === "added"
        ? "INSERT INTO reactions (message, emoji, user_id) VALUES (?, ?, ?)"
        : "DELETE FROM reactions WHERE message = ? AND emoji = ? AND user_id = ?";
    this.sql.exec(change, message, emoji, author.userId);
    this.know(author);
    const { count } = this.reactionCounts(message, emoji);
    const seq = this.#append("reaction", { target: message, userId: author.userId, at, content: emoji, action, count });
    return { seq, count };
  }

  #append(
    kind: string,
    row: { target: number; userId: number; at: number; content?: string; action?: Action; count?: number },
  ): number {
    this.sql.exec(
      "INSERT INTO log (seq, at, kind, nr, user_id, target, content, action, count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      this.#head + 1,
      row.at,
      kind,
      this.#count,
      row.userId,
      row.target,
      row.content ?? null,
      row.action ?? null,
      row.count ?? null,
    );
    this.#head += 1;
    return this.#head;
  }

  /** Everything after `seq`, in order. Read it at once: a cursor is no snapshot. */
  *loggedAfter(seq: number): Generator<Logged> {
    for (const row of this.sql.exec<LogRow>(`SELECT ${COLUMNS} ${FROM} WHERE l.seq > ? ORDER BY l.seq`, seq)) {
      const { kind, at, user_id: userId } = row;
      if (kind === "message") yield { kind, seq: row.seq, entry: toEntry(row) };
      else if (row.target === null) continue;
      else if (kind === "deletion") yield { kind, seq: row.seq, at, userId, target: row.target };
      else if (kind === "reaction") {
        const action: Action = row.action === "added" ? "added" : "removed";
        yield { kind, seq: row.seq, userId, target: row.target, emoji: row.content, action, count: row.count ?? 0 };
      } else {
        const entry = this.#entry(row.target);
        if (entry) yield { kind: "edit", seq: row.seq, entry };
      }
    }
  }

  /** A page of messages that are still there, newest first. */
  page({ before, after, limit, type }: { before?: number; after?: number; limit: number; type?: string }): Entry[] {
    const rows = this.sql.exec<EntryRow>(
      // A type other than text has an index of its own, which the condition has to name.
      `SELECT ${COLUMNS} ${FROM} WHERE l.kind = 'message' AND l.deleted_at IS NULL AND l.seq < ? AND l.seq > ?
       ${type === undefined ? "" : "AND l.type = ?"} ${type === undefined || type === "text" ? "" : "AND l.type <> 'text'"}
       ORDER BY l.seq DESC LIMIT ?`,
      ...[before ?? Number.MAX_SAFE_INTEGER, after ?? 0, ...(type === undefined ? [] : [type]), limit],
    );
    return [...rows].map(toEntry);
  }

  /** Who reacted how to these messages, in the order of the emoji. */
  reactionsOf(messages: number[]): { message: number; emoji: string; userId: number }[] {
    return this.sql
      .exec<{ message: number; emoji: string; userId: number }>(
        `SELECT message, emoji, user_id AS userId FROM reactions WHERE message IN (SELECT value FROM json_each(?))
         ORDER BY message, emoji, user_id`,
        JSON.stringify(messages),
      )
      .toArray();
  }

  /** How many messages the log had by `seq`. */
  countAt(seq: number): number {
    const [row] = this.sql.exec<{ nr: number }>("SELECT nr FROM log WHERE seq <= ? ORDER BY seq DESC LIMIT 1", seq);
    return row?.nr ?? 0;
  }

  /** When this user last wrote, if it was after `since` (ms). Reads back no further than that. */
  lastWroteAt(userId: number, since: number): number | null {
    for (const row of this.sql.exec<{ at: number; user_id: number | null; kind: string }>(
      "SELECT at, user_id, kind FROM log ORDER BY seq DESC",
    )) {
      if (row.at <= since) return null;
      if (row.kind === "message" && row.user_id === userId) return row.at;
    }
    return null;
  }

  /** What this user wrote and did is nobody's any more. One row written for each: erasing is rare. */
  anonymise(userId: number): void {
    this.#known.delete(userId);
    this.sql.exec("UPDATE log SET user_id = NULL, client_id = NULL WHERE user_id = ?", userId);
    this.sql.exec("DELETE FROM reactions WHERE user_id = ?", userId);
    this.sql.exec("DELETE FROM people WHERE user_id = ?", userId);
    this.sql.exec("DELETE FROM mutes WHERE user_id = ?", userId);
  }
}
