/** What a hub keeps of its user, for the export of oneself (SPEC 13). */
import type { FrameLog } from "../realtime/log.ts";

/** Frames of one answer, in bytes of their text. */
const PAGE_BYTES = 256 * 1024;

export type HubExport = {
  /** Frames of the event log as they were sent, each as JSON. */
  events: string[];
  topics: string[];
  /** Where the next call goes on; null at the end. */
  next: number | null;
};

/** A bounded piece of the log after the position `after`, oldest first. */
export function exportPage(log: FrameLog, topics: string[], after: number): HubExport {
  const page = log.page(Math.max(after, log.tail - 1), PAGE_BYTES);
  const frames = page?.frames ?? [];
  const last = page?.to ?? log.head;
  return { events: frames.map(({ text }) => text), topics, next: last < log.head ? last : null };
}
