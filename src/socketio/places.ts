import type { LogMark } from "../realtime/fan-out.ts";
import type { Place, Position } from "./application.ts";

/** Memberships whose late deliveries are still told from those of newer ones. */
const MAX_ENDED = 64;

/** Where one socket stands in the logs that it hears: how far it has been sent each, as which of the object's members. */
export class Places {
  readonly #places: Map<string, Place>;
  /** Object → the membership of it that was over last; of late, and as far as is known in this life. */
  readonly #ended = new Map<string, number>();
  readonly #changed: () => void;

  constructor(known: Record<string, Place>, changed: () => void) {
    this.#places = new Map(Object.entries(known));
    this.#changed = changed;
  }

  get all(): Record<string, Place> {
    return Object.fromEntries(this.#places);
  }

  get(object: string): Place | undefined {
    return this.#places.get(object);
  }

  set(object: string, place: Place): void {
    this.#places.set(object, place);
    this.#changed();
  }

  leave(object: string): void {
    const place = this.#places.get(object);
    if (!place) return;
    this.#places.delete(object);
    this.#ended.delete(object);
    this.#ended.set(object, place.join);
    const [oldest] = this.#ended.keys();
    if (oldest !== undefined && this.#ended.size > MAX_ENDED) this.#ended.delete(oldest);
    this.#changed();
  }

  /** Whether this membership is not over, as far as is known here: the answer to a newer join may still be on its way. */
  isMember(object: string, join: number): boolean {
    const place = this.#places.get(object);
    return place ? join >= place.join : join > (this.#ended.get(object) ?? -1);
  }

  /**
   * What of a delivery the socket has not had; one without events tells where the log stands. Null: something is missing that
   * the delivery does not bring, and has to come first.
   */
  newIn<E>(events: E[], { object, epoch, seq: head, seqs }: LogMark): E[] | null {
    const place = this.#places.get(object);
    if (!place || !seqs) return events;
    if (events.length === 0 && head > place.seq) return null;
    const next = seqs.find((seq) => seq > place.seq);
    if (place.epoch !== epoch || (next !== undefined && next > place.seq + 1)) return null;
    const isNew = (seq: number | undefined) => !seq || seq > place.seq;
    return seqs.every(isNew) ? events : events.filter((_, index) => isNew(seqs[index]));
  }

  /** The socket has been sent an object's log up to here. */
  moved(object: string, at: Position): void {
    const before = this.#places.get(object);
    if (before?.epoch === at.epoch && before.seq >= at.seq) return;
    this.set(object, { ...at, join: before?.join ?? 0 });
  }
}
