/**
 * The room's log as an audience object has it: where it stands, and what was said lately. What is older stays in the room,
 * which is asked for it when somebody comes back; after hibernation that is everything.
 */
import type { EncodedFrame } from "../../../realtime/encoded-frame.ts";
import { type ReplayLog, type ReplayPage, takePage } from "../../../realtime/log.ts";
import type { Subscription } from "./relay.ts";

/** What is kept in memory. Links to files in it are good for an hour. */
const KEPT = { bytes: 8 * 1024 * 1024, ms: 600_000 };

export const RELAYED_LOG_SCHEMA = `
  CREATE TABLE position (epoch TEXT NOT NULL, head INTEGER NOT NULL);
  INSERT INTO position (epoch, head) VALUES ('', 0);
`;

export class RelayedLog implements ReplayLog {
  readonly #sql: SqlStorage;
  #position: Subscription;
  /** Without a gap, up to the head. */
  #frames: EncodedFrame[] = [];
  #times: number[] = [];
  #chars = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#position = sql.exec<Subscription>("SELECT epoch, head FROM position").one();
  }

  get head(): number {
    return this.#position.head;
  }

  get epoch(): string {
    return this.#position.epoch;
  }

  /** The oldest frame that is kept here. */
  get tail(): number {
    return this.#frames[0]?.seq ?? this.head + 1;
  }

  canResume(seq: number, epoch: string | undefined): boolean {
    return (epoch === undefined || epoch === this.epoch) && seq <= this.head && seq >= this.tail - 1;
  }

  page(seq: number, bytes: number): ReplayPage | null {
    if (seq < this.tail - 1) return null;
    return takePage(this.#frames.slice(seq + 1 - this.tail), { head: this.head, bytes });
  }

  /** The next frame of the log. */
  append(frame: EncodedFrame, now: number): void {
    this.#position.head = frame.seq;
    this.#frames.push(frame);
    this.#times.push(now);
    this.#chars += frame.text.length;
    let gone = 0;
    while (gone < this.#frames.length && this.#isTooMuch(gone, now)) {
      this.#chars -= this.#frames[gone]?.text.length ?? 0;
      gone += 1;
    }
    this.#frames.splice(0, gone);
    this.#times.splice(0, gone);
  }

  #isTooMuch(at: number, now: number): boolean {
    return this.#chars > KEPT.bytes || (this.#times[at] ?? now) < now - KEPT.ms;
  }

  /** What came right before the oldest frame that is kept; anything else is left alone. */
  prepend(frames: EncodedFrame[], now: number): void {
    const last = frames.at(-1);
    if (!last || last.seq !== this.tail - 1) return;
    this.#frames.unshift(...frames);
    this.#times.unshift(...frames.map(() => now));
    for (const { text } of frames) this.#chars += text.length;
  }

  /** What was said before is asked of the room again when somebody needs it. */
  forget(): void {
    this.#frames = [];
    this.#times = [];
    this.#chars = 0;
  }

  /** The log goes on from here; what lies between is not known here, nor what has been forgotten since. */
  moveTo(position: Subscription): void {
    this.forget();
    this.#position = { ...position };
    this.save();
  }

  /** One row written, for everything that was appended since. */
  save(): void {
    this.#sql.exec("UPDATE position SET epoch = ?, head = ?", this.epoch, this.head);
  }
}
