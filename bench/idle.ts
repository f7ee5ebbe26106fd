/**
 * Memory of an idle socket in one room, beside a bare object, a bare object that also opens one for each user (as members' hubs
 * are opened), and Socket.IO on Node: `node bench/idle.ts [--sockets 500]` (Node 24), half a minute. Every socket is another
 * user's. What is counted is how much a server grows from when a tenth of the sockets is there, so that what it needs anyway
 * does not count.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { WebSocket } from "ws";
import { option } from "../scripts/tools.ts";
import { startBare } from "./bare.ts";
import { withSocketIo, withWorker } from "./contenders.ts";
import { HOST, post, register, startRoomcast } from "./load.ts";
import { type Measured, rounded } from "./measure.ts";
import { closeAll, openAll, opened } from "./sockets.ts";

const sockets = Number(option(process.argv, "sockets") ?? "500");
const PORT = { room: 8880, bare: 8881, socketio: 8882 };
const SETTLED_MS = 3000;

type Row = { name: string; "KB a socket": number };

async function grow(name: string, server: Measured, open: (at: number) => Promise<WebSocket>): Promise<Row> {
  const first = Math.ceil(sockets / 10);
  const before = await openAll(first, 20, open);
  await sleep(SETTLED_MS);
  const least = server.memoryKb;
  const rest = await openAll(sockets - first, 20, (at) => open(first + at));
  await sleep(SETTLED_MS);
  const row = { name, "KB a socket": rounded((server.memoryKb - least) / (sockets - first)) };
  await closeAll([...before, ...rest]);
  return row;
}

async function growRoomcast(server: Measured): Promise<Row> {
  const tokens = await register(PORT.room, sockets);
  const { id } = await post<{ id: number }>(PORT.room, "/streams", {}, tokens[0]);
  return grow("Roomcast", server, (at) =>
    opened(`ws://${HOST}:${PORT.room}/streams/${id}/ws?token=${tokens[at]}&heartbeat=client`),
  );
}

const growBare = (name: string, query: (at: number) => string): Promise<Row> =>
  withWorker(startBare(PORT.bare), (server) =>
    grow(name, server, (at) => opened(`ws://${HOST}:${PORT.bare}/room${query(at)}`)),
  );

const rows = [
  await withWorker(startRoomcast(PORT.room), growRoomcast),
  await growBare("bare room, and a bare object for each user", (at) => `?user=${at}`),
  await growBare("bare room", () => ""),
  await withSocketIo(PORT.socketio, (server, open) => grow("Socket.IO on Node", server, open)),
];
const [ours] = rows;
console.log(`${sockets} idle sockets, each another user's`);
console.table(
  rows.map((row) => ({
    ...row,
    "ours / its (goal of the second: 1.3)": rounded((ours?.["KB a socket"] ?? 0) / row["KB a socket"]),
  })),
);
