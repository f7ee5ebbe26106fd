/** Vitest's global setup for tests that run the stock client against the Socket.IO layer with a laboratory application. */
import type { TestProject } from "vitest/node";
import { startTestServer } from "./test-server.ts";

declare module "vitest" {
  interface ProvidedContext {
    labUrl: string;
  }
}

/** Quick pings, patient deadlines: the machine may be busy, and it is the tests inside workerd that are about time. */
const SETTINGS = { PING_INTERVAL_MS: 1000, PING_TIMEOUT_MS: 10_000, CONNECT_TIMEOUT_MS: 10_000 };

export default async function startLab({ provide }: TestProject): Promise<() => Promise<void>> {
  const server = await startTestServer(["--config", "test/socketio/wrangler.toml"], SETTINGS);
  provide("labUrl", server.url);
  return () => server.stop();
}
