/**
 * An object with many sockets sends in slices. A send only queues: what is queued goes out when the object yields. With
 * everything queued at once, each of a thousand sockets has left the processor's cache before its next message comes by,
 * and a send costs more than twice as much (bench/streams.ts).
 */

/**
 * Sends in one slice of a room: few enough for their sockets to stay in the processor's cache and not to wait for one another,
 * and enough for the time that passes between two slices, some milliseconds however short the timer is, not to matter.
 */
export const SLICE_SENDS = 250;

/** The same of a gateway, whose clients take a send for each event: with fewer the processor would be idle in between. */
export const GATEWAY_SLICE_SENDS = 500;

/** Yields until the next slice. Nothing shorter than a timer lets queued sends out. */
export const nextSlice = (): Promise<void> => scheduler.wait(0);
