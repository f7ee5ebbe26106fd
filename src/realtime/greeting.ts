/** What a socket is sent first: the position in the log, then what it missed. */
import type { Connection } from "./connection.ts";
import type { ConnectRequest } from "./connection-state.ts";
import type { ReplayLog } from "./log.ts";
import { FrameBatch } from "./transport.ts";

/** Frames of a replay that go out together. */
const REPLAY_GROUP = 100;

/** `queueStart`: the position from which frames wait for a client that gives no `since`. */
export function greet(
  connection: Connection,
  log: ReplayLog,
  { since, epoch: known }: ConnectRequest,
  queueStart: number | undefined,
): void {
  const { head: seq, epoch } = log;
  const from = since ?? queueStart;
  const position = since === undefined ? (queueStart ?? seq) : seq;
  const greeting = [JSON.stringify({ type: "connected", userId: connection.userId, seq: position, epoch })];
  if (from !== undefined) {
    const replay = log.since(from, since === undefined ? epoch : known);
    if ("resync" in replay) greeting.push(JSON.stringify({ type: "resync", data: { seq, epoch } }));
    else greeting.push(...replay.frames);
  }
  for (let from = 0; from < greeting.length; from += REPLAY_GROUP) {
    connection.send(new FrameBatch(greeting.slice(from, from + REPLAY_GROUP)));
  }
}
