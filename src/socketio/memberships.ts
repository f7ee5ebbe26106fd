import type { LogMark } from "../realtime/fan-out.ts";
import type { Membership, Position } from "./application.ts";

/** Memberships whose late deliveries are still told from those of newer ones. */
const MAX_ENDED = 64;

/** One socket's memberships of the objects whose logs it hears: how far it has been sent each, and as which member. */
export class Memberships {
  readonly #byObject: Map<string, Membership>;
  /** Object → the membership of it that was over last; of late, and as far as is known in this life. */
  readonly #ended = new Map<string, number>();
  readonly #changed: () => void;

  constructor(known: Record<string, Membership>, changed: () => void) {
    this.#byObject = new Map(Object.entries(known));
    this.#changed = changed;
  }

  get all(): Record<string, Membership> {
    return Object.fromEntries(this.#byObject);
  }

  get(object: string): Membership | undefined {
    return this.#byObject.get(object);
  }

  set(object: string, membership: Membership): void {
    this.#byObject.set(object, membership);
    this.#changed();
  }

  leave(object: string): void {
    const membership = this.#byObject.get(object);
    if (!membership) return;
    this.#byObject.delete(object);
    this.#ended.delete(object);
    this.#ended.set(object, membership.join);
    const [oldest] = this.#ended.keys();
    if (oldest !== undefined && this.#ended.size > MAX_ENDED) this.#ended.delete(oldest);
    this.#changed();
  }

  /** Whether this membership is not over, as far as is known here: the answer to a newer join may still be on its way. */
  isMember(object: string, join: number): boolean {
    const membership = this.#byObject.get(object);
    return membership ? join >= membership.join : join > (this.#ended.get(object) ?? -1);
  }

  /**
   * What of a delivery the socket has not had; one without events tells where the log stands. Null: something is missing that
   * the delivery does not bring, and has to come first.
   */
  newIn<E>(events: E[], { object, epoch, seq: head, seqs }: LogMark): E[] | null {
    const membership = this.#byObject.get(object);
    if (!membership || !seqs) return events;
    if (events.length === 0 && head > membership.seq) return null;
    const next = seqs.find((seq) => seq > membership.seq);
    if (membership.epoch !== epoch || (next !== undefined && next > membership.seq + 1)) return null;
    const isNew = (seq: number | undefined) => !seq || seq > membership.seq;
    return seqs.every(isNew) ? events : events.filter((_, index) => isNew(seqs[index]));
  }

  /** The socket has been sent an object's log up to here. */
  moved(object: string, at: Position): void {
    const before = this.#byObject.get(object);
    if (before?.epoch === at.epoch && before.seq >= at.seq) return;
    this.set(object, { ...at, join: before?.join ?? 0 });
  }
}
