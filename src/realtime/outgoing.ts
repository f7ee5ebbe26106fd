/**
 * Gathers what goes out, then sends it socket by socket: sockets outside, messages inside. What everybody gets is held
 * once; what one connection gets besides keeps its place among it.
 */
import { Bundle, type Connection } from "./connection.ts";

type Own = { before: number; text: string };

export class Outgoing {
  #shared: string[] = [];
  #own = new Map<Connection, Own[]>();
  #skipped = new Map<Connection, Set<number>>();

  get isEmpty(): boolean {
    return this.#shared.length === 0 && this.#own.size === 0;
  }

  /** How many frames the last-gathered group shares. */
  get sharedCount(): number {
    return this.#shared.length;
  }

  /** To every connection, but for one. */
  toAll(text: string, except?: Connection): void {
    if (except) {
      const skipped = this.#skipped.get(except) ?? new Set();
      this.#skipped.set(except, skipped.add(this.#shared.length));
    }
    this.#shared.push(text);
  }

  /** To one connection, after all that was gathered before. */
  to(connection: Connection, text: string): void {
    const own = this.#own.get(connection);
    if (own) own.push({ before: this.#shared.length, text });
    else this.#own.set(connection, [{ before: this.#shared.length, text }]);
  }

  flush(connections: Iterable<Connection>): void {
    const shared = this.#shared;
    const own = this.#own;
    const skipped = this.#skipped;
    this.#shared = [];
    this.#own = new Map();
    this.#skipped = new Map();
    const everything = new Bundle(shared);
    for (const connection of connections) {
      const mine = own.get(connection);
      const skips = skipped.get(connection);
      connection.send(mine || skips ? merge(shared, mine ?? [], skips) : everything);
    }
  }
}

function merge(shared: readonly string[], own: readonly Own[], skips: Set<number> | undefined): Bundle {
  const messages: string[] = [];
  let next = 0;
  for (let at = 0; at <= shared.length; at += 1) {
    for (let mine = own[next]; mine && mine.before === at; mine = own[next]) {
      messages.push(mine.text);
      next += 1;
    }
    const text = shared[at];
    if (text !== undefined && !skips?.has(at)) messages.push(text);
  }
  return new Bundle(messages);
}
