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
    const kept = this.#with((storage) => {
      const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
      return keys.filter((key) => key.startsWith(this.#prefix)).map((key) => parse<T>(storage.getItem(key)));
    });
    const outgoing = (kept ?? []).filter((message) => message !== undefined);
    for (const { clientMessageId } of outgoing) this.#stored.add(clientMessageId);
    return outgoing.sort((a, b) => a.createdAt - b.createdAt);
  }

  /** A message, or what has become of it; not of one that another tab is done with. */
  write(message: Outgoing<T>): void {
    const { clientMessageId } = message;
    if (this.isTaken(clientMessageId)) return;
    this.#with((storage) => {
      storage.setItem(this.#prefix + clientMessageId, JSON.stringify(message));
      this.#stored.add(clientMessageId);
    });
  }

  remove(clientMessageId: string): void {
    this.#with((storage) => storage.removeItem(this.#prefix + clientMessageId));
    this.#stored.delete(clientMessageId);
  }

  /** Whether another tab has sent or discarded it meanwhile. */
  isTaken(clientMessageId: string): boolean {
    const key = this.#prefix + clientMessageId;
    return this.#stored.has(clientMessageId) && this.#with((storage) => storage.getItem(key)) === null;
  }

  /** What a storage that is full or switched off does not keep lasts as long as the page. */
  #with<R>(use: (storage: OutboxStorage) => R): R | undefined {
    try {
      return this.#storage && use(this.#storage);
    } catch {
      return undefined;
    }
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
