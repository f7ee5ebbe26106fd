import type { MaybePromise } from "../platform/promise.ts";

/** Runs tasks one after the other. A task that finds the queue empty runs at once, so that the plain case costs nothing. */
export class TaskQueue {
  #last: Promise<void> | null = null;
  #waiting = 0;

  /** Tasks that have not ended. */
  get length(): number {
    return this.#waiting;
  }

  /** @returns a promise if the task has not ended yet; it rejects if the task fails. Later tasks run all the same. */
  run(task: () => MaybePromise): MaybePromise {
    if (this.#last) return this.#follow(this.#last.then(task));
    const work = attempt(task);
    return work instanceof Promise ? this.#follow(work) : undefined;
  }

  /** Resolves when all tasks that are queued now have ended. */
  async settled(): Promise<void> {
    await this.#last;
  }

  #follow(work: Promise<void>): Promise<void> {
    this.#waiting += 1;
    const settled = work
      .catch(() => {})
      .then(() => {
        this.#waiting -= 1;
        if (this.#last === settled) this.#last = null;
      });
    this.#last = settled;
    return work;
  }
}

function attempt(task: () => MaybePromise): MaybePromise {
  try {
    return task();
  } catch (error) {
    return Promise.reject(error);
  }
}
