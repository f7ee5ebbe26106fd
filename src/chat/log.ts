/**
 * A chat's log, the truth of what was said: `seq` is its key, a message is one row written, and edits, deletions and
 * reactions take a row each and change what they are about. Nothing is ever trimmed.
 */
import { z } from "zod";
import { LogPosition, loadEpoch } from "../realtime/log.ts";
import type { Frame } from "../realtime/protocol.ts";
import { type Author, Authors } from "./authors.ts";
import type { Action } from "./reactions.ts";

/** A message as it is now. `userId` null: its author was erased. */
export type Message = {
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

/** A product's own event. `userId` null: whoever sent it was erased. */
export type Happening = { name: string; data: unknown; userId: number | null };

/** One row of the log, as it is told and replayed. A notice is the room's own news, in a frame of its own type. */
export type LogEntry =
  | { kind: "message" | "edit"; seq: number; message: Message }
  | { kind: "deletion"; seq: number; at: number; userId: number | null; target: number }
  | {
      kind: "reaction";
      seq: number;
      userId: number | null;
      target: number;
      emoji: string;
      action: Action;
      count: number;
    }
  | ({ kind: "event"; seq: number } & Happening)
  | { kind: "notice"; seq: number; type: string; data: unknown };

export type Draft = { type: string; content: string; fileUrl: string | null; replyTo: number | null };

/** A part of the log's messages, newest first; both ends are left out. */
export type Part = { before?: number | undefined; after?: number | undefined; limit: number };

type MessageRow = {
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
type LogRow = MessageRow & { kind: string; action: string | null; count: number | null };
/** What a row that is no message has. */
type Note = {
  target?: number;
  userId?: number | null;
  type?: string;
  content?: string;
  clientId?: string | undefined;
  action?: Action;
  count?: number;
};

const COLUMNS = `l.seq, l.at, l.kind, l.user_id, p.username, p.avatar_url, l.type, l.content, l.file_url, l.target,
  l.edited_at, l.deleted_at, l.action, l.count`;
const FROM = "FROM log l LEFT JOIN people p ON p.user_id = l.user_id";

const toMessage = (row: MessageRow): Message => ({
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

const StoredEvent = z.object({ name: z.string(), data: z.unknown() });

export class ChatLog {
  readonly sql: SqlStorage;
  readonly position: LogPosition;
  readonly #authors: Authors;
  #count: number;

  constructor(sql: SqlStorage) {
    this.sql = sql;
    const [newest] = sql.exec<{ seq: number; nr: number }>("SELECT seq, nr FROM log ORDER BY seq DESC LIMIT 1");
    this.position = new LogPosition(loadEpoch(sql, "state"), newest?.seq ?? 0);
    this.#count = newest?.nr ?? 0;
    this.#authors = new Authors(sql);
  }

  /** The newest seq; 0 when nothing was ever logged. */
  get head(): number {
    return this.position.head;
  }

  /** How many messages were ever sent, deleted ones among them. */
  get messageCount(): number {
    return this.#count;
  }

  /** Appends a message (`author` null: the system's): one row written, and one more for its `clientMessageId`, or for a type other than text. */
  addMessage(author: Author | null, draft: Draft, at: number, clientId: string | null): Message {
    if (author) this.#authors.know(author);
    const { type, content, fileUrl, replyTo } = draft;
    this.sql.exec(
      `INSERT INTO log (seq, at, kind, nr, user_id, target, type, content, file_url, client_id)
       VALUES (?, ?, 'message', ?, ?, ?, ?, ?, ?, ?)`,
      this.head + 1,
      at,
      this.#count + 1,
      author?.userId ?? null,
      replyTo,
      type,
      content,
      fileUrl,
      clientId,
    );
    this.#count += 1;
    const seq = this.position.advance();
    const by = author ?? { userId: null, username: null, avatarUrl: null };
    return { seq, at, ...by, type, content, fileUrl, replyTo, editedAt: null, deletedAt: null };
  }

  /** The message that this author sent with this `clientMessageId`. */
  messageOnce(userId: number | null, clientId: string): Message | undefined {
    return this.#messageWhere("l.user_id IS ? AND l.client_id = ? AND l.kind = 'message'", userId, clientId);
  }

  /** A message that is still there. */
  message(seq: number): Message | undefined {
    return this.#messageWhere("l.seq = ? AND l.kind = 'message' AND l.deleted_at IS NULL", seq);
  }

  /** A message, or what is left of one that was deleted. */
  messageOrTombstone(seq: number): Message | undefined {
    return this.#messageWhere("l.seq = ? AND l.kind = 'message'", seq);
  }

  /** The newest message that is still there. */
  lastMessage(): Message | undefined {
    return this.#messageWhere("l.kind = 'message' AND l.deleted_at IS NULL ORDER BY l.seq DESC LIMIT 1");
  }

  #messageWhere(where: string, ...values: (string | number | null)[]): Message | undefined {
    const [row] = this.sql.exec<MessageRow>(`SELECT ${COLUMNS} ${FROM} WHERE ${where}`, ...values);
    return row && toMessage(row);
  }

  /** The old text is gone: what is replayed later is the new one. */
  rewrite(seq: number, content: string, at: number): void {
    this.sql.exec("UPDATE log SET content = ?, edited_at = ? WHERE seq = ?", content, at, seq);
  }

  /** Text and reactions are gone; the row keeps its place, so that the log has no gap. */
  empty(seq: number, at: number): void {
    this.sql.exec("UPDATE log SET content = '', file_url = NULL, deleted_at = ? WHERE seq = ?", at, seq);
    this.sql.exec("DELETE FROM reactions WHERE message = ?", seq);
  }

  /** Logs what became of a message. Answers its seq. Nothing may fail in a command after this: the seq is taken. */
  addChange(kind: "edit" | "deletion", target: number, userId: number | null, at: number): number {
    return this.#append(kind, at, { target, userId });
  }

  /** Logs that somebody reacted. Answers its seq. */
  addReaction(author: Author, at: number, note: Required<Pick<Note, "target" | "content" | "action" | "count">>) {
    this.#authors.know(author);
    return this.#append("reaction", at, { ...note, userId: author.userId });
  }

  /** Logs a frame of the room's own; `clientId`: what somebody else knows it by. Answers its seq. */
  addNotice({ type, data }: Frame, at: number, clientId?: string): number {
    return this.#append("notice", at, { type, content: JSON.stringify(data), clientId });
  }

  /** The seq of the notice that somebody else knows by this. */
  noticeOnce(clientId: string): number | undefined {
    const [row] = this.sql
      .exec<{ seq: number }>(
        "SELECT seq FROM log WHERE user_id IS NULL AND client_id = ? AND kind = 'notice'",
        clientId,
      )
      .toArray();
    return row?.seq;
  }

  /** Logs a product's own event. Answers its seq. */
  addEvent(userId: number, { name, data }: Omit<Happening, "userId">, at: number): number {
    return this.#append("event", at, { userId, content: JSON.stringify({ name, data }) });
  }

  /** One row written. */
  #append(kind: LogEntry["kind"], at: number, note: Note): number {
    this.sql.exec(
      "INSERT INTO log (seq, at, kind, nr, user_id, target, type, content, client_id, action, count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      this.head + 1,
      at,
      kind,
      this.#count,
      note.userId ?? null,
      note.target ?? null,
      note.type ?? null,
      note.content ?? null,
      note.clientId ?? null,
      note.action ?? null,
      note.count ?? null,
    );
    return this.position.advance();
  }

  /** Everything after `seq`, in order. Read it at once: a cursor is no snapshot. */
  *entriesAfter(seq: number): Generator<LogEntry> {
    for (const row of this.sql.exec<LogRow>(`SELECT ${COLUMNS} ${FROM} WHERE l.seq > ? ORDER BY l.seq`, seq)) {
      const entry = this.#toEntry(row);
      if (entry) yield entry;
    }
  }

  #toEntry(row: LogRow): LogEntry | null {
    const { kind, seq, at, user_id: userId, target } = row;
    if (kind === "message") return { kind, seq, message: toMessage(row) };
    if (kind === "notice") return { kind, seq, type: row.type, data: JSON.parse(row.content) };
    if (kind === "event") return { kind, seq, userId, ...StoredEvent.parse(JSON.parse(row.content)) };
    if (target === null) return null;
    if (kind === "deletion") return { kind, seq, at, userId, target };
    if (kind === "reaction") {
      const action = row.action === "added" ? "added" : "removed";
      return { kind, seq, userId, target, emoji: row.content, action, count: row.count ?? 0 };
    }
    const message = this.messageOrTombstone(target);
    return message ? { kind: "edit", seq, message } : null;
  }

  /** Messages that are still there, newest first. */
  page({ before, after, limit, type }: Part & { type?: string | undefined }): Message[] {
    const rows = this.sql.exec<MessageRow>(
      // A type other than text has an index of its own, which the condition has to name.
      `SELECT ${COLUMNS} ${FROM} WHERE l.kind = 'message' AND l.deleted_at IS NULL AND l.seq < ? AND l.seq > ?
       ${type === undefined ? "" : "AND l.type = ?"} ${type === undefined || type === "text" ? "" : "AND l.type <> 'text'"}
       ORDER BY l.seq DESC LIMIT ?`,
      ...[before ?? Number.MAX_SAFE_INTEGER, after ?? 0, ...(type === undefined ? [] : [type]), limit],
    );
    return [...rows].map(toMessage);
  }

  /** How many messages the log had by `seq`. */
  countAt(seq: number): number {
    const [row] = this.sql.exec<{ nr: number }>("SELECT nr FROM log WHERE seq <= ? ORDER BY seq DESC LIMIT 1", seq);
    return row?.nr ?? 0;
  }

  /** Nothing was ever said. Positions go on, so that none means something else. */
  clear(): void {
    for (const table of ["log", "people", "reactions"]) this.sql.exec(`DELETE FROM ${table}`);
    this.#authors.clear();
  }

  /** What this user wrote and did is nobody's any more. One row written for each: erasing is rare. */
  anonymise(userId: number): void {
    this.#authors.forget(userId);
    this.sql.exec("UPDATE log SET user_id = NULL, client_id = NULL WHERE user_id = ?", userId);
  }
}
