/**
 * `npm run test:self-host`: the bundle for a machine of one's own, with the settings that its page has one write, as its systemd unit
 * starts it. `npm run smoke` is green against it; killed with SIGKILL while people write, and started again on its files, it has all that
 * it acknowledged, in order and once.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Request } from "miniflare";
import { fetchOutside } from "../../ops/self-host/outside.ts";
import { bundle } from "../../scripts/bundle.ts";
import { root } from "../../scripts/tools.ts";
import { blocksOf } from "../support/pages.ts";

const PORT = Number(process.env.PORT ?? 8981);
const KILLS = 4;
const WRITERS = 4;
/** How long people write between two kills. */
const LIFE_MS = 1500;
const START_MS = 60_000;
const origin = `http://127.0.0.1:${PORT}`;
const home = mkdtempSync(join(tmpdir(), "roomcast-self-host-"));
const folder = join(home, "opt");

/** What the page's first commands write, which are typed in a clone. */
function settingsOfPage(): Record<string, string> {
  const [own, clone] = ["ops/self-host", join(home, "clone")];
  cpSync(join(root, own), join(clone, own), { recursive: true });
  const [first] = blocksOf("", readFileSync(join(clone, own, "README.md"), "utf8"));
  execFileSync("bash", ["-ec", first?.code ?? ""], { cwd: clone });
  const written = readFileSync(join(clone, own, "roomcast.env"), "utf8");
  return Object.fromEntries([...written.matchAll(/^(\w+)=(.*)$/gm)].map(([, name = "", value = ""]) => [name, value]));
}

const onPage = settingsOfPage();
const SETTINGS: Record<string, string> = {
  ...onPage,
  PORT: String(PORT),
  DATA: join(home, "data"),
  PUBLIC_URL: origin,
  ALLOWED_ORIGINS: origin,
  RATE_LIMIT_MESSAGES: "1000000",
  RATE_LIMIT_WRITES: "1000000",
};

/** What the unit starts, in this folder in the place of its own. */
const EXEC_START = (
  /^ExecStart=(.+)$/m.exec(readFileSync(join(root, "ops/self-host/roomcast.service"), "utf8"))?.[1] ?? ""
)
  .replace("/opt/roomcast", folder)
  .split(" ");

let server: ChildProcess | undefined;

async function start(settings: Record<string, string> = SETTINGS): Promise<void> {
  const [program = "", ...args] = EXEC_START;
  server = spawn(program, args, {
    cwd: folder,
    env: { PATH: process.env.PATH, ...settings },
    // A group of its own, as systemd's: the runtime ends with it.
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ready = new Promise<void>((resolve) =>
    server?.stdout?.on("data", (text) => String(text).includes("Roomcast listens") && resolve()),
  );
  const ended = once(server, "exit").then(([code]) => Promise.reject(new Error(`The server ended with ${code}.`)));
  const late = sleep(START_MS, undefined, { ref: false }).then(() =>
    Promise.reject(new Error("The server did not start.")),
  );
  await Promise.race([ready, ended, late]);
}

async function end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
  if (!server?.pid || server.exitCode !== null) return null;
  const ended = once(server, "exit");
  // A crash takes all; a stop is told to the program alone.
  process.kill(signal === "SIGKILL" ? -server.pid : server.pid, signal);
  const [code] = await ended;
  server = undefined;
  return code;
}

before(
  async () => {
    await bundle(folder);
    // There, `npm ci` makes it.
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    await start();
  },
  { timeout: 120_000 },
);
after(async () => {
  await end("SIGKILL");
  rmSync(home, { recursive: true, force: true });
});

async function script(name: string, ...args: string[]): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, [join(root, "scripts", `${name}.ts`), ...args], { cwd: root });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => output.push(String(text)));
  const [code] = await once(child, "close");
  return { code, output: output.join("") };
}

type User = { id: number; token: string };
const headersOf = (token?: string) => ({
  "Content-Type": "application/json",
  ...(token ? { Authorization: `Bearer ${token}` } : {}),
});

async function post(path: string, body: object, token?: string): Promise<Response> {
  const signal = AbortSignal.timeout(5000);
  return fetch(`${origin}/api/v1${path}`, {
    method: "POST",
    headers: headersOf(token),
    body: JSON.stringify(body),
    signal,
  });
}

async function register(username: string): Promise<User> {
  const answer = await post("/auth/register", {
    username,
    email: `${username}@example.com`,
    password: "correct horse",
  });
  assert.equal(answer.status, 201, await answer.clone().text());
  const { user, token } = await answer.json();
  return { id: user.id, token };
}

const read = async (path: string, token: string) =>
  (await fetch(`${origin}/api/v1${path}`, { headers: headersOf(token) })).json();

test("the page's commands write the domain, and a secret of its own for each setting that has none", () => {
  assert.equal(onPage.PUBLIC_URL, "https://chat.example.com");
  const secrets = ["JWT_SECRET_KEY", "FILES_SIGNING_KEY", "WEBHOOK_SECRET", "METRICS_TOKEN"].map(
    (name) => onPage[name],
  );
  for (const secret of secrets) assert.match(secret ?? "", /^[0-9a-f]{64}$/);
  assert.equal(new Set(secrets).size, secrets.length);
});

test("npm run smoke is green", { timeout: 120_000 }, async () => {
  const { code, output } = await script("smoke", origin);
  console.log(output);
  assert.equal(code, 0, output);
});

test("npm run smoke is red where a service does not work", { timeout: 60_000 }, async () => {
  const sick = createServer((_, response) => response.writeHead(503).end("no")).listen(PORT + 1, "127.0.0.1");
  const { code, output } = await script("smoke", `http://127.0.0.1:${PORT + 1}`);
  sick.close();
  assert.equal(code, 1);
  assert.match(output, /FAIL {2}health: 503 no/);
});

test("admin.mjs makes an admin beside the running service", async () => {
  const { token } = await register("boss");
  assert.equal((await read("/auth/me", token)).role, "user");
  const [code] = await once(spawn(process.execPath, ["admin.mjs", "boss"], { cwd: folder, env: SETTINGS }), "exit");
  assert.equal(code, 0);
  assert.equal((await read("/auth/me", token)).role, "admin");
});

test("pages and their headers are served", async () => {
  const page = await fetch(`${origin}/chat/`);
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-security-policy") ?? "", /frame-ancestors 'none'/);
  await page.body?.cancel();
});

test("what the Worker fetches is on the public internet, whatever its name says", async () => {
  const inside = createServer((_, response) => response.end("secret")).listen(PORT + 2, "127.0.0.1");
  try {
    for (const host of ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "[::ffff:127.0.0.1]"]) {
      const request = new Request(`http://${host}:${PORT + 2}/`);
      await assert.rejects(fetchOutside(request), (error: Error) => {
        assert.match(`${error.message} ${error.cause}`, /not on the public internet/);
        return true;
      });
    }
  } finally {
    inside.close();
  }
});

test("when the runtime crashes, another takes its place", { timeout: 60_000 }, async () => {
  const children = (): number[] => {
    const pid = server?.pid ?? 0;
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
  };
  const crashed = children();
  for (const runtime of crashed) process.kill(runtime, "SIGKILL");
  const isBack = async () => !children().some((pid) => crashed.includes(pid)) && (await fetch(`${origin}/healthz`)).ok;
  while (!(await isBack().catch(() => false))) await sleep(200);
});

test("what was acknowledged survives SIGKILL, in order and once", { timeout: 240_000 }, async () => {
  const [owner, reader] = [await register("owner"), await register("reader")];
  const made = await post("/rooms", { name: "Kept", isGroup: true, memberIds: [reader.id] }, owner.token);
  const { id: roomId } = await made.json();
  /** By place: what was acknowledged, in the order of each writer. */
  const acknowledged: Record<"room" | "letters", string[]> = { room: [], letters: [] };
  let isOver = false;
  const write = async (writer: number) => {
    for (let number = 0; !isOver; ) {
      const content = `${writer} ${number}`;
      const [place, path, body] =
        writer % 2 === 0
          ? (["room", `/rooms/${roomId}/messages`, { content, clientMessageId: content }] as const)
          : (["letters", "/messages", { receiverId: reader.id, content, clientMessageId: content }] as const);
      const answer = await post(path, body, owner.token).catch(() => undefined);
      await answer?.body?.cancel().catch(() => undefined);
      // Whoever was not answered asks again, as clients do.
      if (answer?.status !== 201) await sleep(50);
      else {
        acknowledged[place].push(content);
        number += 1;
      }
    }
  };
  const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer));
  for (let kill = 0; kill < KILLS; kill += 1) {
    await sleep(LIFE_MS);
    await end("SIGKILL");
    await start();
  }
  isOver = true;
  await Promise.all(writers);

  const inRoom = await everything(`/rooms/${roomId}/messages?limit=100`, reader.token);
  const letters = await everything(`/messages/with/${owner.id}?limit=100`, reader.token);
  console.log(`${KILLS} kills: ${inRoom.length} room messages, ${letters.length} direct ones`);
  for (const [place, kept] of [
    ["room", inRoom],
    ["letters", letters],
  ] as const) {
    assert.equal(new Set(kept).size, kept.length, `${place}: something is there twice`);
    const missing = acknowledged[place].filter((content) => !kept.includes(content));
    assert.deepEqual(missing, [], `${place}: lost`);
    for (let writer = 0; writer < WRITERS; writer += 1) {
      const numbers = kept.flatMap((content) =>
        content.startsWith(`${writer} `) ? Number(content.split(" ")[1]) : [],
      );
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
        `${place}: out of order`,
      );
    }
  }
});

/** All pages of a feed, oldest first. */
async function everything(path: string, token: string): Promise<string[]> {
  const found: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const { messages, nextCursor } = await read(`${path}${cursor && `&before=${cursor}`}`, token);
    found.push(...messages.map(({ content }: { content: string }) => content));
    cursor = nextCursor === null ? null : String(nextCursor);
  }
  return found.reverse();
}

test("a stop ends the runtime, too, and a wrong setting is told at the start", { timeout: 120_000 }, async () => {
  // 128 and the signal's number, as the unit expects.
  assert.equal(await end("SIGTERM"), 143);
  await assert.rejects(fetch(origin));
  await assert.rejects(start({ ...SETTINGS, JWT_SECRET_KEY: "short" }), /ended with 2/);
  await assert.rejects(start({ ...SETTINGS, PUBLIC_URL: "" }), /ended with 2/);
});
