/** Keeps what is unsent as long as a provider is there: over a new token, and over a chat that is left and shown again. */
import type { OutboxStorage } from "@roomcast/client";

export class MemoryStorage implements OutboxStorage {
  readonly #items = new Map<string, string>();

  get length(): number {
    return this.#items.size;
  }

  key(index: number): string | null {
    return [...this.#items.keys()][index] ?? null;
  }

  getItem(key: string): string | null {
    return this.#items.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.#items.set(key, value);
  }

  removeItem(key: string): void {
    this.#items.delete(key);
  }
}
