/**
 * Who does not read. What one connection can make an object hold is bounded, whatever its options, and so is what one user
 * can with all of theirs: an object has 128 MB for everybody.
 */
import type { Connection } from "./connection.ts";
import type { Connections } from "./connections.ts";

export const MB = 1024 * 1024;
/** More is not held for one connection: it is closed with 4009. */
export const UNREAD_BYTES = 16 * MB;
/** Nor for all connections of one user that have left a ping unanswered for PATIENCE_MS. */
const UNREAD_BYTES_PER_USER = 48 * MB;
export const PATIENCE_MS = 5000;
/**
 * What was sent to a socket stays in memory after its close, until the client has read it or is gone. Whose closed sockets
 * still hold more than this opens no other.
 */
const LINGERING_BYTES_PER_USER = 16 * MB;

export class SlowReaders {
  readonly #connections: Connections;
  /** User → their sockets that were closed here, and have not ended yet. */
  readonly #lingering = new Map<number, Set<Connection>>();

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  /** Much was sent to a connection, again. @returns those of its user's to close, since they do not read */
  after(connection: Connection, now: number): Connection[] {
    if (connection.reader.unread > UNREAD_BYTES) return [connection];
    const own = this.#connections.allOf(connection.userId);
    const silent = own.filter(({ reader }) => now - (reader.waitingSince ?? now) >= PATIENCE_MS);
    return unreadOf(silent) > UNREAD_BYTES_PER_USER ? silent : [];
  }

  /** A connection was closed from here. */
  closed(connection: Connection): void {
    if (connection.transportKind === "gateway" || connection.reader.unread === 0) return;
    const own = this.#lingering.get(connection.userId);
    if (own) own.add(connection);
    else this.#lingering.set(connection.userId, new Set([connection]));
  }

  /** Its socket has ended: what it held is free. */
  ended(connection: Connection): void {
    const own = this.#lingering.get(connection.userId);
    if (own?.delete(connection) && own.size === 0) this.#lingering.delete(connection.userId);
  }

  mayOpen(userId: number): boolean {
    return unreadOf(this.#lingering.get(userId) ?? []) <= LINGERING_BYTES_PER_USER;
  }
}

function unreadOf(connections: Iterable<Connection>): number {
  let bytes = 0;
  for (const { reader } of connections) bytes += reader.unread;
  return bytes;
}
