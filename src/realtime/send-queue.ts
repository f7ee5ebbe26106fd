/**
 * What goes out, in which order, and when. Every connection has a queue: how far it has been sent what everybody gets, and
 * what it alone gets in between. A busy object drains them in slices, whoever has waited longest first: sockets outside,
 * frames inside.
 */
import type { Connection } from "./connection.ts";
import type { EncodedFrame } from "./encoded-frame.ts";
import { SLICE_SENDS } from "./send-slice.ts";
import { FrameBatch, type TransportKind } from "./transport.ts";

/**
 * The coalescing window of an array client, ms: what comes within it after a send goes with the next array, and costs no send. In
 * a small room less than a slice takes; in a crowd as long as a round of sends, up to what nobody notices. A longer one saves
 * sends, and has everybody wait while the core is idle (bench/streams.ts, bench/rooms.ts).
 */
const COALESCING_MS = { least: 2.5, perSocket: 0.025, most: 50 };

/** @param sockets array clients of the room */
const coalescingMs = (sockets: number): number =>
  Math.min(COALESCING_MS.most, Math.max(COALESCING_MS.least, sockets * COALESCING_MS.perSocket));

/** `before`: its place among the shared frames. */
type Own = { before: number; frame: EncodedFrame };

type Queue = {
  /** The shared frames before this one have been sent. */
  next: number;
  drainedAt: number;
  own: Own[];
  /** Shared frames that are not for this one. */
  skipped: Set<number>;
};

/** In the order in which they were last drained: the first is never further along than those behind it. */
type Queues = Map<Connection, Queue>;

type Host = {
  /** Does what has come in, so that what it has to say goes out with the rest. */
  runInbox(): void;
  /** So much was sent to a connection that it is time to see whether it reads. */
  checkReader(connection: Connection): void;
  /** Connections that are sent what is logged another way. */
  replaying(): Iterable<Connection>;
};

export class SendQueue {
  readonly #queues: Record<TransportKind, Queues> = { plain: new Map(), array: new Map(), gateway: new Map() };
  /** Queues with something of their own: answers do not wait for their slice. */
  readonly #answered = new Set<Connection>();
  /** The shared frames that somebody still waits for; `#base` came before them. */
  #shared: EncodedFrame[] = [];
  #base = 0;
  #latest = { from: 0, to: 0, batch: new FrameBatch([]) };
  readonly #host: Host;
  #isFlushing = false;
  #nextFlush: ReturnType<typeof setTimeout> | undefined;
  #busyUntil = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Whatever everybody is sent from now on goes to this connection as well. */
  add(connection: Connection): void {
    this.#queuesOf(connection).set(connection, { next: this.#head, drainedAt: 0, own: [], skipped: new Set() });
  }

  remove(connection: Connection): void {
    this.#queuesOf(connection).delete(connection);
    this.#answered.delete(connection);
  }

  /** To every connection, but for one. */
  toAll(frame: EncodedFrame, except?: Connection): void {
    if (except) this.#skip(except);
    this.#shared.push(frame);
    this.flushSoon();
  }

  /** What stands in the log, to every connection. One that is still being replayed gets it from there. */
  loggedToAll(frame: EncodedFrame): void {
    for (const connection of this.#host.replaying()) this.#skip(connection);
    this.toAll(frame);
  }

  #skip(connection: Connection): void {
    this.#queuesOf(connection).get(connection)?.skipped.add(this.#head);
  }

  /** To one connection, after all that was said before. */
  to(connection: Connection, frame: EncodedFrame): void {
    const queue = this.#queuesOf(connection).get(connection);
    if (!queue) return;
    queue.own.push({ before: this.#head, frame });
    this.#answered.add(connection);
    this.flushSoon();
  }

  /** Sends all that this connection still waits for. */
  finish(connection: Connection): void {
    const queue = this.#queuesOf(connection).get(connection);
    if (queue) this.#drain(connection, queue, queue.drainedAt);
  }

  // ── When ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A quiet object at once; a busy one takes what comes meanwhile along, which needs no more than a turn of the event loop. */
  flushSoon(): void {
    if (this.#isFlushing || this.#nextFlush !== undefined) return;
    if (Date.now() >= this.#busyUntil) this.flush();
    else this.#flushIn(0);
  }

  #flushIn(waitMs: number): void {
    this.#nextFlush = setTimeout(() => this.flush(), waitMs);
  }

  /** Runs what was gathered, and sends. In a crowded room not everybody gets it in this slice; the others' follow. */
  flush(): void {
    if (this.#isFlushing) return;
    if (this.#nextFlush !== undefined) clearTimeout(this.#nextFlush);
    this.#nextFlush = undefined;
    this.#isFlushing = true;
    try {
      this.#host.runInbox();
      if (this.#shared.length > 0 || this.#answered.size > 0) this.#sendSlice(Date.now());
    } finally {
      this.#isFlushing = false;
    }
  }

  #sendSlice(now: number): void {
    const size = this.#queues.plain.size + this.#queues.array.size + this.#queues.gateway.size;
    // The clock stands still while code runs, so how long sending takes is estimated: some 15 µs each, and twice that
    // to find out whether more comes.
    this.#busyUntil = now + 2 + 0.03 * size * Math.max(1, this.#shared.length);
    const waitMs = this.#drainSlice(now);
    if (waitMs !== null) this.#flushIn(waitMs);
  }

  // ── To whom ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Sends to those who are next. @returns ms until the next slice; null if nobody waits for anything */
  #drainSlice(now: number): number | null {
    let left = SLICE_SENDS;
    for (const connection of this.#answered) {
      const queue = this.#queuesOf(connection).get(connection);
      if (queue) left -= this.#drain(connection, queue, now);
    }
    // What goes to a gateway costs nothing here, and is best sent together.
    const waits = [
      this.#drainKind("gateway", now, Number.POSITIVE_INFINITY),
      this.#drainKind("plain", now, left),
      this.#drainKind("array", now, left),
    ].filter((waitMs) => waitMs !== null);
    this.#forgetSent();
    return waits.length > 0 ? Math.min(...waits) : null;
  }

  /** Drains queues while there is something left of `most` sends. @returns as #drainSlice */
  #drainKind(kind: TransportKind, now: number, most: number): number | null {
    const queues = this.#queues[kind];
    const windowMs = kind === "array" ? coalescingMs(queues.size) : 0;
    let left = most;
    // A queue that was drained goes to the end; the loop ends where it meets the first one that has everything.
    for (const [connection, queue] of queues) {
      if (queue.next === this.#head) return null;
      if (left <= 0) return 0;
      const waitMs = queue.drainedAt + windowMs - now;
      if (waitMs > 0) return waitMs;
      left -= this.#drain(connection, queue, now);
    }
    return null;
  }

  /** @returns how many sends it took */
  #drain(connection: Connection, queue: Queue, now: number): number {
    const batch = this.#batch(queue);
    queue.next = this.#head;
    queue.drainedAt = now;
    queue.own = [];
    queue.skipped.clear();
    this.#answered.delete(connection);
    const queues = this.#queuesOf(connection);
    queues.delete(connection);
    queues.set(connection, queue);
    if (connection.send(batch)) this.#host.checkReader(connection);
    const { transportKind } = connection;
    return transportKind === "gateway" ? 0 : transportKind === "array" ? 1 : batch.frames.length;
  }

  // ── What ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #queuesOf({ transportKind }: Connection): Queues {
    return this.#queues[transportKind];
  }

  get #head(): number {
    return this.#base + this.#shared.length;
  }

  #batch(queue: Queue): FrameBatch {
    if (queue.own.length > 0 || queue.skipped.size > 0) return this.#merge(queue);
    // Most queues of a slice are equally far along.
    if (this.#latest.from !== queue.next || this.#latest.to !== this.#head) {
      const batch = new FrameBatch(this.#shared.slice(queue.next - this.#base));
      this.#latest = { from: queue.next, to: this.#head, batch };
    }
    return this.#latest.batch;
  }

  #merge({ next, own, skipped }: Queue): FrameBatch {
    const frames: EncodedFrame[] = [];
    let mine = 0;
    for (let at = next; at <= this.#head; at += 1) {
      for (let first = own[mine]; first && first.before === at; first = own[mine]) {
        frames.push(first.frame);
        mine += 1;
      }
      const frame = this.#shared[at - this.#base];
      if (frame && !skipped.has(at)) frames.push(frame);
    }
    return new FrameBatch(frames);
  }

  #forgetSent(): void {
    const firsts = Object.values(this.#queues).map((queues) => queues.values().next().value?.next ?? this.#head);
    const next = Math.min(...firsts);
    this.#shared.splice(0, next - this.#base);
    this.#base = next;
  }
}
