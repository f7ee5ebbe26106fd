/** What is unsent, kept over a reload: one item for each message, so that two tabs do not overwrite each other's. */
import type { Outgoing } from "./outbox.ts";

/** As much of the browser's `Storage` as is used; `localStorage`, or anything like it that answers at once. */
export type OutboxStorage = {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
};

export class KeptMessages<T> {
  readonly #storage: OutboxStorage | undefined;
  readonly #prefix: string;
  /** Those that could be stored: a storage may be full. */
  readonly #stored = new Set<string>();

  constructor(storage: OutboxStorage | undefined, key: string) {
    this.#storage = storage;
    this.#prefix = `roomcast.outbox:${key}:`;
  }

  /** What an earlier page left, oldest first. */
  read(): Outgoing<T>[] {
    const storage = this.#storage;
    if (!storage) return [];
    const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
    const kept = keys.filter((key) => key.startsWith(this.#prefix)).map((key) => parse<T>(storage.getItem(key)));
    const outgoing = kept.filter((message) => message !== undefined);
    for (const { clientMessageId } of outgoing) this.#stored.add(clientMessageId);
    return outgoing.sort((a, b) => a.createdAt - b.createdAt);
  }

  write(message: Outgoing<T>): void {
    try {
      this.#storage?.setItem(this.#prefix + message.clientMessageId, JSON.stringify(message));
      if (this.#storage) this.#stored.add(message.clientMessageId);
    } catch {
      // Full, or switched off: it lasts as long as the page.
    }
  }

  remove(clientMessageId: string): void {
    this.#storage?.removeItem(this.#prefix + clientMessageId);
    this.#stored.delete(clientMessageId);
  }

  /** Whether another tab has sent or discarded it meanwhile. */
  isTaken(clientMessageId: string): boolean {
    return this.#stored.has(clientMessageId) && this.#storage?.getItem(this.#prefix + clientMessageId) === null;
  }
}

/** Written by this class; what is broken all the same is passed over. */
function parse<T>(text: string | null): Outgoing<T> | undefined {
  try {
    const message = JSON.parse(text ?? "null");
    return typeof message.clientMessageId === "string" && typeof message.createdAt === "number" ? message : undefined;
  } catch {
    return undefined;
  }
}
