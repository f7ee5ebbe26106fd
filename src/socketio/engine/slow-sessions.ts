/**
 * Who does not read. What one session can make a gateway hold is bounded, as it is for a native connection, and so is what all
 * of a gateway's sessions can: they are of many users, and the object has 128 MB for everybody.
 */
import type { Reader } from "../../realtime/reader.ts";
import { MB, PATIENCE_MS, UNREAD_BYTES } from "../../realtime/slow-readers.ts";

/** Nor is more held for all sessions that have left a ping unanswered for PATIENCE_MS, and for closed sockets. */
const UNREAD_BYTES_PER_GATEWAY = 64 * MB;
/** How often all sessions are looked through at most: a broadcast to thousands asks again with each of them. */
const LOOK_EVERY_MS = 1000;

export class SlowSessions<Session extends { readonly reader: Reader }> {
  readonly #sessions: ReadonlyMap<string, Session>;
  /** Sockets that were closed here and have not ended: what was sent stays in memory until the client has read it or is gone. */
  readonly #lingering = new Map<WebSocket, number>();
  #lingeringBytes = 0;
  #lookedAt = 0;

  constructor(sessions: ReadonlyMap<string, Session>) {
    this.#sessions = sessions;
  }

  /** Much was sent to a session, again. @returns those to close, since they do not read */
  after(session: Session, now: number): Session[] {
    if (session.reader.unread > UNREAD_BYTES) return [session];
    if (now - this.#lookedAt < LOOK_EVERY_MS) return [];
    this.#lookedAt = now;
    return this.#largest(now);
  }

  /** Of those that are silent, the ones that hold most, until what is too much is theirs. */
  #largest(now: number): Session[] {
    const silent = [...this.#sessions.values()].filter(({ reader }) => isSilent(reader.waitingSince, now));
    let excess = this.#lingeringBytes - UNREAD_BYTES_PER_GATEWAY;
    for (const { reader } of silent) excess += reader.unread;
    if (excess <= 0) return [];
    silent.sort((one, other) => other.reader.unread - one.reader.unread);
    const count = silent.findIndex(({ reader }) => {
      excess -= reader.unread;
      return excess <= 0;
    });
    return count < 0 ? silent : silent.slice(0, count + 1);
  }

  /** A session's socket was closed from here. */
  closed(socket: WebSocket, unread: number): void {
    if (unread === 0 || this.#lingering.has(socket)) return;
    this.#lingering.set(socket, unread);
    this.#lingeringBytes += unread;
  }

  /** A socket has ended: what it held is free. */
  ended(socket: WebSocket): void {
    this.#lingeringBytes -= this.#lingering.get(socket) ?? 0;
    this.#lingering.delete(socket);
  }

  /** Whether another session may open: closed sockets do not hold too much. */
  get mayOpen(): boolean {
    return this.#lingeringBytes <= UNREAD_BYTES_PER_GATEWAY;
  }
}

const isSilent = (waitingSince: number | null, now: number): boolean => now - (waitingSince ?? now) >= PATIENCE_MS;
