/** How long connections stay: the server's beats, the ends of tokens, and clients that vanished without a close. */
import { CLOSE } from "../errors.ts";
import { BEAT_EVERY_MS, type Connection } from "./connection.ts";
import type { Connections } from "./connections.ts";
import type { Timers } from "./timers.ts";

/** Ends a connection. */
type Close = (connection: Connection, code: number, reason: string) => void;

export class Heartbeat {
  readonly #connections: Connections;
  readonly #close: Close;

  constructor(object: DurableObjectState, timers: Timers, connections: Connections, close: Close) {
    // Answered by the runtime: a client's own heartbeat wakes and costs nothing.
    object.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    this.#connections = connections;
    this.#close = close;
    timers.add({ due: () => this.#nextBeat(), ring: (now) => this.#beat(now) });
    timers.add({ due: () => this.#nextExpiry(), ring: (now) => this.#expire(now) });
  }

  /** When a new connection's first ping is due, ms: all sockets of an object beat together, so that one alarm serves them. */
  firstBeat(now: number): number {
    const beats = this.#beats().filter((beatAt) => beatAt > now);
    return Math.min(...beats, now + BEAT_EVERY_MS);
  }

  /** Ends clients that vanished without a close. */
  prune(now: number): void {
    for (const connection of this.#connections.values()) {
      if (connection.isStale(now)) this.#close(connection, CLOSE.heartbeatMissed, "HEARTBEAT_MISSED");
    }
  }

  #beats(): number[] {
    return [...this.#connections.values()].flatMap(({ state }) => state.beatAt ?? []);
  }

  #nextBeat(): number | null {
    const beats = this.#beats();
    return beats.length > 0 ? Math.min(...beats) : null;
  }

  #beat(now: number): void {
    for (const connection of this.#connections.values()) {
      const { beatAt } = connection.state;
      if (beatAt === null || beatAt > now || connection.beat(now)) continue;
      this.#close(connection, CLOSE.heartbeatMissed, "HEARTBEAT_MISSED");
    }
  }

  #nextExpiry(): number | null {
    const ends = [...this.#connections.values()].map(({ state }) => state.expiresAt);
    return ends.length > 0 ? Math.min(...ends) : null;
  }

  #expire(now: number): void {
    for (const connection of this.#connections.values()) {
      if (connection.state.expiresAt <= now) this.#close(connection, CLOSE.unauthorized, "UNAUTHORIZED");
    }
  }
}
