/** What `since` replays of a room: every durable frame, as things are now. */
import type { Replay, ReplayLog } from "../../realtime/log.ts";
import type { Logged, RoomStore } from "./store.ts";

/** A client that missed more is told to `resync`, and reads the history by pages. */
const REPLAY_FRAMES = 10_000;
/** An object has 128 MB for everything: so many UTF-16 units are put together for one client at most. */
const REPLAY_LENGTH = 8_000_000;

export class RoomReplay implements ReplayLog {
  readonly #store: RoomStore;
  readonly #encode: (row: Logged) => string;

  constructor(store: RoomStore, encode: (row: Logged) => string) {
    this.#store = store;
    this.#encode = encode;
  }

  get head(): number {
    return this.#store.head;
  }

  get epoch(): string {
    return this.#store.epoch;
  }

  since(seq: number, epoch: string | undefined): Replay {
    if (epoch !== undefined && epoch !== this.epoch) return { resync: true };
    if (seq > this.head || seq < this.head - REPLAY_FRAMES) return { resync: true };
    const frames: string[] = [];
    let length = 0;
    for (const row of this.#store.loggedAfter(seq)) {
      const frame = this.#encode(row);
      length += frame.length;
      if (length > REPLAY_LENGTH) return { resync: true };
      frames.push(frame);
    }
    return { frames };
  }
}
