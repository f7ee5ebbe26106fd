import { z } from "zod";
import type { EncodedEvent } from "./events.ts";

const KeptEvent = z.object({
  offset: z.string(),
  event: z.union([z.string(), z.object({ json: z.string(), attachments: z.array(z.instanceof(ArrayBuffer)) })]),
});
export interface KeptEvent {
  offset: string;
  event: EncodedEvent;
}

/** A replay buffer as rows hold it. */
export const ReplayRecord = z.object({ base: z.string().nullable(), kept: z.array(KeptEvent) });
export type ReplayRecord = z.infer<typeof ReplayRecord>;

const MAX_EVENTS = 200;
const MAX_CHARS = 256 * 1024;

/** The last events of one socket, for a client that lost its connection. The events themselves are shared by all. */
export class Replay {
  private kept: KeptEvent[] = [];
  private chars = 0;

  /** @param base the offset before the first kept event; null: nothing was ever sent. */
  constructor(private base: string | null) {}

  static from(record: ReplayRecord): Replay {
    const replay = new Replay(record.base);
    for (const { offset, event } of record.kept) replay.add(offset, event);
    return replay;
  }

  get record(): ReplayRecord {
    return { base: this.base, kept: this.kept };
  }

  /** The offset of the last event. */
  get head(): string | null {
    return this.kept.at(-1)?.offset ?? this.base;
  }

  add(offset: string, event: EncodedEvent): void {
    this.kept.push({ offset, event });
    this.chars += sizeOf(event);
    while (this.kept.length > MAX_EVENTS || (this.chars > MAX_CHARS && this.kept.length > 1)) this.dropFirst();
  }

  /** All that came after `offset`, or null if that can no longer be told. */
  since(offset: string | null): KeptEvent[] | null {
    if (offset === this.base) return this.kept;
    const index = this.kept.findIndex((event) => event.offset === offset);
    return index < 0 ? null : this.kept.slice(index + 1);
  }

  private dropFirst(): void {
    const first = this.kept.shift();
    if (!first) return;
    this.base = first.offset;
    this.chars -= sizeOf(first.event);
  }
}

function sizeOf(event: EncodedEvent): number {
  if (typeof event === "string") return event.length;
  return event.attachments.reduce((sum, bytes) => sum + bytes.byteLength, event.json.length);
}
