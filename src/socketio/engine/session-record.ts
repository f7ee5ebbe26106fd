import { z } from "zod";
import { ReaderState } from "../../realtime/reader.ts";
import { Handshake } from "./handshake.ts";

/** A session in an attachment or a row. */
export const StoredSession = z.object({
  /** JSON of what seldom changes, so that what a session is sent need not write all of it again. */
  lasting: z.string(),
  live: z.object({
    heardAt: z.number(),
    pingSentAt: z.number().nullable(),
    hasSpoken: z.boolean(),
    reader: ReaderState,
    layer: z.unknown(),
  }),
});
export type StoredSession = z.infer<typeof StoredSession>;

const Lasting = z.object({ sid: z.string(), handshake: Handshake, layer: z.unknown() });

/** A session as it was before the object slept. */
export type SessionRecord = {
  sid: string;
  handshake: Handshake;
  heardAt: number;
  pingSentAt: number | null;
  hasSpoken: boolean;
  reader: ReaderState;
  layer: { lasting: unknown; live: unknown };
  state: "open" | "closing";
  outbox: string[];
};

/** `polling`: what only a row has. */
export function recordOf(
  { lasting, live }: StoredSession,
  polling: Pick<SessionRecord, "state" | "outbox"> = { state: "open", outbox: [] },
): SessionRecord {
  const { sid, handshake, layer } = Lasting.parse(JSON.parse(lasting));
  const { layer: liveLayer, ...heartbeat } = live;
  const { state, outbox } = polling;
  return { sid, handshake, ...heartbeat, layer: { lasting: layer, live: liveLayer }, state, outbox };
}

/** Bytes of a session's record. Source: Durable Objects, `serializeAttachment`, which takes 16 384 with what it adds. */
const MAX_RECORD_BYTES = 15_500;

/** Of these the pings take this much, when as many are unanswered as a session may have. */
const MAX_PING_BYTES = 1700;

/** @throws RangeError if a session could not be kept with this much in it, and all the pings that it may have */
export function assertFits({ lasting, live: { reader: _, ...live } }: StoredSession): void {
  if (bytesOf(lasting) + bytesOf(JSON.stringify(live)) > MAX_RECORD_BYTES - MAX_PING_BYTES) {
    throw new RangeError(`a session's record is limited to ${MAX_RECORD_BYTES - MAX_PING_BYTES} bytes`);
  }
}

/** As an attachment keeps text: two bytes a character as soon as one of them needs it. */
function bytesOf(text: string): number {
  return /[\u0100-\uffff]/.test(text) ? text.length * 2 : text.length;
}
