/** What `since` replays of a chat: every durable frame, as things are now. */
import type { Replay, ReplayLog } from "../realtime/log.ts";
import type { ChatLog, LogEntry } from "./log.ts";

/** An object has 128 MB for everything: so many UTF-16 units are put together for one client at most. */
const REPLAY_LENGTH = 8_000_000;

type Speech = {
  /** How many frames one client is replayed at most. */
  frames: () => number;
  encode: (entry: LogEntry) => string;
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

  since(seq: number, epoch: string | undefined): Replay {
    if (!this.#log.position.canResume(seq, epoch, this.head - this.#speech.frames() + 1)) return { resync: true };
    const frames: string[] = [];
    let length = 0;
    for (const entry of this.#log.entriesAfter(seq)) {
      const frame = this.#speech.encode(entry);
      length += frame.length;
      if (length > REPLAY_LENGTH) return { resync: true };
      frames.push(frame);
    }
    return { frames };
  }
}
