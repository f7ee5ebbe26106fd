/** An object's ordered, durable log of frames: a gap-free `seq`, an `epoch`, and replay from any kept position. */

/** The tables; the first migration of an object that has a FrameLog. */
export const FRAME_LOG_SCHEMA = `
  CREATE TABLE log (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, frame TEXT NOT NULL, delivery_id INTEGER);
  CREATE TABLE log_epoch (epoch TEXT NOT NULL);
`;

/** Everything younger than `days` up to `most` frames, and the last `least` frames whatever their age. */
export type Retention = { least: number; days: number; most: number };

/** Replay, or the news that it is impossible: never a silent part. */
export type Replay = { frames: string[] } | { resync: true };

/** Positions of a log, as a client compares them. */
export interface ReplayLog {
  /** The newest frame's seq; 0 when nothing was ever logged. */
  readonly head: number;
  readonly epoch: string;
  /** The newest outbox delivery that stands in the log; none, if the log knows nothing of deliveries. */
  readonly lastDelivery?: number;
  /** All frames after `seq`, in order. `resync` if one of them is gone or the epoch is another. */
  since(seq: number, epoch: string | undefined): Replay;
}

export class FrameLog implements ReplayLog {
  readonly #sql: SqlStorage;
  readonly #retention: Retention;
  #head = 0;
  #tail = 1;
  #lastDelivery = 0;
  readonly epoch: string;

  constructor(sql: SqlStorage, retention: Retention) {
    this.#sql = sql;
    this.#retention = retention;
    const [edges] = sql
      .exec<{ head: number | null; tail: number | null }>("SELECT max(seq) AS head, min(seq) AS tail FROM log")
      .toArray();
    this.#head = edges?.head ?? 0;
    this.#tail = edges?.tail ?? this.#head + 1;
    // Delivery ids grow with seq, so the newest logged one is the highest.
    const [delivery] = sql
      .exec<{ id: number }>("SELECT delivery_id AS id FROM log WHERE delivery_id IS NOT NULL ORDER BY seq DESC LIMIT 1")
      .toArray();
    this.#lastDelivery = delivery?.id ?? 0;
    this.epoch = this.#loadEpoch();
  }

  #loadEpoch(): string {
    const [row] = this.#sql.exec<{ epoch: string }>("SELECT epoch FROM log_epoch").toArray();
    if (row) return row.epoch;
    const epoch = crypto.randomUUID().slice(0, 13);
    this.#sql.exec("INSERT INTO log_epoch (epoch) VALUES (?)", epoch);
    return epoch;
  }

  get head(): number {
    return this.#head;
  }

  /** The newest outbox delivery that was logged here. */
  get lastDelivery(): number {
    return this.#lastDelivery;
  }

  /** Logs a frame, in one row written. Returns it encoded, with its seq. */
  append(frame: { type: string; data: unknown }, at: number, deliveryId?: number): string {
    const seq = this.#head + 1;
    const encoded = JSON.stringify({ ...frame, seq });
    this.#sql.exec(
      "INSERT INTO log (seq, at, frame, delivery_id) VALUES (?, ?, ?, ?)",
      seq,
      at,
      encoded,
      deliveryId ?? null,
    );
    this.#head = seq;
    if (deliveryId !== undefined) this.#lastDelivery = deliveryId;
    this.#trim(at);
    return encoded;
  }

  since(seq: number, epoch: string | undefined): Replay {
    if (epoch !== undefined && epoch !== this.epoch) return { resync: true };
    if (seq > this.#head || seq < this.#tail - 1) return { resync: true };
    const rows = this.#sql.exec<{ frame: string }>("SELECT frame FROM log WHERE seq > ? ORDER BY seq", seq);
    return { frames: [...rows].map((row) => row.frame) };
  }

  /** In steps, and by looking at one row: a full log pays neither a deleted row nor a scan for every frame. */
  #trim(now: number): void {
    const { least, days, most } = this.#retention;
    const step = Math.ceil(least / 10);
    const length = this.#head - this.#tail + 1;
    if (length < least + step) return;
    const newest = this.#tail + step - 1;
    const [row] = this.#sql.exec<{ at: number }>("SELECT at FROM log WHERE seq = ?", newest).toArray();
    const isOld = row !== undefined && row.at < now - days * 86_400_000;
    if (!isOld && length < most + step) return;
    this.#sql.exec("DELETE FROM log WHERE seq <= ?", newest);
    this.#tail = newest + 1;
  }
}
