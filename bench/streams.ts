/**
 * A busy stream chat: SOCKETS (1000) sockets in one room, RATE (100) messages a second for SECONDS (20), in an open loop:
 * who cannot keep up falls behind. Beside it, in the same run: a bare relay object on the same workerd, and Socket.IO on
 * Node. `node bench/streams.ts` (Node 24), some five minutes; the server and this load generator want a core each.
 *
 * Every message is followed to every socket: latency from the sending to each arrival, and for each socket and sender
 * whether a message was lost, came twice or came out of order.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { WebSocket } from "ws";
import { withSocketIo, withWorker } from "./contenders.ts";
import { HOST, post, register, startRoomcast, startWorker } from "./load.ts";
import type { Measured } from "./measure.ts";
import { openAll, opened, openedSocketIo } from "./sockets.ts";

const SOCKETS = Number(process.env.SOCKETS ?? 1000);
const RATE = Number(process.env.RATE ?? 100);
const SECONDS = Number(process.env.SECONDS ?? 20);
/** How long stragglers are waited for; what comes later is lost. */
const DRAIN_MS = 10_000;
const SENDERS = 10;
/** An object takes 100 connections of one user. */
const SOCKETS_PER_USER = 100;
const PORT = { room: 8865, relay: 8866, socketio: 8867 };

type Contender = {
  name: string;
  open: (at: number) => Promise<WebSocket>;
  frame: (text: string, id: number) => string;
};

const chatFrame = (text: string, id: number): string =>
  JSON.stringify({ type: "chat_message", id, data: { message: text } });

/** Of the relay that gathers: with less it sends more often than a core can, with more everybody waits longer. */
const GATHER_MS = 20;

/** Passes messages on to everybody: one by one, or gathered to an array each. */
const RELAY = `
import { DurableObject } from "cloudflare:workers";
export class Relay extends DurableObject {
  gathered = [];
  fetch() {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    this.sockets = this.ctx.getWebSockets();
    return new Response(null, { status: 101, webSocket: client });
  }
  webSocketMessage(_socket, message) {
    if (this.ctx.id.name === "plain") this.send(message);
    else if (this.gathered.push(message) === 1) setTimeout(() => this.flush(), ${GATHER_MS});
  }
  flush() {
    this.send("[" + this.gathered.splice(0).join(",") + "]");
  }
  send(text) {
    for (const socket of this.sockets) socket.send(text);
  }
}
export default { fetch: (request, env) => env.RELAY.getByName(new URL(request.url).pathname.slice(1)).fetch(request) };
`;

/** As long a frame as Roomcast makes of the same text: the relay passes on what it is given. */
const relayFrame = (text: string, id: number): string =>
  JSON.stringify({ type: "chat:message", id, data: { message: text, as: "x".repeat(110) } });

/** Ms → how often. */
const latencies = new Map<number, number>();
let delivered = 0;
let disorder = 0;

/** Follows one socket: of each sender the next number must be the one after the last. */
function follow(socket: WebSocket, isSender: boolean): void {
  const last = new Int32Array(SENDERS);
  socket.on("message", (data: Buffer) => {
    const now = Date.now();
    const text = isSender ? withoutAcks(data) : data;
    // `~sender.number.time;` stands once in each message.
    for (let at = text.indexOf("~"); at >= 0; at = text.indexOf("~", at + 1)) {
      const mark = text.toString("latin1", at + 1, text.indexOf(";", at)).split(".");
      const [sender = 0, number = 0, sentAt = 0] = mark.map(Number);
      if (number !== (last[sender] ?? 0) + 1) disorder += 1;
      last[sender] = number;
      delivered += 1;
      latencies.set(now - sentAt, (latencies.get(now - sentAt) ?? 0) + 1);
    }
  });
}

/** An ack repeats the message to the one who sent it: alone, or among the others of an array. */
function withoutAcks(data: Buffer): Buffer {
  if (data.indexOf('{"type":"ack"') === 0 || data.indexOf("43") === 0) return Buffer.alloc(0);
  if (data.indexOf("[") !== 0) return data;
  const frames: { type: string }[] = JSON.parse(data.toString());
  return Buffer.from(JSON.stringify(frames.filter(({ type }) => type !== "ack")));
}

function percentileMs(share: number): number {
  let left = delivered * share;
  for (const [ms, count] of [...latencies].sort(([a], [b]) => a - b)) {
    left -= count;
    if (left <= 0) return ms;
  }
  return Number.NaN;
}

async function run(server: Measured, { name, open, frame }: Contender): Promise<object> {
  latencies.clear();
  delivered = 0;
  disorder = 0;
  // Not all at once: a crowd at the door is another benchmark.
  const sockets = await openAll(SOCKETS, 20, open);
  const perSender = Math.floor(SOCKETS / SENDERS);
  for (const [at, socket] of sockets.entries()) follow(socket, at % perSender === 0);
  await sleep(1500);
  const total = RATE * SECONDS;
  const cpuBefore = server.cpuMs;
  const started = performance.now();
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - started) / 1000) * RATE));
    for (; sent < due; sent += 1) {
      const sender = sent % SENDERS;
      const text = `A chat message of ordinary length, as viewers write them all day long. ~${sender}.${Math.floor(sent / SENDERS) + 1}.${Date.now()};`;
      sockets[sender * perSender]?.send(frame(text, sent + 1));
    }
    await sleep(2);
  }
  const expected = total * SOCKETS;
  for (const end = Date.now() + DRAIN_MS; delivered < expected && Date.now() < end; ) await sleep(100);
  const result = {
    name,
    "CPU µs a delivery": Number((((server.cpuMs - cpuBefore) * 1000) / delivered).toFixed(1)),
    "p50 ms": percentileMs(0.5),
    "p99 ms": percentileMs(0.99),
    "lost or late": expected - delivered,
    "doubled or out of order": disorder,
  };
  for (const socket of sockets) socket.terminate();
  await sleep(1000);
  return result;
}

/** How clients reach the room: as plain sockets, as sockets that take arrays, and with Socket.IO. */
async function runRoomcast(server: Measured): Promise<object[]> {
  const tokens = await register(PORT.room, Math.ceil(SOCKETS / SOCKETS_PER_USER));
  const tokenOf = (at: number): string => tokens[Math.floor(at / SOCKETS_PER_USER)] ?? "";
  const newStream = async () => (await post<{ id: number }>(PORT.room, "/streams", {}, tokens[0])).id;
  const native = (id: number, query: string) => (at: number) =>
    opened(`ws://${HOST}:${PORT.room}/streams/${id}/ws?token=${tokenOf(at)}&heartbeat=client${query}`);
  const [plain, array, socketIo] = [await newStream(), await newStream(), await newStream()];
  return [
    await run(server, { name: "Roomcast, plain", open: native(plain, ""), frame: chatFrame }),
    await run(server, { name: "Roomcast, batch=1", open: native(array, "&batch=1"), frame: chatFrame }),
    await run(server, {
      name: "Roomcast, Socket.IO",
      open: (at) =>
        openedSocketIo(`ws://${HOST}:${PORT.room}`, at % 100, tokenOf(at), ["join_stream", { streamId: socketIo }]),
      frame: socketIoFrame(socketIo),
    }),
  ];
}

async function runRelay(server: Measured): Promise<object[]> {
  const relay = (kind: string) => () => opened(`ws://${HOST}:${PORT.relay}/${kind}`);
  return [
    await run(server, { name: "bare relay object, plain", open: relay("plain"), frame: relayFrame }),
    await run(server, { name: "bare relay object, arrays", open: relay("array"), frame: relayFrame }),
  ];
}

const socketIoFrame = (streamId: number) => (message: string, id: number) =>
  `42${id}${JSON.stringify(["chat_message", { streamId, message }])}`;

console.log(`${SOCKETS} sockets, ${RATE} messages a second, ${SECONDS} s`);
const RELAY_OBJECTS = { RELAY: { className: "Relay", useSQLite: true } };
const results = [
  await withSocketIo(PORT.socketio, (server, open) =>
    run(server, { name: "Socket.IO on Node", open, frame: socketIoFrame(1) }),
  ),
  ...(await withWorker(startRoomcast(PORT.room), runRoomcast)),
  ...(await withWorker(startWorker(PORT.relay, RELAY, { durableObjects: RELAY_OBJECTS }), runRelay)),
];
console.table(results);
