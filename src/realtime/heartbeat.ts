/**
 * How long connections stay: the server's beats, the ends of tokens, and clients that vanished without a close. What one
 * connection does costs the same however many there are; only a beat goes to all who want one.
 */
import { CLOSE } from "../errors.ts";
import { BEAT_EVERY_MS, type Connection } from "./connection.ts";
import { Deadlines } from "./deadlines.ts";
import type { Timers } from "./timers.ts";

type Host = {
  /** Ends a connection. */
  close: (connection: Connection, code: number, reason: string) => void;
  /** It is gone for the others, and stays open: a client that answers no pings has said nothing for long. */
  suspend: (connection: Connection) => void;
};

/** How many that may have vanished one event looks after; the next ones go on. */
const CHECKS_PER_EVENT = 100;

export class Heartbeat {
  readonly #host: Host;
  /** Connections that want the server's beats. */
  readonly #beating = new Set<Connection>();
  /** No beat is due before; ms. */
  #nextBeat: number | null = null;
  /** By the ends of their tokens. */
  readonly #expiring = new Deadlines();
  /** By when they would have vanished if nothing came from them any more. */
  readonly #vanishing = new Deadlines();

  constructor(object: DurableObjectState, timers: Timers, host: Host) {
    // Answered by the runtime: a client's own heartbeat wakes and costs nothing.
    object.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    this.#host = host;
    timers.add({ due: () => this.#nextBeat, ring: (now) => this.#beat(now) });
    timers.add({ due: () => this.#expiring.next, ring: (now) => this.#expire(now) });
  }

  add(connection: Connection): void {
    const { beatAt } = connection.state;
    if (beatAt !== null) {
      this.#beating.add(connection);
      this.#nextBeat = Math.min(beatAt, this.#nextBeat ?? beatAt);
    }
    this.renew(connection);
    this.watch(connection);
  }

  /** It is here until it vanishes. */
  watch(connection: Connection): void {
    // A gateway watches over its clients itself. After hibernation the runtime is not asked about each: only when it is due.
    if (connection.transportKind === "gateway" || connection.state.isSuspended) return;
    this.#vanishing.add(vanishesAt(connection, connection.state.lastSeenAt), connection);
  }

  /** A connection's token ends at another time. */
  renew(connection: Connection): void {
    this.#expiring.add(connection.state.expiresAt, connection);
  }

  remove(connection: Connection): void {
    this.#beating.delete(connection);
  }

  /** When a new connection's first ping is due, ms: all sockets of an object beat together, so that one alarm serves them. */
  firstBeat(now: number): number {
    const [other] = this.#beating;
    const untilBeat = ((other?.rhythm ?? now) - now) % BEAT_EVERY_MS;
    return now + (untilBeat > 0 ? untilBeat : untilBeat + BEAT_EVERY_MS);
  }

  /** Ends clients that vanished without a close; of very many, a part. */
  prune(now: number, most: number = CHECKS_PER_EVENT): void {
    for (let left = most; left > 0; left -= 1) {
      const connection = this.#vanishing.takeDue(now);
      if (!connection) return;
      if (!connection.isStale(now)) this.#vanishing.add(vanishesAt(connection, connection.lastShownAt), connection);
      else if (connection.neverAnswers) this.#host.suspend(connection);
      else this.#host.close(connection, CLOSE.heartbeatMissed, "HEARTBEAT_MISSED");
    }
  }

  #beat(now: number): void {
    this.#nextBeat = null;
    for (const connection of this.#beating) {
      const { beatAt } = connection.state;
      if (beatAt !== null && beatAt <= now && !connection.beat(now)) {
        this.#host.close(connection, CLOSE.heartbeatMissed, "HEARTBEAT_MISSED");
        continue;
      }
      const next = connection.state.beatAt;
      if (next !== null) this.#nextBeat = Math.min(next, this.#nextBeat ?? next);
    }
  }

  #expire(now: number): void {
    for (let due = this.#expiring.takeDue(now); due; due = this.#expiring.takeDue(now)) {
      // Otherwise it has a new token, whose end is among these as well.
      if (due.state.expiresAt <= now) this.#host.close(due, CLOSE.unauthorized, "UNAUTHORIZED");
    }
  }
}

const vanishesAt = ({ staleAfterMs }: Connection, lastShownAt: number): number => lastShownAt + staleAfterMs + 1;
