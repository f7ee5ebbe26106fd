/**
 * Whether a client reads what it is sent. workerd has no bufferedAmount: the only sign is the answer to a ping, which comes
 * after everything that was sent before it. So a ping goes out with every PROBE_BYTES that are sent, whoever sees to the
 * heartbeat, and what was sent since the last one that was answered may still lie in the object's memory.
 */
import { z } from "zod";

const PROBE_BYTES = 512 * 1024;
/** Older pings than these are not waited for: what answers a later one answers them. Attachments have 16 KB. */
const PINGS_KEPT = 40;

export const ReaderState = z.object({
  /** Bytes in all. */
  sent: z.number(),
  read: z.number(),
  /** What had been sent by the last ping. */
  probedAt: z.number(),
  /** Those that were not answered yet, in the order of sending; `sent`: all that had been sent by then. */
  pings: z.array(z.object({ timestamp: z.string(), at: z.number(), sent: z.number() })),
  /** Its pongs name the ping that they answer: nothing else is an answer. */
  isExact: z.boolean(),
});
export type ReaderState = z.infer<typeof ReaderState>;

export class Reader {
  readonly state: ReaderState;

  /** @param state as it was before hibernation; of a new connection nothing was sent. */
  constructor(state: ReaderState = { sent: 0, read: 0, probedAt: 0, pings: [], isExact: false }) {
    this.state = state;
  }

  /** @returns whether it is time to ping */
  send(bytes: number): boolean {
    this.state.sent += bytes;
    return this.state.sent - this.state.probedAt >= PROBE_BYTES;
  }

  /** A ping is sent, for whatever reason. */
  ping(timestamp: string, now: number): void {
    const { sent, pings } = this.state;
    this.state.probedAt = sent;
    pings.push({ timestamp, at: now, sent });
    if (pings.length > PINGS_KEPT) pings.shift();
  }

  /**
   * A pong has come.
   * @returns false when no ping asked for it: then only pongs that name a ping count from now on
   */
  pong(timestamp: string | undefined): boolean {
    const named = this.state.pings.findIndex((ping) => ping.timestamp === timestamp);
    if (named < 0 && this.frame()) return true;
    this.state.isExact = true;
    return this.#answered(named);
  }

  /**
   * Another frame has come, or a pong that names no ping. Of a client that never named one it counts for the oldest ping:
   * many read without answering pings. A flood of them is no way out, since frames are limited.
   */
  frame(): boolean {
    return !this.state.isExact && this.#answered(0);
  }

  #answered(at: number): boolean {
    const ping = this.state.pings[at];
    if (!ping) return false;
    this.state.read = ping.sent;
    this.state.pings.splice(0, at + 1);
    return true;
  }

  /** Whether all that was sent came before a ping. */
  get isAsked(): boolean {
    return this.state.probedAt === this.state.sent;
  }

  /** What may not have been read yet, bytes. */
  get unread(): number {
    return this.state.sent - this.state.read;
  }

  /** Since when a ping has been waiting for its answer, ms; null when none is. */
  get waitingSince(): number | null {
    return this.state.pings[0]?.at ?? null;
  }
}
