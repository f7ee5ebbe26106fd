/** Connections by when something about them is due: adding one and finding the next costs the same however many there are. */
import type { Connection } from "./connection.ts";

type Deadline = { at: number; connection: Connection };

/** A binary heap (the parent of `n` is at `(n - 1) >> 1`). Ended connections are left in it until they surface or prevail. */
export class Deadlines {
  #heap: Deadline[] = [];
  /** The heap is rid of ended connections when it has grown to this. */
  #sweepAt = 64;

  add(at: number, connection: Connection): void {
    if (this.#heap.length >= this.#sweepAt) this.#sweep();
    this.#push({ at, connection });
  }

  /** When the next one is due, ms; it may be of a connection whose deadline has moved meanwhile. */
  get next(): number | null {
    for (let first = this.#heap[0]; first; first = this.#heap[0]) {
      if (first.connection.isOpen) return first.at;
      this.#pop();
    }
    return null;
  }

  /** Takes out one that is due. */
  takeDue(now: number): Connection | undefined {
    const { next } = this;
    return next !== null && next <= now ? this.#pop()?.connection : undefined;
  }

  #sweep(): void {
    const open = this.#heap.filter(({ connection }) => connection.isOpen);
    // What is sorted is a heap.
    this.#heap = open.sort((a, b) => a.at - b.at);
    this.#sweepAt = Math.max(64, 2 * open.length);
  }

  #push(deadline: Deadline): void {
    const heap = this.#heap;
    let at = heap.push(deadline) - 1;
    for (let parent = (at - 1) >> 1; at > 0; parent = (at - 1) >> 1) {
      const above = heap[parent];
      if (!above || above.at <= deadline.at) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = deadline;
  }

  #pop(): Deadline | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (!last || last === first) return first;
    let at = 0;
    for (;;) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
      const child = left && right && right.at < left.at ? right : left;
      if (!child || child.at >= last.at) break;
      heap[at] = child;
      at = child === left ? 2 * at + 1 : 2 * at + 2;
    }
    heap[at] = last;
    return first;
  }
}
