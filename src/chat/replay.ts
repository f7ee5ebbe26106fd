/** What `since` replays of a chat: every durable frame, as things are now. */
import type { EncodedFrame } from "../realtime/encoded-frame.ts";
import { type ReplayLog, type ReplayPage, takePage } from "../realtime/log.ts";
import type { ChatLog, LogEntry } from "./log.ts";

type Speech = {
  /** How many frames one client is replayed at most. */
  frames: () => number;
  encode: (entry: LogEntry) => EncodedFrame;
};

export class ChatReplay implements ReplayLog {
  readonly #log: ChatLog;
  readonly #speech: Speech;

  constructor(log: ChatLog, speech: Speech) {
    this.#log = log;
    this.#speech = speech;
  }

  get head(): number {
    return this.#log.head;
  }

  get epoch(): string {
    return this.#log.position.epoch;
  }

  canResume(seq: number, epoch: string | undefined): boolean {
    return this.#log.position.canResume(seq, epoch, this.head - this.#speech.frames() + 1);
  }

  /** Nothing is ever trimmed: a replay that has begun can be finished. */
  page(seq: number, bytes: number): ReplayPage {
    return takePage(this.#framesAfter(seq), { head: this.head, bytes });
  }

  *#framesAfter(seq: number): Generator<EncodedFrame> {
    for (const entry of this.#log.entriesAfter(seq)) yield this.#speech.encode(entry);
  }
}
