/**
 * What an object with many sockets sends, it sends in turns. A send only queues: what is queued goes out when the object
 * lets go. With everything queued at once, each of a thousand sockets has left the processor's cache before its next
 * message comes by, and a send costs more than twice as much (bench/streams.ts).
 */

/**
 * Sends in one turn: few enough for their sockets to stay in the processor's cache, and enough for the time that passes
 * between two turns, some milliseconds however short the timer is, not to matter.
 */
export const TURN_SENDS = 1000;

/** Lets go until the next turn. Nothing shorter than a timer lets queued sends out. */
export const nextTurn = (): Promise<void> => scheduler.wait(0);
