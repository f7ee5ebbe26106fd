import { z } from "zod";
import { type EncodedEvent, sizeOf } from "./packets.ts";

export const KeptEvent = z.object({
  offset: z.string(),
  event: z.union([
    z.string(),
    z.object({
      json: z.string(),
      attachments: z.array(z.instanceof(ArrayBuffer)),
      people: z.array(z.number().int()).optional(),
    }),
  ]),
});
/** An event with the offset by which a client says that it has it. */
export type KeptEvent = { offset: string; event: EncodedEvent };

export const MAX_EVENTS = 200;
const MAX_CHARS = 256 * 1024;

/** The last events of one socket, for a client that lost its connection. The events themselves are shared by all. */
export class Replay {
  #base: string | null;
  #kept: KeptEvent[] = [];
  #chars = 0;

  /** @param base the offset before the first kept event; null: nothing was ever sent. */
  constructor(base: string | null, kept: readonly KeptEvent[] = []) {
    this.#base = base;
    for (const { offset, event } of kept) this.add(offset, event);
  }

  /** The offset before the first event. */
  get base(): string | null {
    return this.#base;
  }

  get events(): readonly KeptEvent[] {
    return this.#kept;
  }

  /** The offset of the last event. */
  get head(): string | null {
    return this.#kept.at(-1)?.offset ?? this.#base;
  }

  add(offset: string, event: EncodedEvent): void {
    this.#kept.push({ offset, event });
    this.#chars += sizeOf(event);
    while (this.#kept.length > MAX_EVENTS || (this.#chars > MAX_CHARS && this.#kept.length > 1)) this.#dropFirst();
  }

  /** All that came after `offset`, or null if that can no longer be told. */
  since(offset: string | null): readonly KeptEvent[] | null {
    if (offset === this.#base) return this.#kept;
    const index = this.#kept.findIndex((event) => event.offset === offset);
    return index < 0 ? null : this.#kept.slice(index + 1);
  }

  #dropFirst(): void {
    const first = this.#kept.shift();
    if (!first) return;
    this.#base = first.offset;
    this.#chars -= sizeOf(first.event);
  }
}
