/** What a socket is sent first: its position in the log. */
import type { Connection } from "./connection.ts";
import type { ConnectRequest } from "./connection-state.ts";
import type { ReplayLog } from "./log.ts";
import type { Replays } from "./replays.ts";
import { FrameBatch } from "./transport.ts";

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
  const frame = { type: "connected", userId: connection.userId, seq, epoch: log.epoch };
  const greeting = [JSON.stringify(frame)];
  if (from === undefined) connection.send(new FrameBatch(greeting));
  else replays.begin(connection, { greeting, from, epoch: isQueue ? log.epoch : epoch, isQueue });
}
