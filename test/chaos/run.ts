/**
 * `npm run test:chaos -- --kills 100 --seed 7`: everybody works while the server is killed, objects are taken out of memory
 * and clients break off. In the end, every acknowledged thing is there once and in order for everybody, or they were told,
 * and whoever is connected hears the next message. The seed decides what happens; how the machine's timing falls is its own.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { buildWorker } from "../../scripts/miniflare.ts";
import { freePort } from "../../scripts/test-server.ts";
import { absences, type Member } from "./members.ts";
import { Random } from "./random.ts";
import { Rest } from "./rest.ts";
import { restart } from "./restart.ts";
import { ChaosServer } from "./server.ts";
import { SocketIoMember } from "./socketio-member.ts";
import { until, untilAllCame } from "./until.ts";
import { Work } from "./work.ts";
import { ADMIN, makeWorld } from "./world.ts";

const CLASSES = [
  "UserHub",
  "ChatRoom",
  "StreamRoom",
  "StreamAudience",
  "WebrtcRoom",
  "TopicRoom",
  "SocketIoGateway",
  "WebhookSender",
];
/** Shares of what is done: the rest puts objects to sleep, or resets them. */
const SHARES = { kill: 0.35, cutOff: 0.4 };

const { values } = parseArgs({
  options: { kills: { type: "string" }, seed: { type: "string" }, restart: { type: "string" } },
});
const kills = Number(values.kills ?? 30);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const random = new Random(seed);
const say = (line: string) => process.stdout.write(`${line}\n`);
if (values.restart === undefined) say(`seed ${seed}, ${kills} kills`);

const folder = mkdtempSync(join(tmpdir(), "roomcast-chaos-"));
const script = buildWorker(join(folder, "built"));
const port = await freePort();
const rest = new Rest(`http://127.0.0.1:${port}`);
const server = new ChaosServer({ script, folder, port });
process.on("exit", () => void server.kill());
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));

await server.start(ADMIN);
if (values.restart !== undefined) {
  const isWhole = await restart(server, rest, Number(values.restart), say);
  await server.kill();
  rmSync(folder, { recursive: true, force: true });
  process.exit(isWhole ? 0 : 1);
}
const admin = await rest.register(ADMIN);
// The role is given at the next start.
await server.kill();
await server.start(ADMIN);
say("the server is up");
const world = await makeWorld(rest, admin);
const { call, endpoint, direct } = world;
const logs = [...world.places, ...world.hubs, world.topic].map(({ log }) => log).concat(direct);
const everybody = [...world.places, ...world.hubs, world.topic, call].flatMap(({ members }): Member[] => members);
await untilAllOpen();

say("everybody is in");
const sockets = everybody.filter((member) => member instanceof SocketIoMember);
// Numbers of its own: how often it asks for one hangs on how fast the machine is.
const work = new Work(rest, world, new Random(seed + 1));
work.start();
const done: Record<string, number> = {};
for (let killed = 0; killed < kills; ) {
  await sleep(random.between(100, 700));
  const what = random.next();
  if (what < SHARES.kill) {
    await server.kill();
    await sleep(random.between(0, 200));
    await server.start();
    // Now and then it is killed again before anybody is back.
    if (random.chance(0.8)) await until(isHalfBack, "half of the clients are back").catch(() => undefined);
    killed += 1;
    count("kills");
    if (killed % 10 === 0 || killed === kills) say(`${killed} kills`);
  } else if (what < 1 - SHARES.cutOff) {
    const webSockets = random.chance(0.5) ? "close" : "hibernate";
    server.evict({ className: random.pick(CLASSES), pick: random.next(), webSockets });
    count(webSockets === "close" ? "objects reset" : "objects put to sleep");
  } else {
    const isSocketIo = random.chance(0.5);
    random.pick(isSocketIo ? sockets : everybody).breakOff();
    count(isSocketIo ? "Socket.IO clients cut off" : "clients cut off");
  }
}
await work.stop();
say("the work is done");

await untilAllOpen();
await work.sayLast();
const missing = () => logs.reduce((sum, log) => sum + log.missing().length, 0);
const behind = missing();
const tookMs = await untilAllCame(missing);
say(`${behind} were still to come; the last came after ${tookMs} ms`);
const inCall = await call.faults();

const faults = [...work.faults, ...logs.flatMap((log) => log.faults()), ...endpoint.faults, ...inCall];
const sorted = absences.toSorted((a, b) => a - b);
const share = (part: number) => Math.round(sorted[Math.floor((sorted.length - 1) * part)] ?? 0);
say(`done to it: ${list(done)}`);
say(`acknowledged: ${list(work.counts)}`);
say(`Socket.IO sessions recovered: ${sockets.reduce((sum, { recovered }) => sum + recovered, 0)}`);
say(`told of a gap: ${everybody.reduce((sum, { witness }) => sum + witness.resyncs, 0)}`);
say(`away: ${sorted.length} times, p50 ${share(0.5)} ms, p99 ${share(0.99)} ms, longest ${share(1)} ms`);
say(`told to the endpoint: ${endpoint.events} events, ${endpoint.repeats} of them again`);
for (const member of everybody) member.stop();
endpoint.stop();
await server.kill();
rmSync(folder, { recursive: true, force: true });
for (const fault of faults.slice(0, 40)) say(`FAULT ${fault}`);
say(
  faults.length === 0
    ? "Nothing was lost, doubled or out of order, and nobody is deaf."
    : `${faults.length} faults, seed ${seed}`,
);
process.exit(faults.length === 0 ? 0 : 1);

function isHalfBack(): boolean {
  return everybody.filter(({ isOpen }) => isOpen).length > everybody.length / 2;
}

function count(what: string): void {
  done[what] = (done[what] ?? 0) + 1;
}

function list(counts: Record<string, number>): string {
  return Object.entries(counts)
    .map(([name, number]) => `${number} ${name}`)
    .join(", ");
}

/** @throws Error with who is not connected */
async function untilAllOpen(): Promise<void> {
  const closed = () => everybody.filter(({ isOpen }) => !isOpen).map(({ witness }) => witness.name);
  await until(() => closed().length === 0, "everybody is connected").catch((error) => {
    throw new Error(`Not connected: ${closed().join("; ")}`, { cause: error });
  });
}
