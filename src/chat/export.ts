/** What one user said and did in a chat, for the export of oneself (SPEC 13). */
import { iso } from "./dialect.ts";

/** Rows of the log that one call looks through, and messages that it answers, so that nobody who talks here is held up. */
const WINDOW = 20_000;
const MESSAGES = 500;

export type ChatExport = {
  messages: {
    seq: number;
    at: string;
    type: string;
    content: string;
    fileUrl: string | null;
    replyTo: number | null;
    editedAt: string | null;
  }[];
  reactions: { to: number; emoji: string }[];
  /** Until when they may not write here; told once, with the first piece. */
  mutedUntil: string | null;
  /** Where the next call goes on; null at the end. */
  next: number | null;
};

type Row = {
  seq: number;
  at: number;
  type: string;
  content: string;
  file_url: string | null;
  target: number | null;
  edited_at: number | null;
};

/** A bounded piece of the log after the position `after`, oldest first; without what was deleted. */
export function exportPage(sql: SqlStorage, userId: number, after: number): ChatExport {
  const { head } = sql.exec<{ head: number }>("SELECT coalesce(max(seq), 0) AS head FROM log").one();
  const rows = sql
    .exec<Row>(
      `SELECT seq, at, type, content, file_url, target, edited_at FROM log
       WHERE seq > ? AND seq <= ? AND kind = 'message' AND user_id = ? AND deleted_at IS NULL ORDER BY seq LIMIT ?`,
      after,
      after + WINDOW,
      userId,
      MESSAGES,
    )
    .toArray();
  const last = rows.length === MESSAGES ? rows.at(-1)?.seq : undefined;
  const until = last ?? after + WINDOW;
  const given = sql.exec<{ message: number; emoji: string }>(
    "SELECT message, emoji FROM reactions WHERE message > ? AND message <= ? AND user_id = ?",
    after,
    until,
    userId,
  );
  return {
    messages: rows.map((row) => ({
      seq: row.seq,
      at: iso(row.at),
      type: row.type,
      content: row.content,
      fileUrl: row.file_url,
      replyTo: row.target,
      editedAt: row.edited_at === null ? null : iso(row.edited_at),
    })),
    reactions: [...given].map(({ message, emoji }) => ({ to: message, emoji })),
    mutedUntil: after === 0 ? mutedUntil(sql, userId) : null,
    next: until < head ? until : null,
  };
}

function mutedUntil(sql: SqlStorage, userId: number): string | null {
  const [mute] = sql.exec<{ until: number }>("SELECT until FROM mutes WHERE user_id = ?", userId).toArray();
  return mute ? iso(mute.until) : null;
}
