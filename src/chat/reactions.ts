/** Who reacted how to which message, now. That somebody did so is in the log. */
import { fold } from "../text.ts";

export type Action = "added" | "removed";

export type Reaction = { message: number; key: string; emoji: string; userId: number };

/** What tells the flag of Wales from that of Scotland, though it has no look of its own (Unicode 5.1 of TR51). */
const TAGS = /[\u{E0020}-\u{E007F}]+/gu;

/** Emoji that people read as the same have the same key: with and without the mark that asks for colour, say. */
export const reactionKey = (emoji: string): string => fold(emoji) + (emoji.match(TAGS)?.join("") ?? "");

export class Reactions {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  has(message: number, key: string, userId: number): boolean {
    const found = this.#sql.exec(
      "SELECT 1 FROM reactions WHERE message = ? AND key = ? AND user_id = ?",
      message,
      key,
      userId,
    );
    return found.toArray().length > 0;
  }

  /** How many gave this reaction, how it is shown, and how many kinds of reaction the message has. */
  counts(message: number, key: string): { count: number; emoji: string | null; kinds: number } {
    return this.#sql
      .exec<{ count: number; emoji: string | null; kinds: number }>(
        `SELECT count(*) FILTER (WHERE key = ?1) AS count, min(emoji) FILTER (WHERE key = ?1) AS emoji,
           count(DISTINCT key) AS kinds FROM reactions WHERE message = ?2`,
        key,
        message,
      )
      .one();
  }

  /** `emoji`: how it is shown. */
  add(message: number, key: string, userId: number, emoji: string): void {
    this.#sql.exec(
      "INSERT INTO reactions (message, key, user_id, emoji) VALUES (?, ?, ?, ?)",
      message,
      key,
      userId,
      emoji,
    );
  }

  remove(message: number, key: string, userId: number): void {
    this.#sql.exec("DELETE FROM reactions WHERE message = ? AND key = ? AND user_id = ?", message, key, userId);
  }

  /** Who reacted how to these messages, in the order of the keys. */
  of(messages: number[]): Reaction[] {
    return this.#sql
      .exec<Reaction>(
        `SELECT message, key, emoji, user_id AS userId FROM reactions WHERE message IN (SELECT value FROM json_each(?))
         ORDER BY message, key, user_id`,
        JSON.stringify(messages),
      )
      .toArray();
  }

  /** An erased user's reactions go: nobody's count for nothing. */
  removeAllOf(userId: number): void {
    this.#sql.exec("DELETE FROM reactions WHERE user_id = ?", userId);
  }
}
