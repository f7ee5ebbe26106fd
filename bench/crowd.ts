/**
 * One stream with a growing number of audience objects: `node bench/crowd.ts [--rate 20] [--seconds 4] [--viewers 10000]`
 * (Node 24), a minute and a half. At a constant rate of messages, everything of a message is CPU of one workerd: the room's
 * part for being said, its part for each audience object, and what each viewer costs wherever they are held. From runs with few
 * and many viewers in few and many objects these three are told apart (least squares). `--viewers` adds a run with so many
 * in objects of 2000. In each run every viewer has to get every message, once, in order.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { WebSocket } from "ws";
import { option } from "../scripts/tools.ts";
import { HOST, post, register, startRoomcast } from "./load.ts";
import { Measured, rounded } from "./measure.ts";
import { closeAll, openAll, opened } from "./sockets.ts";

const rate = Number(option(process.argv, "rate") ?? "20");
const seconds = Number(option(process.argv, "seconds") ?? "4");
const many = Number(option(process.argv, "viewers") ?? "0");
const PORT = 8879;
/** Of one user; one object holds all of them, which takes a hundred, so that a user is a small part of those there. */
const windowsOf = ({ perObject }: Shape): number => Math.max(1, Math.min(100, Math.floor(perObject / 5)));
const DRAIN_MS = 15_000;

/** Viewers in all, and how many of them an object holds: the room holds the first, audience objects the others. */
type Shape = { viewers: number; perObject: number };

const SHAPES: Shape[] = [
  { viewers: 40, perObject: 40 },
  { viewers: 40, perObject: 5 },
  { viewers: 40, perObject: 2 },
  { viewers: 400, perObject: 400 },
  { viewers: 400, perObject: 50 },
  { viewers: 400, perObject: 20 },
];

type Found = Shape & { objects: number; cpuMs: number; missing: number; wrong: number };

/** Counts what each viewer gets of the marks `~1;`, `~2;`, …, and what comes twice or out of order. */
class Follower {
  received = 0;
  wrong = 0;

  follow(socket: WebSocket): void {
    let last = 0;
    socket.on("message", (data: Buffer) => {
      const frames: { type: string; data?: { message?: string } }[] = [JSON.parse(data.toString())].flat();
      for (const { type, data } of frames) {
        const mark = type === "chat_message" ? /~(\d+);/.exec(data?.message ?? "")?.[1] : undefined;
        if (mark === undefined) continue;
        if (Number(mark) !== last + 1) this.wrong += 1;
        last = Number(mark);
        this.received += 1;
      }
    });
  }
}

async function run(shape: Shape): Promise<Found> {
  const { viewers, perObject } = shape;
  const windows = windowsOf(shape);
  const miniflare = await startRoomcast(PORT, { AUDIENCE_OBJECT_MAX: String(perObject) });
  const server = new Measured();
  try {
    const tokens = await register(PORT, Math.ceil(viewers / windows));
    const { id } = await post<{ id: number }>(PORT, "/streams", {}, tokens[0]);
    const follower = new Follower();
    const sockets = await openAll(viewers, 50, (at) => {
      const token = tokens[Math.floor(at / windows)];
      return opened(`ws://${HOST}:${PORT}/streams/${id}/ws?token=${token}&heartbeat=client&batch=1`);
    });
    for (const socket of sockets) follower.follow(socket);
    await sleep(1500);
    const messages = rate * seconds;
    const cpuMs = await server.cpuOf(() => talk(sockets, messages, follower));
    const missing = messages * viewers - follower.received;
    await closeAll(sockets);
    return {
      viewers,
      perObject,
      objects: Math.ceil(viewers / perObject) - 1,
      cpuMs: cpuMs / messages,
      missing,
      wrong: follower.wrong,
    };
  } finally {
    await miniflare.dispose();
  }
}

/** Says so many messages, and waits until all have arrived. */
async function talk(sockets: WebSocket[], messages: number, follower: Follower): Promise<void> {
  const started = performance.now();
  for (let sent = 1; sent <= messages; sent += 1) {
    const wait = started + (sent * 1000) / rate - performance.now();
    if (wait > 0) await sleep(wait);
    sockets[0]?.send(
      JSON.stringify({ type: "chat_message", id: sent, data: { message: `Hello to everybody here ~${sent};` } }),
    );
  }
  const end = Date.now() + DRAIN_MS;
  while (follower.received < messages * sockets.length && Date.now() < end) await sleep(50);
}

/** Solves `cpuMs = said + perObject × objects + perViewer × viewers` as well as it goes (normal equations, by elimination). */
function toldApart(found: Found[]): number[] {
  const rows = found.map(({ objects, viewers, cpuMs }) => ({ x: [1, objects, viewers], y: cpuMs }));
  const matrix = [0, 1, 2].map((i) => [
    ...[0, 1, 2].map((j) => rows.reduce((sum, { x }) => sum + (x[i] ?? 0) * (x[j] ?? 0), 0)),
    rows.reduce((sum, { x, y }) => sum + (x[i] ?? 0) * y, 0),
  ]);
  for (const [at, pivot] of matrix.entries()) {
    const scale = pivot[at] ?? 1;
    for (const [index, value] of pivot.entries()) pivot[index] = value / scale;
    for (const [other, row] of matrix.entries()) {
      const factor = row[at] ?? 0;
      if (other !== at) for (const [index, value] of pivot.entries()) row[index] = (row[index] ?? 0) - factor * value;
    }
  }
  return matrix.map((row) => row[3] ?? Number.NaN);
}

const found: Found[] = [];
for (const shape of SHAPES) found.push(await run(shape));
const [said = 0, perObject = 0, perViewer = 0] = toldApart(found);
if (many > 0) found.push(await run({ viewers: many, perObject: 2000 }));
console.log(`${rate} messages a second, for ${seconds} s each`);
console.table(found.map(({ cpuMs, ...rest }) => ({ ...rest, "CPU ms a message": rounded(cpuMs) })));
console.table([
  {
    "the room, a message: CPU µs": rounded(said * 1000),
    "for each audience object": rounded(perObject * 1000),
    "for each viewer, anywhere": rounded(perViewer * 1000),
  },
]);
if (found.some(({ missing, wrong }) => missing + wrong > 0)) process.exitCode = 1;
