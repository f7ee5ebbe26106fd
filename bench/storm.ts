/**
 * Thousands come at once: connects into one stream's chat, beside a bare object, a bare Worker that asks the platform the
 * same as ours does for each of them (a read of D1, the room, an object for each user), and Socket.IO on Node.
 * `node bench/storm.ts [--sizes 100,1000,5000] [--bun]` (Node 24), a minute. What counts is that a connect costs the same CPU
 * in a crowd of any size. `--bun` adds Bun's own publish (`npx bun`, fetched if it is not there).
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { WebSocket } from "ws";
import { option } from "../scripts/tools.ts";
import { startBareOverD1 } from "./bare.ts";
import { startBun } from "./bun.ts";
import { withSocketIo, withWorker } from "./contenders.ts";
import { HOST, post, register, startRoomcast, startWorker } from "./load.ts";
import { type Measured, rounded } from "./measure.ts";
import { relayObjects, relayScript } from "./relay.ts";
import { closeAll, openAll, opened } from "./sockets.ts";

const sizes = (option(process.argv, "sizes") ?? "100,1000,5000").split(",").map(Number);
const PORT = { room: 8875, relay: 8876, socketio: 8877, bun: 8878, bare: 8879 };
/** So many handshakes are under way at a time: more than a listening socket's queue would be lost by the kernel. */
const AT_ONCE = 500;
/** An object takes 100 connections of one user. */
const SOCKETS_PER_USER = 100;

type Row = Record<string, string | number>;

async function storm(
  name: string,
  server: Measured,
  open: (storm: number, at: number) => Promise<WebSocket>,
): Promise<Row> {
  const row: Row = { name };
  await closeAll(await openAll(50, 50, (at) => open(-1, at)));
  for (const [nth, size] of sizes.entries()) {
    await sleep(300);
    const started = performance.now();
    let sockets: WebSocket[] = [];
    const cpuMs = await server.cpuOf(async () => {
      sockets = await openAll(size, AT_ONCE, (at) => open(nth, at));
      // What everybody is told of who has come belongs to it.
      await sleep(200);
    });
    row[`${size}: connects/s`] = rounded(size / ((performance.now() - started - 200) / 1000));
    row[`${size}: CPU ms each`] = rounded(cpuMs / size);
    await closeAll(sockets);
  }
  const each = sizes.map((size) => Number(row[`${size}: CPU ms each`]));
  row["most / least"] = rounded(Math.max(...each) / Math.min(...each));
  return row;
}

async function stormRoomcast(server: Measured): Promise<Row> {
  const tokens = await register(PORT.room, Math.ceil(Math.max(...sizes) / SOCKETS_PER_USER));
  const streams: number[] = [];
  for (let at = 0; at <= sizes.length; at += 1)
    streams.push((await post<{ id: number }>(PORT.room, "/streams", {}, tokens[0])).id);
  const tokenOf = (at: number) => tokens[Math.floor(at / SOCKETS_PER_USER)];
  return storm("Roomcast", server, (nth, at) =>
    opened(`ws://${HOST}:${PORT.room}/streams/${streams[nth + 1]}/ws?token=${tokenOf(at)}&heartbeat=client&batch=1`),
  );
}

const stormRelay = (server: Measured): Promise<Row> =>
  storm("bare object", server, (nth) => opened(`ws://${HOST}:${PORT.relay}/array/${nth}`));

const stormBare = (server: Measured): Promise<Row> =>
  storm("bare Worker, D1 and objects", server, (nth, at) =>
    opened(`ws://${HOST}:${PORT.bare}/${nth}?user=${Math.floor(at / SOCKETS_PER_USER)}`),
  );

async function withBun(): Promise<Row[]> {
  if (!process.argv.includes("--bun")) return [];
  const { server, stop } = await startBun(PORT.bun);
  try {
    return [await storm("Bun, publish", server, () => opened(`ws://${HOST}:${PORT.bun}/`))];
  } finally {
    stop();
  }
}

console.log(`${sizes.join(", ")} sockets into one room, ${AT_ONCE} handshakes at a time`);
console.table([
  await withWorker(startRoomcast(PORT.room), stormRoomcast),
  await withWorker(startWorker(PORT.relay, relayScript, { durableObjects: relayObjects }), stormRelay),
  await withWorker(startBareOverD1(PORT.bare), stormBare),
  await withSocketIo(PORT.socketio, (server, open) => storm("Socket.IO on Node", server, open)),
  ...(await withBun()),
]);
