/** Who is typing: known by connection, so that who vanishes while typing is told to have stopped. */
import type { Connection } from "../realtime/connection.ts";

export class Typing {
  readonly #users = new Map<number, Set<string>>();

  /** What a connection says of its user. */
  set({ userId, id }: Connection, isTyping: boolean): void {
    const own = this.#users.get(userId) ?? new Set();
    if (isTyping) own.add(id);
    else own.delete(id);
    if (own.size > 0) this.#users.set(userId, own);
    else this.#users.delete(userId);
  }

  has({ userId, id }: Connection): boolean {
    return this.#users.get(userId)?.has(id) ?? false;
  }

  /** A connection is gone. Answers whether its user has stopped typing by that. */
  closed(connection: Connection): boolean {
    if (!this.has(connection)) return false;
    this.set(connection, false);
    return !this.#users.has(connection.userId);
  }
}
