/**
 * What all logs of objects share: a gap-free `seq`, an `epoch`, and the one rule of what can be resumed. On top of it the
 * log of a user's frames; the log of a chat is chat/log.ts.
 */
import { Buffer } from "node:buffer";
import { EncodedFrame } from "./encoded-frame.ts";

/** A part of a replay; `to`: who has had it has everything up to there. */
export type ReplayPage = { frames: EncodedFrame[]; to: number };

/** A log as a room's base sees it. */
export interface ReplayLog {
  /** The newest frame's seq; 0 when nothing was ever logged. */
  readonly head: number;
  readonly epoch: string;
  /** The newest outbox delivery that stands in the log; none, if the log knows nothing of deliveries. */
  readonly lastDelivery?: number;
  /** Whether a client that has everything up to `seq` can be given the rest. */
  canResume(seq: number, epoch: string | undefined): boolean;
  /** The frames after `seq`, in order, until they have `bytes` together; one at least. Null if one of them is gone. */
  page(seq: number, bytes: number): ReplayPage | null;
}

/** Takes entries of a log until they have `bytes` together, one at least; of all there are, up to its `head`. */
export function takePage(
  entries: Iterable<EncodedFrame>,
  { head, bytes }: { head: number; bytes: number },
): ReplayPage {
  const frames: EncodedFrame[] = [];
  let left = bytes;
  for (const frame of entries) {
    frames.push(frame);
    left -= Buffer.byteLength(frame.text);
    if (left <= 0) return { frames, to: frame.seq };
  }
  return { frames, to: head };
}

/** Where a log stands. */
export class LogPosition {
  readonly epoch: string;
  #head: number;

  constructor(epoch: string, head: number) {
    this.epoch = epoch;
    this.#head = head;
  }

  get head(): number {
    return this.#head;
  }

  /** The next seq, for the row that has been written under it. */
  advance(): number {
    this.#head += 1;
    return this.#head;
  }

  /** Whether a client that has everything up to `seq` can be given the rest; `tail`: the oldest frame that is kept. */
  canResume(seq: number, epoch: string | undefined, tail: number): boolean {
    return (epoch === undefined || epoch === this.epoch) && seq <= this.#head && seq >= tail - 1;
  }
}

/** The epoch in the single row of `table`; makes the row, and an epoch that no log had before, when there is none. */
export function loadEpoch(sql: SqlStorage, table: string): string {
  const [row] = sql.exec<{ epoch: string }>(`SELECT epoch FROM ${table}`).toArray();
  if (row) return row.epoch;
  const epoch = crypto.randomUUID().slice(0, 13);
  sql.exec(`INSERT INTO ${table} (epoch) VALUES (?)`, epoch);
  return epoch;
}

/** The tables; the first migration of an object that has a FrameLog. */
export const FRAME_LOG_SCHEMA = `
  CREATE TABLE log (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, frame TEXT NOT NULL, delivery_id INTEGER);
  CREATE TABLE log_epoch (epoch TEXT NOT NULL);
`;

/** A later migration: whom each frame names, as a JSON array; null for nobody. */
export const FRAME_PEOPLE_SCHEMA = "ALTER TABLE log ADD COLUMN people TEXT;";

/** Where a frame comes from, and whom it names. */
type Origin = { at: number; deliveryId?: number; people?: number[] };

type StoredRow = { seq: number; frame: string; people: string | null };

/** Reads one row after the other, as far as somebody takes them. */
function* storedFrames(rows: Iterable<StoredRow>): Generator<EncodedFrame> {
  for (const { seq, frame, people } of rows) yield EncodedFrame.stored(frame, seq, people);
}

type Edges = { head: number | null; tail: number | null; delivery: number | null };

/**
 * Three rows read: both edges in one SELECT would scan all of the log. A row has the highest delivery that had been logged by
 * then, so the newest has the highest of all.
 */
const EDGES = `
  SELECT (SELECT max(seq) FROM log) AS head, (SELECT min(seq) FROM log) AS tail,
    (SELECT delivery_id FROM log WHERE delivery_id IS NOT NULL ORDER BY seq DESC LIMIT 1) AS delivery`;

/** Everything younger than `days` up to `most` frames, and the last `least` frames whatever their age. */
export type Retention = { least: number; days: number; most: number };

/** An object's ordered, durable log of encoded frames. */
export class FrameLog implements ReplayLog {
  readonly #sql: SqlStorage;
  readonly #retention: Retention;
  #position: LogPosition;
  #tail: number;
  #lastDelivery: number;

  constructor(sql: SqlStorage, retention: Retention) {
    this.#sql = sql;
    this.#retention = retention;
    const { head, tail, delivery } = sql.exec<Edges>(EDGES).one();
    this.#position = new LogPosition(loadEpoch(sql, "log_epoch"), head ?? 0);
    this.#tail = tail ?? this.head + 1;
    this.#lastDelivery = delivery ?? 0;
  }

  get head(): number {
    return this.#position.head;
  }

  get epoch(): string {
    return this.#position.epoch;
  }

  /** The oldest frame that is kept. */
  get tail(): number {
    return this.#tail;
  }

  /** The newest frame that is older than `at`, ms; the one before the oldest, if there is none. Reads what is younger. */
  headBefore(at: number): number {
    const [row] = this.#sql.exec<{ seq: number }>("SELECT seq FROM log WHERE at < ? ORDER BY seq DESC LIMIT 1", at);
    return row?.seq ?? this.#tail - 1;
  }

  /** The highest id of an outbox delivery that was logged here. */
  get lastDelivery(): number {
    return this.#lastDelivery;
  }

  /** Logs a frame, in one row written. Returns it encoded, with its seq. */
  append(frame: { type: string; data: unknown }, { at, deliveryId, people = [] }: Origin): EncodedFrame {
    const seq = this.head + 1;
    const encoded = EncodedFrame.of(frame, seq, people);
    this.#sql.exec(
      "INSERT INTO log (seq, at, frame, delivery_id, people) VALUES (?, ?, ?, ?, ?)",
      seq,
      at,
      encoded.text,
      deliveryId === undefined ? null : Math.max(deliveryId, this.#lastDelivery),
      people.length === 0 ? null : JSON.stringify(people),
    );
    this.#position.advance();
    // One that failed comes after later ones, and must not set this back.
    if (deliveryId !== undefined) this.#lastDelivery = Math.max(deliveryId, this.#lastDelivery);
    this.#trim(at);
    return encoded;
  }

  canResume(seq: number, epoch: string | undefined): boolean {
    return this.#position.canResume(seq, epoch, this.#tail);
  }

  page(seq: number, bytes: number): ReplayPage | null {
    if (seq < this.#tail - 1) return null;
    const rows = this.#sql.exec<StoredRow>("SELECT seq, frame, people FROM log WHERE seq > ? ORDER BY seq", seq);
    return takePage(storedFrames(rows), { head: this.head, bytes });
  }

  /** Puts another frame in the place of every one that names this user, so that no position goes missing. */
  replaceAbout(userId: number, instead: { type: string; data: unknown }): void {
    this.#sql.exec(
      `UPDATE log SET frame = json_set(?, '$.seq', seq), people = NULL
       WHERE EXISTS (SELECT 1 FROM json_each(log.people) WHERE value = ?)`,
      JSON.stringify(instead),
      userId,
    );
  }

  /** Forgets everything, and begins a new epoch: whoever comes back is told to refetch. */
  clear(): void {
    this.#sql.exec("DELETE FROM log");
    this.#sql.exec("DELETE FROM log_epoch");
    this.#position = new LogPosition(loadEpoch(this.#sql, "log_epoch"), 0);
    this.#tail = 1;
    this.#lastDelivery = 0;
  }

  /** In steps, and by looking at one row: a full log pays neither a deleted row nor a scan for every frame. */
  #trim(now: number): void {
    const { least, days, most } = this.#retention;
    const step = Math.ceil(least / 10);
    const length = this.head - this.#tail + 1;
    if (length < least + step) return;
    const newest = this.#tail + step - 1;
    const [row] = this.#sql.exec<{ at: number }>("SELECT at FROM log WHERE seq = ?", newest).toArray();
    const isOld = row !== undefined && row.at < now - days * 86_400_000;
    if (!isOld && length < most + step) return;
    this.#sql.exec("DELETE FROM log WHERE seq <= ?", newest);
    this.#tail = newest + 1;
  }
}
