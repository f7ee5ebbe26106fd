/**
 * From the POST of a direct message to its event at the receiver's socket, beside a bare Worker that does the same work in
 * D1 and pushes through a bare object, and beside Socket.IO on Node, which inserts and emits:
 * `node bench/direct-messages.ts [--seconds 4] [--rounds 2]` (Node 24), a minute, in interleaved rounds.
 */
import type { WebSocket } from "ws";
import { migrate } from "../scripts/miniflare.ts";
import { option } from "../scripts/tools.ts";
import { HOST, post, register, startRoomcast, startWorker } from "./load.ts";
import { closedLoop, Measured, median, type Rate, rounded } from "./measure.ts";
import { startSocketIo } from "./socketio.ts";
import { opened, openedSocketIo } from "./sockets.ts";

const seconds = Number(option(process.argv, "seconds") ?? "4");
const rounds = Number(option(process.argv, "rounds") ?? "2");
const PORT = { room: 8872, bare: 8873, socketio: 8874 };
const PARALLEL = 4;

/**
 * The same work in D1: who calls, whether the receiver may be written to, a message, two to tell, read back; pushed, and cleared
 * after the answer.
 */
const BARE = `
import { DurableObject } from "cloudflare:workers";
export class Hub extends DurableObject {
  fetch() {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }
  push(text) {
    for (const socket of this.ctx.getWebSockets()) socket.send(text);
  }
}
export default {
  async fetch(request, { DB, HUB }, ctx) {
    if (request.headers.get("upgrade")) return HUB.getByName(new URL(request.url).pathname).fetch(request);
    const { receiverId, content } = await request.json();
    const now = Date.now();
    const told = "INSERT INTO outbox (target, payload, created_at) SELECT 'user:' || ?, json_object('content', content), ? FROM messages WHERE id = (SELECT max(id) FROM messages)";
    const caller = "SELECT u.* FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ?";
    const blocked = "EXISTS (SELECT 1 FROM blocks WHERE (blocker_id = 1 AND blocked_id = ?1) OR (blocker_id = ?1 AND blocked_id = 1))";
    const [, , made, , , pending] = await DB.batch([
      DB.prepare(caller).bind("a"),
      DB.prepare("SELECT account_status, " + blocked + " FROM users WHERE id = ?1").bind(receiverId),
      DB.prepare("INSERT INTO messages (sender_id, receiver_id, content, created_at) SELECT 1, ?1, ?2, ?3 WHERE NOT " + blocked + " RETURNING *").bind(receiverId, content, now),
      DB.prepare(told).bind(1, now),
      DB.prepare(told).bind(receiverId, now),
      DB.prepare("SELECT id, target, payload FROM outbox WHERE target IN ('user:1', ?)").bind("user:" + receiverId),
    ]);
    const ids = pending.results.map(({ id }) => id);
    ctx.waitUntil(Promise.all(["/1", "/" + receiverId].map((name) => HUB.getByName(name).push(content)))
      .then(() => DB.prepare("DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?))").bind(JSON.stringify(ids)).run()));
    return Response.json(made.results[0], { status: 201 });
  },
};
`;

/** Resolves `arrival(text)` when a frame with the text comes. */
function arrivals(socket: WebSocket): (mark: string) => Promise<void> {
  const waiting = new Map<string, () => void>();
  socket.on("message", (data: Buffer) => {
    for (const [mark] of data.toString().matchAll(/~\d+~/g)) {
      waiting.get(mark)?.();
      waiting.delete(mark);
    }
  });
  return (mark) => new Promise((resolve) => waiting.set(mark, resolve));
}

let sent = 0;
/** Sends a message, and resolves when it has arrived. */
async function deliver(arrival: (mark: string) => Promise<void>, send: (text: string) => unknown): Promise<void> {
  sent += 1;
  const mark = `~${sent}~`;
  const arrived = arrival(mark);
  await Promise.all([send(`A message of ordinary length, as people write them. ${mark}`), arrived]);
}

type Contender = { name: string; server: Measured; one: () => Promise<void> };

const room = await startRoomcast(PORT.room);
const roomServer = new Measured();
const bare = await startWorker(PORT.bare, BARE, {
  d1Databases: ["DB"],
  durableObjects: { HUB: { className: "Hub", useSQLite: true } },
});
const bareServer = new Measured();
const socketIo = await startSocketIo(PORT.socketio);
const socketIoServer = new Measured();

async function withRoomcast(): Promise<Contender> {
  const [sender = "", receiver = ""] = await register(PORT.room, 2);
  const socket = await opened(`ws://${HOST}:${PORT.room}/api/v1/ws?token=${receiver}&heartbeat=client`);
  const arrival = arrivals(socket);
  const send = (content: string) => post(PORT.room, "/messages", { receiverId: 2, content }, sender);
  return { name: "Roomcast", server: roomServer, one: () => deliver(arrival, send) };
}

async function withBare(): Promise<Contender> {
  await migrate(await bare.getD1Database("DB"));
  const arrival = arrivals(await opened(`ws://${HOST}:${PORT.bare}/2`));
  const send = (content: string) => post(PORT.bare, "/messages", { receiverId: 2, content });
  return { name: "bare Worker and object", server: bareServer, one: () => deliver(arrival, send) };
}

async function withSocketIo(): Promise<Contender> {
  const open = () => openedSocketIo(`ws://${HOST}:${PORT.socketio}`, 0, socketIo.token);
  const [sender, receiver] = [await open(), await open()];
  const arrival = arrivals(receiver);
  const send = (message: string) => sender.send(`421${JSON.stringify(["chat_message", { message }])}`);
  return { name: "Socket.IO on Node", server: socketIoServer, one: () => deliver(arrival, send) };
}

try {
  const contenders = [await withRoomcast(), await withBare(), await withSocketIo()];
  const found = new Map<string, Rate[]>();
  for (const { server, one } of contenders) await closedLoop(server, { parallel: PARALLEL, seconds: 1 }, one);
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, server, one } of contenders) {
      const rate = await closedLoop(server, { parallel: PARALLEL, seconds }, one);
      found.set(name, [...(found.get(name) ?? []), rate]);
    }
  }
  const cpuOf = (name: string) => median((found.get(name) ?? []).map(({ cpuMs }) => cpuMs));
  console.table(
    contenders.map(({ name }) => ({
      name,
      "CPU ms each": rounded(cpuOf(name)),
      "p50 ms": rounded(median((found.get(name) ?? []).map(({ p50Ms }) => p50Ms))),
      "messages/s": rounded(median((found.get(name) ?? []).map(({ perSecond }) => perSecond))),
      "its CPU / ours (goal of the bare one: 0.6)": rounded(cpuOf(name) / cpuOf("Roomcast")),
    })),
  );
} finally {
  socketIo.stop();
  await Promise.all([room.dispose(), bare.dispose()]);
}
