/** What a broadcast takes: nginx with the shipped configuration, publishers, viewers, and Roomcast as `npm start` runs it. */
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
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../../scripts/tools.ts";

const HTTP_PORT = Number(process.env.E2E_PORT ?? 8861);
const RTMP_PORT = Number(process.env.E2E_RTMP_PORT ?? 19351);
export const SECRET = "e2e-secret-of-the-media-server";
export const ORIGIN = `http://127.0.0.1:${HTTP_PORT}`;
/** Everything that the programs write. */
export const work = mkdtempSync(join(tmpdir(), "roomcast-e2e-"));
export const recordings = join(work, "rec");

const PROGRAMS = ["nginx", "ffmpeg", "ffprobe", "curl"];

export function missingPrograms(): string[] {
  const hasModule = existsSync("/usr/lib/nginx/modules/ngx_rtmp_module.so");
  const missing = PROGRAMS.filter((program) => spawnSync("which", [program]).status !== 0);
  return hasModule ? missing : [...missing, "libnginx-mod-rtmp"];
}

const children: ChildProcess[] = [];

/** Starts a program in a group of its own, so that it ends with all that it starts. */
function start(program: string, args: string[], options: { cwd?: string } = {}): ChildProcess {
  const child = spawn(program, args, { ...options, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  return child;
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

export const exitOf = (child: ChildProcess): Promise<number | null> =>
  hasEnded(child)
    ? Promise.resolve(child.exitCode)
    : new Promise((resolve) => child.once("exit", (code) => resolve(code)));

export async function stop(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  if (hasEnded(child) || child.pid === undefined) return;
  const ended = exitOf(child);
  process.kill(-child.pid, signal);
  await ended;
}

/** Ends what is still running, and takes away what it wrote unless something failed. */
export async function cleanUp(hasFailed: boolean): Promise<void> {
  for (const child of children.toReversed()) await stop(child, "SIGKILL").catch(() => {});
  if (hasFailed) console.log(`What was written is left in ${work}.`);
  else rmSync(work, { recursive: true, force: true });
}

export async function until<T>(what: string, look: () => Promise<T | undefined | false>, seconds = 30): Promise<T> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    const found = await look().catch(() => undefined);
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`Waited ${seconds} s in vain for ${what}`);
}

// biome-ignore lint/suspicious/noExplicitAny: a script looks into answers freely; its assertions are their types.
export async function api(path: string, { method = "GET", token = "", body }: any = {}): Promise<any> {
  const response = await fetch(`${ORIGIN}${path}`, {
    method,
    headers: { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  assert.ok(response.ok, `${method} ${path} answered ${response.status}`);
  return response.json();
}

/** Starts Roomcast; answers its log so far. */
export async function startRoomcast(): Promise<() => string> {
  const place = ["--port", String(HTTP_PORT), "--ip", "127.0.0.1", "--persist-to", join(work, "state")];
  const settings = ["--inspector-port", "0", "--var", `WEBHOOK_SECRET:${SECRET}`];
  const child = start("npm", ["start", "--", ...place, ...settings], { cwd: root });
  let log = "";
  child.stdout?.on("data", (chunk) => {
    log += String(chunk);
  });
  child.stderr?.resume();
  await until("Roomcast", async () => log.includes("Roomcast is ready"), 90);
  // Roomcast's own lines: wrangler prints the settings that it was started with.
  return () =>
    log
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .join("\n");
}

export function makeAdmin(username: string): void {
  const args = ["run", "admin", "--", username, "--persist-to", join(work, "state")];
  assert.equal(spawnSync("npm", args, { cwd: root }).status, 0, "npm run admin failed");
}

/** What cron does every minute, now. */
export const tickCron = (): Promise<Response> => fetch(`${ORIGIN}/cdn-cgi/local/scheduled`);

/** The shipped configuration, with this machine's places put in. */
function configure(): string {
  const here = join(work, "media-server");
  const file = join(work, "nginx.conf");
  if (existsSync(file)) return file;
  cpSync(join(root, "examples/media-server"), here, { recursive: true });
  chmodSync(work, 0o755);
  const proof = join(work, "proof-header");
  writeFileSync(proof, `X-Webhook-Secret: ${SECRET}\n`, { mode: 0o600 });
  for (const folder of [recordings, join(work, "hls")]) mkdirSync(folder);
  // As the README says, and no more. Without root, nginx runs as who started it.
  if (process.getuid?.() === 0) {
    const owned = spawnSync("chown", ["www-data", recordings, join(work, "hls"), proof]);
    assert.equal(owned.status, 0, String(owned.stderr));
  }
  const env = [`ROOMCAST_URL=${ORIGIN}`, `ROOMCAST_PROOF_FILE=${proof}`, "ROOMCAST_KEEP_RECORDINGS=yes"];
  writeFileSync(join(here, "roomcast.env"), `${env.join("\n")}\n`);
  const text = readFileSync(join(here, "nginx.conf"), "utf8")
    .replaceAll("@SECRET@", SECRET)
    .replaceAll("@ROOMCAST@", ORIGIN)
    .replaceAll("@HERE@", here)
    .replaceAll("1935", String(RTMP_PORT))
    .replaceAll("/var/rec", recordings)
    .replaceAll("/var/hls", join(work, "hls"))
    .replaceAll("/var/log/nginx/rtmp-error.log", join(work, "error.log"))
    .replaceAll("/run/nginx-rtmp.pid", join(work, "nginx.pid"));
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

export async function startNginx(): Promise<ChildProcess> {
  const nginx = start("nginx", ["-c", configure(), "-g", "daemon off;"]);
  nginx.stderr?.pipe(process.stderr);
  await until("nginx", async () => existsSync(join(work, "nginx.pid")));
  return nginx;
}

/** Hands a recording to Roomcast as exec_record_done does. */
export const uploadByHand = (...args: string[]): number | null =>
  spawnSync(join(work, "media-server", "upload-recording.sh"), args).status;

const ffmpeg = (...args: string[]): ChildProcess => {
  const child = start("ffmpeg", ["-hide_banner", "-loglevel", "error", ...args]);
  child.stderr?.resume();
  return child;
};

const rtmp = (path: string, host = "127.0.0.1"): string => `rtmp://${host}:${RTMP_PORT}/${path}`;

/** Publishes as OBS does: H.264 and AAC, a key frame every two seconds, a key with whatever is put behind it. */
export const publish = (path: string, host?: string): ChildProcess =>
  ffmpeg(
    ...["-re", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=15", "-f", "lavfi", "-i", "sine=frequency=440"],
    ...["-t", "300", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "30", "-b:v", "400k"],
    ...["-pix_fmt", "yuv420p", "-c:a", "aac", "-f", "flv", rtmp(path, host)],
  );

/** Plays into a file. */
export const play = (path: string, file: string, host?: string): ChildProcess =>
  ffmpeg("-i", rtmp(path, host), "-c", "copy", "-flush_packets", "1", "-f", "flv", join(work, file));

/** Every file below a folder that has one of these words in its name or in itself. */
export function filesWith(folder: string, words: string[]): string[] {
  const paths = readdirSync(folder, { recursive: true }).map(String);
  return paths.filter((path) => {
    const file = join(folder, path);
    const content = statSync(file).isFile() ? readFileSync(file) : "";
    return words.some((word) => path.includes(word) || content.includes(word));
  });
}
