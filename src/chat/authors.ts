/** How the people who wrote in a chat are shown: a row for each, so that a message's row has but an id. */

export type Author = { userId: number; username: string; avatarUrl: string | null };

/** Authors that are known without looking. */
const KNOWN = 10_000;

export class Authors {
  readonly #sql: SqlStorage;
  /** People whose row is known to be right. */
  readonly #known = new Map<number, Author>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** A row written when an author comes or changes, none otherwise. */
  know({ userId, username, avatarUrl }: Author): void {
    const known = this.#known.get(userId) ?? this.#read(userId);
    if (known?.username !== username || known.avatarUrl !== avatarUrl) {
      this.#sql.exec(
        `INSERT INTO people (user_id, username, avatar_url) VALUES (?, ?, ?)
         ON CONFLICT (user_id) DO UPDATE SET username = excluded.username, avatar_url = excluded.avatar_url`,
        userId,
        username,
        avatarUrl,
      );
    } else if (this.#known.has(userId)) return;
    if (this.#known.size >= KNOWN) this.#known.clear();
    this.#known.set(userId, { userId, username, avatarUrl });
  }

  #read(userId: number): Author | undefined {
    const [row] = this.#sql.exec<{ username: string; avatar_url: string | null }>(
      "SELECT username, avatar_url FROM people WHERE user_id = ?",
      userId,
    );
    return row && { userId, username: row.username, avatarUrl: row.avatar_url };
  }

  /** Nobody has written; the table is empty. */
  clear(): void {
    this.#known.clear();
  }

  forget(userId: number): void {
    this.#known.delete(userId);
    this.#sql.exec("DELETE FROM people WHERE user_id = ?", userId);
  }
}
