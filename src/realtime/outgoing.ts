/**
 * What goes out, and in which order. Every connection has a lane: how far it has been sent what everybody gets, and what
 * it alone gets in between. Lanes are served in turns, whoever has waited longest first: sockets outside, messages inside.
 */
import { Bundle, type Carrier, type Connection } from "./connection.ts";
import { TURN_SENDS } from "./turn.ts";

/**
 * How long an array client rests after it was served, ms: what comes meanwhile goes with the next array, and costs no send.
 * In a small room less than a turn takes; in a crowd some twice as long as a round of sends, up to what nobody notices.
 */
const ARRAY_REST_MS = { perSocket: 0.05, most: 50 };

/** `before`: its place among the shared frames. */
type Own = { before: number; text: string };

type Lane = {
  /** The shared frames before this one have been sent. */
  next: number;
  servedAt: number;
  own: Own[];
  /** Shared frames that are not for this one. */
  skipped: Set<number>;
};

/** In the order in which they were last served: the first is never further along than those behind it. */
type Lanes = Map<Connection, Lane>;

export class Outgoing {
  readonly #lanes: Record<Carrier, Lanes> = { plain: new Map(), array: new Map(), gateway: new Map() };
  /** Lanes with something of their own: answers do not wait for their turn. */
  readonly #answered = new Set<Connection>();
  /** The shared frames that somebody still waits for; `#base` came before them. */
  #shared: string[] = [];
  #base = 0;
  #latest = { from: 0, to: 0, bundle: new Bundle([]) };

  /** Whatever everybody is told from now on goes to this connection as well. */
  add(connection: Connection): void {
    this.#lanesOf(connection).set(connection, { next: this.#head, servedAt: 0, own: [], skipped: new Set() });
  }

  remove(connection: Connection): void {
    this.#lanesOf(connection).delete(connection);
    this.#answered.delete(connection);
  }

  #lanesOf({ carrier }: Connection): Lanes {
    return this.#lanes[carrier];
  }

  get #head(): number {
    return this.#base + this.#shared.length;
  }

  /** Whether nobody waits for anything. */
  get isEmpty(): boolean {
    return this.#shared.length === 0 && this.#answered.size === 0;
  }

  /** How many shared frames somebody still waits for. */
  get sharedCount(): number {
    return this.#shared.length;
  }

  /** To every connection, but for one. */
  toAll(text: string, except?: Connection): void {
    if (except) this.#lanesOf(except).get(except)?.skipped.add(this.#head);
    this.#shared.push(text);
  }

  /** To one connection, after all that was said before. */
  to(connection: Connection, text: string): void {
    const lane = this.#lanesOf(connection).get(connection);
    if (!lane) return;
    lane.own.push({ before: this.#head, text });
    this.#answered.add(connection);
  }

  /** Sends all that this connection still waits for. */
  finish(connection: Connection): void {
    const lane = this.#lanesOf(connection).get(connection);
    if (lane) this.#serve(connection, lane, lane.servedAt);
  }

  /** Sends to those whose turn it is. @returns ms until the next turn; null if nobody waits for anything */
  takeTurn(now: number): number | null {
    let left = TURN_SENDS;
    for (const connection of this.#answered) {
      const lane = this.#lanesOf(connection).get(connection);
      if (lane) left -= this.#serve(connection, lane, now);
    }
    // What goes to a gateway costs nothing here, and is best sent together.
    const waits = [
      this.#serveNext("gateway", now, Number.POSITIVE_INFINITY),
      this.#serveNext("plain", now, left),
      this.#serveNext("array", now, left),
    ].filter((waitMs) => waitMs !== null);
    this.#forgetSent();
    return waits.length > 0 ? Math.min(...waits) : null;
  }

  /** Serves lanes while there is something left of `most` sends. @returns as takeTurn */
  #serveNext(carrier: Carrier, now: number, most: number): number | null {
    const lanes = this.#lanes[carrier];
    const restMs = carrier === "array" ? Math.min(ARRAY_REST_MS.most, lanes.size * ARRAY_REST_MS.perSocket) : 0;
    let left = most;
    // A lane that was served goes to the end; the loop ends where it meets the first one that has everything.
    for (const [connection, lane] of lanes) {
      if (lane.next === this.#head) return null;
      if (left <= 0) return 0;
      const waitMs = lane.servedAt + restMs - now;
      if (waitMs > 0) return waitMs;
      left -= this.#serve(connection, lane, now);
    }
    return null;
  }

  /** @returns how many sends it took */
  #serve(connection: Connection, lane: Lane, now: number): number {
    const bundle = this.#bundle(lane);
    lane.next = this.#head;
    lane.servedAt = now;
    lane.own = [];
    lane.skipped.clear();
    this.#answered.delete(connection);
    const lanes = this.#lanesOf(connection);
    lanes.delete(connection);
    lanes.set(connection, lane);
    connection.send(bundle);
    return connection.carrier === "gateway" ? 0 : connection.carrier === "array" ? 1 : bundle.messages.length;
  }

  #bundle(lane: Lane): Bundle {
    if (lane.own.length > 0 || lane.skipped.size > 0) return this.#merge(lane);
    // Most lanes of a turn are equally far along.
    if (this.#latest.from !== lane.next || this.#latest.to !== this.#head) {
      const bundle = new Bundle(this.#shared.slice(lane.next - this.#base));
      this.#latest = { from: lane.next, to: this.#head, bundle };
    }
    return this.#latest.bundle;
  }

  #merge({ next, own, skipped }: Lane): Bundle {
    const messages: string[] = [];
    let mine = 0;
    for (let at = next; at <= this.#head; at += 1) {
      for (let first = own[mine]; first && first.before === at; first = own[mine]) {
        messages.push(first.text);
        mine += 1;
      }
      const text = this.#shared[at - this.#base];
      if (text !== undefined && !skipped.has(at)) messages.push(text);
    }
    return new Bundle(messages);
  }

  #forgetSent(): void {
    const firsts = Object.values(this.#lanes).map((lanes) => lanes.values().next().value?.next ?? this.#head);
    const next = Math.min(...firsts);
    this.#shared.splice(0, next - this.#base);
    this.#base = next;
  }
}
