import { spawn } from "node:child_process";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    labUrl: string;
  }
}

const PORT = 3117;
const START_MS = 30_000;

/** Quick pings, patient deadlines: the machine may be busy, and it is the tests inside workerd that are about time. */
const VARS = { PING_INTERVAL_MS: 1000, PING_TIMEOUT_MS: 10_000, CONNECT_TIMEOUT_MS: 10_000 };

/** Vitest's global setup for tests that run the stock client against a server in another process. */
export default async function startLab({ provide }: TestProject): Promise<() => Promise<void>> {
  const url = `http://127.0.0.1:${PORT}`;
  const vars = Object.entries(VARS).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const address = ["--ip", "127.0.0.1", "--port", String(PORT), "--inspector-port", "0"];
  const server = spawn(
    "wrangler",
    ["dev", "--config", "test/socketio/wrangler.toml", "--log-level", "warn", ...address, ...vars],
    { stdio: ["ignore", "ignore", "inherit"], cwd: new URL("..", import.meta.url).pathname },
  );
  const ended = new Promise<void>((resolve) => server.on("exit", () => resolve()));
  await answering(url);
  provide("labUrl", url);
  return async () => {
    server.kill("SIGTERM");
    await ended;
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
  throw new Error(`the lab server did not answer within ${START_MS} ms`);
}
