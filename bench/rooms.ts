/**
 * A room against a bare relay: `node bench/rooms.ts` (Node 24). Both run on the same workerd binary, in the same minutes,
 * in interleaved rounds; read the ratios, not the figures. Some three minutes; settings by environment:
 * ROUNDS (3), SECONDS (3), SOCKETS ("50,500"), WINDOW (16).
 *
 * Load: SENDERS sockets each keep WINDOW messages under way. Counted: what the other sockets of the room receive.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { WebSocket } from "ws";
import { post, startRoomcast, startWorker } from "./load.ts";
import { relayObjects, relayScript } from "./relay.ts";
import { openAll, opened } from "./sockets.ts";

const ROUNDS = Number(process.env.ROUNDS ?? 3);
const SECONDS = Number(process.env.SECONDS ?? 3);
const SIZES = (process.env.SOCKETS ?? "50,500").split(",").map(Number);
const SENDERS = 4;
const WINDOW = Number(process.env.WINDOW ?? 16);
const WARM_UP_MS = 700;
/** An object takes 100 connections of one user. */
const SOCKETS_PER_USER = 100;
/** Stands once in each message and nowhere else. */
const MARK = "~";
const TEXT = `${"A message of ordinary length, as people write them to each other all day. ".slice(0, 70)}${MARK}`;
const PORT = { room: 8820, relay: 8821 };

type Contender = {
  name: string;
  isArray: boolean;
  open(sockets: number): Promise<WebSocket[]>;
  frame(sender: number): string;
  /** How often a sender finds its own tag per message of its own: in the message, and in an ack. */
  tagsPerMessage: number;
};

const startRelay = () => startWorker(PORT.relay, relayScript, { durableObjects: relayObjects });

/** What the calls made here answer. */
type Answer = { id: string; user: { id: number }; token: string };

const api = (path: string, body: unknown, token?: string) => post<Answer>(PORT.room, path, body, token);

type User = { id: number; token: string };
async function register(count: number): Promise<User[]> {
  const users: User[] = [];
  for (let at = 0; at < count; at += 1) {
    const username = `bench_${at}`;
    const made = await api("/auth/register", { username, email: `${username}@example.com`, password: "correct horse" });
    users.push({ id: made.user.id, token: made.token });
  }
  return users;
}

let rooms = 0;

function room(users: User[], isArray: boolean): Contender {
  return {
    name: isArray ? "room, batch=1" : "room",
    isArray,
    tagsPerMessage: 2,
    open: async (sockets) => {
      rooms += 1;
      const [owner, ...others] = users as [User, ...User[]];
      const body = { name: `bench ${rooms}`, isGroup: true, memberIds: others.map(({ id }) => id) };
      const { id } = await api("/rooms", body, owner.token);
      const urlOf = (at: number) => {
        const user = users[Math.floor(at / SOCKETS_PER_USER)] ?? owner;
        const query = `token=${user.token}&heartbeat=client${isArray ? "&batch=1" : ""}`;
        return `ws://127.0.0.1:${PORT.room}/ws/${id}/${user.id}?${query}`;
      };
      return openAll(sockets, 20, (at) => opened(urlOf(at)));
    },
    frame: (sender) => JSON.stringify({ type: "send_message", id: 1, data: { content: `${TEXT}s${sender};` } }),
  };
}

function relay(isArray: boolean): Contender {
  return {
    name: isArray ? "relay, arrays" : "relay",
    isArray,
    tagsPerMessage: 1,
    open: (sockets) => {
      rooms += 1;
      const url = `ws://127.0.0.1:${PORT.relay}/${isArray ? "array" : "plain"}/room-${rooms}`;
      return openAll(sockets, 20, () => opened(url));
    },
    // As long as what the room sends: the frame of a message, with the twins of its fields (SPEC 14).
    frame: (sender) => {
      const roomId = crypto.randomUUID();
      const id = `${roomId}_000000001`;
      const data = {
        id,
        roomId,
        seq: 1000,
        userId: 1,
        username: "bench_0",
        avatarUrl: null,
        content: `${TEXT}s${sender};`,
        type: "text",
        fileUrl: null,
        replyTo: null,
        createdAt: new Date().toISOString(),
        messageId: id,
        user_id: 1,
        room_id: roomId,
        message_id: id,
      };
      return JSON.stringify({ type: "new_message", data, seq: 1000 });
    },
  };
}

function occurrences(data: Buffer, what: string): number {
  let count = 0;
  for (let at = data.indexOf(what); at >= 0; at = data.indexOf(what, at + 1)) count += 1;
  return count;
}

/** Deliveries a second to those who do not send. */
async function run(contender: Contender, size: number): Promise<number> {
  const sockets = await contender.open(size);
  const senders = sockets.slice(0, SENDERS);
  let delivered = 0;
  let isOver = false;
  for (const socket of sockets.slice(SENDERS)) {
    socket.on("message", (data: Buffer) => {
      delivered += occurrences(data, MARK);
    });
  }
  for (const [at, socket] of senders.entries()) {
    const frame = contender.frame(at);
    let tags = 0;
    socket.on("message", (data: Buffer) => {
      tags += occurrences(data, `${MARK}s${at};`);
      for (; tags >= contender.tagsPerMessage && !isOver; tags -= contender.tagsPerMessage) socket.send(frame);
    });
    for (let sent = 0; sent < WINDOW; sent += 1) socket.send(frame);
  }
  await sleep(WARM_UP_MS);
  const [before, started] = [delivered, performance.now()];
  await sleep(SECONDS * 1000);
  const rate = (delivered - before) / ((performance.now() - started) / 1000);
  isOver = true;
  for (const socket of sockets) socket.terminate();
  await sleep(300);
  return rate;
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const thousands = (value: number): string => `${Math.round(value / 1000)}k`;

async function compare(size: number, theirs: Contender, ours: Contender, target: number): Promise<void> {
  const rates: { theirs: number[]; ours: number[]; ratios: number[] } = { theirs: [], ours: [], ratios: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const relayed = await run(theirs, size);
    const roomed = await run(ours, size);
    rates.theirs.push(relayed);
    rates.ours.push(roomed);
    rates.ratios.push(roomed / relayed);
  }
  const ratio = median(rates.ratios);
  const figures = `${theirs.name} ${thousands(median(rates.theirs))}/s, ${ours.name} ${thousands(median(rates.ours))}/s`;
  const rounds = rates.ratios.map((value) => value.toFixed(2)).join(" ");
  console.log(
    `${size} sockets: ${figures}, ratio ${ratio.toFixed(2)} (rounds ${rounds}; target ${target}) ${ratio >= target ? "reached" : "MISSED"}`,
  );
}

const roomcast = await startRoomcast(PORT.room);
const relays = await startRelay();
try {
  const users = await register(Math.ceil(Math.max(...SIZES) / SOCKETS_PER_USER));
  for (const size of SIZES) {
    await compare(size, relay(false), room(users, false), 1);
    await compare(size, relay(true), room(users, true), 0.7);
  }
} finally {
  await Promise.all([roomcast.dispose(), relays.dispose()]);
}
