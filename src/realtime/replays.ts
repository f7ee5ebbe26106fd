/**
 * What connections missed, in pages that wait for their reader: an object never holds a log for whoever does not take it.
 * Only what stands in the log waits its turn, and it waits in the log: whatever is logged meanwhile comes with the pages, and
 * what has no position in it is sent at once. How far a connection has come is kept with it, through hibernation.
 */
import { CLOSE } from "../errors.ts";
import type { Connection } from "./connection.ts";
import { EncodedFrame } from "./encoded-frame.ts";
import type { ReplayLog } from "./log.ts";
import type { Timers } from "./timers.ts";
import { FrameBatch } from "./transport.ts";

const KB = 1024;
/** What may be on its way to one connection: a share of what may be to all, within bounds. */
const IN_FLIGHT = { least: 64 * KB, most: 1024 * KB, all: 32 * 1024 * KB };
const PAGE_BYTES = 256 * KB;
/** A client that answers pings has this long to answer the one behind a page; then it is closed with 4009. */
const STALLED_MS = 60_000;
/** A client that has answered none may not know how (SPEC 14): it is sent another page each time this has passed. */
const UNASKED_MS = 2000;
/** So much is sent of the offline queue to a client that has answered none: it cannot say what it has if it is closed. */
const UNANSWERED_QUEUE_BYTES = 8 * 1024 * KB;

type Host = {
  timers: Timers;
  log(): ReplayLog;
  /** So much was sent to a connection that it is time to see whether it reads. */
  checkReader(connection: Connection): void;
  close(connection: Connection, code: number, reason: string): void;
};

type Start = { greeting: EncodedFrame[]; from: number; epoch: string | undefined; isQueue: boolean };

export class Replays {
  readonly #host: Host;
  readonly #underWay = new Set<Connection>();

  constructor(host: Host) {
    this.#host = host;
    host.timers.add({ due: () => this.#due(), ring: (now) => this.#ring(now) });
  }

  /** Those that are sent what is logged by their pages, and not as it happens. */
  get connections(): Iterable<Connection> {
    return this.#underWay;
  }

  /** Sends all kept frames after `from`, or says that it cannot; first the `greeting`. */
  begin(connection: Connection, { greeting, from, epoch, isQueue }: Start): void {
    const log = this.#host.log();
    if (!log.canResume(from, epoch)) return this.#resync(connection, greeting);
    connection.state.replay = { at: from, epoch: log.epoch, isQueue, dueAt: 0 };
    this.#underWay.add(connection);
    this.#send(connection, this.#window(), Date.now(), greeting);
  }

  /** A connection from before hibernation. */
  restore(connection: Connection): void {
    if (connection.state.replay) this.#underWay.add(connection);
  }

  remove(connection: Connection): void {
    this.#underWay.delete(connection);
  }

  /** Sends what has room now that the client has read something. */
  continue(connection: Connection, now: number): void {
    this.#send(connection, this.#window(), now);
  }

  #window(): number {
    return Math.min(IN_FLIGHT.most, Math.max(IN_FLIGHT.least, IN_FLIGHT.all / this.#underWay.size));
  }

  /** Sends pages until `mostUnread` bytes are on their way, and asks for an answer to them. */
  #send(connection: Connection, mostUnread: number, now: number, greeting: EncodedFrame[] = []): void {
    let first = greeting;
    const { replay } = connection.state;
    const { reader } = connection;
    if (!replay || reader.unread >= mostUnread) return;
    const log = this.#host.log();
    while (connection.isOpen && reader.unread < mostUnread) {
      const page =
        log.epoch === replay.epoch ? log.page(replay.at, Math.min(PAGE_BYTES, mostUnread - reader.unread)) : null;
      if (!page) return this.#resync(connection, first);
      replay.at = page.to;
      if (page.to >= log.head) this.#finish(connection);
      if (connection.send(new FrameBatch([...first, ...page.frames]))) this.#host.checkReader(connection);
      if (!connection.state.replay) return;
      first = [];
    }
    if (!connection.isOpen) return;
    if (!reader.isAsked) connection.ping(now);
    replay.dueAt = now + (connection.state.answersPings ? STALLED_MS : UNASKED_MS);
    connection.save();
    this.#host.timers.arm(now);
  }

  /** It has everything: from now on it is sent what is logged as it happens. */
  #finish(connection: Connection): void {
    this.#underWay.delete(connection);
    connection.state.replay = undefined;
    connection.save();
  }

  /** Something that it missed is not to be had here: it has to fetch anew, and goes on from the head. */
  #resync(connection: Connection, greeting: EncodedFrame[] = []): void {
    const { head: seq, epoch } = this.#host.log();
    this.#finish(connection);
    connection.send(new FrameBatch([...greeting, EncodedFrame.of({ type: "resync", data: { seq, epoch } })]));
  }

  // ── Who does not answer ───────────────────────────────────────────────────────────────────────────────────────────

  #due(): number | null {
    let next = Number.POSITIVE_INFINITY;
    for (const { state } of this.#underWay) next = Math.min(next, state.replay?.dueAt ?? next);
    return Number.isFinite(next) ? next : null;
  }

  #ring(now: number): void {
    for (const connection of this.#underWay) {
      const { replay, answersPings } = connection.state;
      if (!replay || replay.dueAt > now) continue;
      const { unread } = connection.reader;
      if (answersPings) this.#host.close(connection, CLOSE.tooSlow, "TOO_SLOW");
      else if (replay.isQueue && unread > UNANSWERED_QUEUE_BYTES) this.#resync(connection);
      else this.#send(connection, unread + this.#window() / 2, now);
    }
  }
}
