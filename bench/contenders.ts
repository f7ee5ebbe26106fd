/** A server that a benchmark compares: started, measured while something is done with it, and ended whatever comes of that. */
import type { Miniflare } from "miniflare";
import type { WebSocket } from "ws";
import { HOST } from "./load.ts";
import { Measured } from "./measure.ts";
import { startSocketIo } from "./socketio.ts";
import { openedSocketIo } from "./sockets.ts";

/** `started`: what `startRoomcast` or `startWorker` answers. */
export async function withWorker<T>(started: Promise<Miniflare>, work: (server: Measured) => Promise<T>): Promise<T> {
  const miniflare = await started;
  try {
    return await work(new Measured());
  } finally {
    await miniflare.dispose();
  }
}

/** `open` connects one more client, all from one address and as one user. */
export async function withSocketIo<T>(
  port: number,
  work: (server: Measured, open: () => Promise<WebSocket>) => Promise<T>,
): Promise<T> {
  const { token, stop } = await startSocketIo(port);
  try {
    return await work(new Measured(), () => openedSocketIo(`ws://${HOST}:${port}`, 0, token));
  } finally {
    stop();
  }
}
