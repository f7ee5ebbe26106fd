/** Bun's own publish (bun-server.js), beside which others are measured: `npx bun`, which is no dependency of ours. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { HOST } from "./load.ts";
import { Measured } from "./measure.ts";

const READY_WITHIN_MS = 60_000;

/** Starts it as a child of this process. The first start may fetch it. */
export async function startBun(port: number): Promise<{ server: Measured; stop: () => void }> {
  const path = join(import.meta.dirname, "bun-server.js");
  const child = spawn("npx", ["--yes", "bun@1.4.5", path, String(port)], { stdio: "ignore", detached: true });
  const stop = () => child.pid !== undefined && process.kill(-child.pid);
  const end = Date.now() + READY_WITHIN_MS;
  while (!(await isUp(port))) {
    if (Date.now() > end) {
      stop();
      throw new Error("Bun does not start here.");
    }
    await sleep(100);
  }
  return { server: new Measured(), stop };
}

const isUp = (port: number): Promise<boolean> =>
  fetch(`http://${HOST}:${port}/`).then(
    () => true,
    () => false,
  );
