/** A Worker in a process of its own, on a free port, for tests that need a client outside workerd. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { root, unattended } from "./tools.ts";

/** The whole machine may be busy with other tests. */
const START_MS = 60_000;

export type TestServer = { url: string; stop(): Promise<void> };

/** Starts `wrangler dev` with these arguments and settings; `probe` is a path that answers once it is up. */
export async function startTestServer(
  args: string[],
  settings: Record<string, string | number>,
  probe = "/",
): Promise<TestServer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const vars = Object.entries(settings).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const address = ["--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0"];
  const server = spawn("wrangler", ["dev", "--log-level", "error", ...address, ...args, ...vars], {
    stdio: ["ignore", "ignore", "inherit"],
    cwd: root,
    env: unattended,
  });
  const ended = once(server, "exit");
  await answering(`${url}${probe}`);
  return {
    url,
    stop: async () => {
      server.kill("SIGTERM");
      await ended;
    },
  };
}

/** One that the system has just given out: the next process to ask gets another. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("There is no port to be had.");
  return address.port;
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
  throw new Error(`The server did not answer within ${START_MS} ms.`);
}
