/**
 * A broadcast from end to end, with Debian's nginx, libnginx-mod-rtmp and ffmpeg and the configuration in
 * examples/media-server: publish, live, play, the viewer leaves, stop, ended, the recording as a VOD, byte for byte.
 * Skips, saying so, where these programs are missing. `npm run test:media`; takes about half a minute.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const HTTP_PORT = Number(process.env.E2E_PORT ?? 8861);
const RTMP_PORT = Number(process.env.E2E_RTMP_PORT ?? 19351);
const SECRET = "e2e-secret-of-the-media-server";
const ORIGIN = `http://127.0.0.1:${HTTP_PORT}`;
const root = new URL("../..", import.meta.url).pathname;

const missing = [
  ...["nginx", "ffmpeg", "curl"].filter((program) => spawnSync("which", [program]).status !== 0),
  ...(existsSync("/usr/lib/nginx/modules/ngx_rtmp_module.so") ? [] : ["libnginx-mod-rtmp"]),
];
if (missing.length > 0) {
  console.log(`SKIPPED: missing here: ${missing.join(", ")} (apt-get install nginx libnginx-mod-rtmp ffmpeg curl)`);
  process.exit(0);
}

const work = mkdtempSync(join(tmpdir(), "roomcast-e2e-"));
const children: ChildProcess[] = [];
const step = (text: string): void => console.log(`ok    ${text}`);

/** Starts a program in a group of its own, so that it ends with all that it starts. */
function start(program: string, args: string[], options: { cwd?: string } = {}): ChildProcess {
  const child = spawn(program, args, { ...options, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  return child;
}

function stop(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return Promise.resolve();
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  process.kill(-child.pid, signal);
  return ended;
}

async function until<T>(what: string, look: () => Promise<T | undefined | false>, seconds = 30): Promise<T> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    const found = await look().catch(() => undefined);
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`Waited ${seconds} s in vain for ${what}`);
}

// biome-ignore lint/suspicious/noExplicitAny: a script looks into answers freely; its assertions are their types.
async function api(path: string, { method = "GET", token = "", body }: any = {}): Promise<any> {
  const response = await fetch(`${ORIGIN}${path}`, {
    method,
    headers: { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  assert.ok(response.ok, `${method} ${path} answered ${response.status}`);
  return response.json();
}

/** The shipped configuration, with this machine's places put in. */
function configure(): string {
  const here = join(work, "media-server");
  cpSync(join(root, "examples/media-server"), here, { recursive: true });
  for (const folder of ["rec", "hls"]) {
    mkdirSync(join(work, folder));
    chmodSync(join(work, folder), 0o777);
  }
  chmodSync(work, 0o755);
  const proof = join(work, "proof-header");
  writeFileSync(proof, `X-Webhook-Secret: ${SECRET}\n`);
  const env = [`ROOMCAST_URL=${ORIGIN}`, `ROOMCAST_PROOF_FILE=${proof}`, "ROOMCAST_KEEP_RECORDINGS=yes"];
  writeFileSync(join(here, "roomcast.env"), `${env.join("\n")}\n`);
  const file = join(work, "nginx.conf");
  const text = readFileSync(join(here, "nginx.conf"), "utf8")
    .replaceAll("@SECRET@", SECRET)
    .replaceAll("@ROOMCAST@", ORIGIN)
    .replaceAll("@HERE@", here)
    .replaceAll("1935", String(RTMP_PORT))
    .replaceAll("/var/rec", join(work, "rec"))
    .replaceAll("/var/hls", join(work, "hls"))
    .replaceAll("/var/log/nginx/rtmp-error.log", join(work, "error.log"))
    .replaceAll("/run/nginx-rtmp.pid", join(work, "nginx.pid"));
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

const ffmpeg = (...args: string[]): ChildProcess => start("ffmpeg", ["-hide_banner", "-loglevel", "error", ...args]);
const publish = (key: string, seconds: number): ChildProcess =>
  ffmpeg(
    ...["-re", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=15", "-f", "lavfi", "-i", "sine=frequency=440"],
    ...["-t", String(seconds), "-c:v", "flv1", "-b:v", "400k", "-c:a", "aac", "-f", "flv"],
    `rtmp://127.0.0.1:${RTMP_PORT}/live/${key}?token=abc&user=7`,
  );
const exitOf = (child: ChildProcess): Promise<number | null> =>
  child.exitCode === null ? new Promise((resolve) => child.once("exit", resolve)) : Promise.resolve(child.exitCode);

async function broadcast(): Promise<void> {
  const started = start(
    "npm",
    ["start", "--", "--port", String(HTTP_PORT), "--ip", "127.0.0.1", "--persist-to", join(work, "state")].concat([
      "--inspector-port",
      "0",
      "--var",
      `WEBHOOK_SECRET:${SECRET}`,
    ]),
    { cwd: root },
  );
  let log = "";
  started.stdout?.on("data", (chunk) => {
    log += String(chunk);
  });
  await until("Roomcast", async () => (await fetch(`${ORIGIN}/healthz`)).ok, 90);
  const nginx = start("nginx", ["-c", configure(), "-g", "daemon off;"]);
  nginx.stderr?.pipe(process.stderr);
  const name = `caster${Date.now()}`;
  const account = { username: name, email: `${name}@example.com`, password: "correct horse" };
  const { token } = await api("/api/v1/auth/register", { method: "POST", body: account });
  const { id, streamKey } = await api("/streams", { method: "POST", token, body: { title: "End to end" } });
  const stream = () => api(`/streams/${id}`);
  const isLive = (wanted: boolean) => async () => ((await stream()).status === "live") === wanted;
  step(`stream ${id} made; status ${(await stream()).status}`);

  assert.notEqual(await exitOf(publish("sk_thisKeyWasNeverGivenToAnybody", 5)), 0);
  step("a publisher with an unknown key is turned away");

  const publisher = publish(streamKey, 60);
  publisher.stderr?.pipe(process.stderr);
  await until("live", isLive(true));
  const { startTime } = await stream();
  step(`published: live since ${startTime}`);

  assert.notEqual(await exitOf(publish(streamKey, 5)), 0);
  assert.deepEqual([(await stream()).status, (await stream()).startTime], ["live", startTime]);
  step("a second publisher is turned away; still live");

  const watched = join(work, "watched.flv");
  const viewer = ffmpeg(
    "-i",
    `rtmp://127.0.0.1:${RTMP_PORT}/pub/${id}`,
    "-c",
    "copy",
    "-flush_packets",
    "1",
    "-f",
    "flv",
    watched,
  );
  await until("a viewer", async () => (await stream()).viewerCount === 1);
  await until("pictures", async () => readFileSync(watched).byteLength > 10_000);
  await stop(viewer, "SIGINT");
  await until("the viewer to leave", async () => (await stream()).viewerCount === 0);
  assert.equal((await stream()).status, "live");
  step("played under the public id; the viewer left; still live");

  await until("a heartbeat", async () => /webhook\.beat/.test(log) && /"outcome":"renewed"/.test(log), 15);
  step("the heartbeat renewed the lease");

  await stop(publisher, "SIGINT");
  await until("the end", isLive(false));
  const ended = await stream();
  assert.ok(Date.parse(ended.endTime) > Date.parse(startTime));
  step(`stopped: ended at ${ended.endTime}, with ${ended.viewerCount} viewer at most`);

  const [vod] = await until("the recording", async () => {
    const { vods } = await api(`/vod?streamId=${id}`);
    return vods.length > 0 && vods;
  });
  const [file] = readdirSync(join(work, "rec"));
  assert.ok(file, "nginx kept no recording");
  const recorded = readFileSync(join(work, "rec", file));
  const played = Buffer.from(await (await fetch(`${ORIGIN}${vod.url}`)).arrayBuffer());
  assert.ok(played.equals(recorded), "the VOD is not the recording");
  assert.equal(spawnSync("ffprobe", ["-v", "error", join(work, "rec", file)]).status, 0);
  step(`the recording is VOD ${vod.id}: ${vod.fileName}, ${vod.size} bytes, identical`);

  const names = readdirSync(work, { recursive: true }).map(String);
  assert.deepEqual(
    names.filter((path) => path.includes(streamKey)),
    [],
  );
  // Roomcast's own lines: wrangler prints the settings that it was started with.
  const lines = log.split("\n").filter((line) => line.startsWith("{"));
  assert.ok(lines.some((line) => line.includes("webhook.publish")));
  for (const line of lines) assert.ok(!line.includes(streamKey) && !line.includes(SECRET), line);
  assert.ok(!readFileSync(join(work, "error.log"), "utf8").includes(`name=${streamKey}`));
  step("no file name and no log of Roomcast holds the key or the secret");

  const again = publish(streamKey, 60);
  await until("live again", isLive(true));
  await api(`/streams/${id}`, { method: "PUT", token, body: { status: "ended" } });
  await until("the publisher to be cut off", async () => again.exitCode !== null, 20);
  assert.equal((await stream()).status, "ended");
  step("ended by its owner: the publisher was cut off at the next heartbeat");
}

try {
  await broadcast();
  console.log("The broadcast went as it should.");
} finally {
  for (const child of children.reverse()) await stop(child).catch(() => {});
}
