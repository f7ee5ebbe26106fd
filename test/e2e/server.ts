/** The real server for end-to-end tests: migrations, `wrangler dev`, and its end. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const START_WITHIN_MS = 60_000;

export type Server = { url: string; stop(): void };

/** Starts the service on 127.0.0.1 with an empty database of its own. */
export async function startServer(port: number): Promise<Server> {
  const state = mkdtempSync(join(tmpdir(), "roomcast-"));
  const wrangler = ["wrangler"];
  execFileSync("npx", [...wrangler, "d1", "migrations", "apply", "DB", "--local", "--persist-to", state], {
    stdio: "ignore",
  });
  const settings = {
    ENVIRONMENT: "development",
    JWT_SECRET_KEY: "end-to-end-only-secret-of-32-bytes-min",
    FILES_SIGNING_KEY: "end-to-end-only-signing-key-of-32-bytes",
  };
  const vars = Object.entries(settings).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const command = ["dev", "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0", "--persist-to", state];
  // A process group of its own, so that workerd ends with wrangler.
  const server = spawn("npx", [...wrangler, ...command, ...vars], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const said = collect(server);
  const url = `http://127.0.0.1:${port}`;
  const stop = () => {
    if (server.pid) process.kill(-server.pid, "SIGTERM");
    rmSync(state, { recursive: true, force: true });
  };
  const deadline = Date.now() + START_WITHIN_MS;
  while (!(await answers(url))) {
    if (server.exitCode !== null || Date.now() > deadline) {
      stop();
      throw new Error(`The server did not start:\n${said()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return { url, stop };
}

function collect(server: ChildProcess): () => string {
  let text = "";
  for (const stream of [server.stdout, server.stderr])
    stream?.on("data", (part) => (text = (text + part).slice(-4000)));
  return () => text;
}

const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  );
