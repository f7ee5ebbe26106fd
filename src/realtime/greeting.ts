/** What a socket is sent first: its position in the log. */
import type { Connection } from "./connection.ts";
import type { ConnectRequest } from "./connection-state.ts";
import { EncodedFrame } from "./encoded-frame.ts";
import type { ReplayLog } from "./log.ts";
import { encodeFrame } from "./protocol.ts";
import type { Replays } from "./replays.ts";
import { FrameBatch } from "./transport.ts";

/** What waits for a client that a gateway holds crosses in one call, of which the platform takes 32 MiB. */
const REMOTE_QUEUE_BYTES = 8 * 1024 * 1024;

/** `queueStart`: the position from which frames wait for a client that gives no `since`. */
export function greet(
  connection: Connection,
  { log, replays }: { log: ReplayLog; replays: Replays },
  { since, epoch }: ConnectRequest,
  queueStart: number | undefined,
): void {
  const isQueue = since === undefined;
  const from = since ?? queueStart;
  const seq = isQueue ? (queueStart ?? log.head) : log.head;
  const greeting = [EncodedFrame.of({ type: "connected", userId: connection.userId, seq, epoch: log.epoch })];
  if (from === undefined) connection.send(new FrameBatch(greeting));
  else replays.begin(connection, { greeting, from, epoch: isQueue ? log.epoch : epoch, isQueue });
}

/**
 * A client that a gateway holds, for which frames wait after `start`: its position, and all of them, which the gateway keeps
 * for a reader that is slow; if they are too many, that it has to refetch.
 * @returns the position in the log before what it is sent; null if nothing waits: its gateway greets it
 */
export function greetRemote(connection: Connection, log: ReplayLog, start: number): number | null {
  const { head, epoch } = log;
  if (start >= head) return null;
  const page = log.page(start, REMOTE_QUEUE_BYTES);
  const isWhole = page !== null && page.to >= head;
  const seq = isWhole ? start : head;
  const data = { userId: connection.userId, seq, epoch };
  const frames = isWhole ? page.frames : [encodeFrame({ type: "resync", data: { seq: head, epoch } })];
  connection.send(new FrameBatch([encodeFrame({ type: "connected", data }), ...frames]));
  return seq;
}
