/** Vitest's global setup for tests that run the stock client against Roomcast itself, in another process. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    roomcastUrl: string;
  }
}

const PORT = 3118;
const START_MS = 60_000;

const VARS = {
  ENVIRONMENT: "development",
  JWT_SECRET_KEY: "test-only-secret-of-at-least-32-bytes",
  PASSWORD_SCRYPT_LOG_N: "8",
};

export default async function startRoomcast({ provide }: TestProject): Promise<() => Promise<void>> {
  const url = `http://127.0.0.1:${PORT}`;
  const cwd = new URL("../..", import.meta.url).pathname;
  const state = mkdtempSync(join(tmpdir(), "roomcast-"));
  const migrated = spawnSync("wrangler", ["d1", "migrations", "apply", "DB", "--local", "--persist-to", state], {
    cwd,
    encoding: "utf8",
    env: { ...process.env, CI: "1" },
  });
  if (migrated.status !== 0) throw new Error(`no database: ${migrated.stderr}${migrated.stdout}`);
  const vars = Object.entries(VARS).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const where = ["--ip", "127.0.0.1", "--port", String(PORT), "--inspector-port", "0", "--persist-to", state];
  const server = spawn("wrangler", ["dev", "--log-level", "error", ...where, ...vars], {
    stdio: ["ignore", "ignore", "inherit"],
    cwd,
  });
  const ended = new Promise<void>((resolve) => server.on("exit", () => resolve()));
  await answering(`${url}/api/v1/auth/me`);
  provide("roomcastUrl", url);
  return async () => {
    server.kill("SIGTERM");
    await ended;
    rmSync(state, { recursive: true, force: true });
  };
}

async function answering(url: string): Promise<void> {
  const giveUpAt = Date.now() + START_MS;
  while (Date.now() < giveUpAt) {
    const isUp = await fetch(url).then(
      () => true,
      () => false,
    );
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Roomcast did not answer within ${START_MS} ms`);
}
