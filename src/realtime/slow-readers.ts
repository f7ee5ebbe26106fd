/**
 * What one connection can make an object hold is bounded, whatever its options, and so is what one user can with all of
 * theirs: an object has 128 MB for everybody.
 */
import type { Connection } from "./connection.ts";
import { UNREAD_LENGTH } from "./reader.ts";

/** What may lie unread for all sockets of one user, UTF-16 units: of those that have not answered a ping for a while. */
const UNREAD_PER_USER = 32 * 1024 * 1024;
/** As long as a heartbeat's last chance. */
const PATIENCE_MS = 10_000;

/** Looks at a connection after much was sent to it. @returns those of its user's to close, since they do not read */
export function slowReaders(connection: Connection, own: Iterable<Connection>, now: number): Connection[] {
  if (connection.reader.unread > UNREAD_LENGTH) return [connection];
  const silent = [...own].filter(({ reader }) => now - (reader.waitingSince ?? now) >= PATIENCE_MS);
  const unread = silent.reduce((sum, { reader }) => sum + reader.unread, 0);
  return unread > UNREAD_PER_USER ? silent : [];
}
