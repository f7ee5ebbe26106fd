/** Vitest's global setup for tests that run the stock client against Roomcast itself, in another process. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startTestServer } from "../../scripts/test-server.ts";
import { runWrangler } from "../../scripts/tools.ts";

declare module "vitest" {
  interface ProvidedContext {
    roomcastUrl: string;
  }
}

const SETTINGS = {
  ENVIRONMENT: "development",
  JWT_SECRET_KEY: "test-only-secret-of-at-least-32-bytes",
  PASSWORD_SCRYPT_LOG_N: "8",
};

export default async function startRoomcast({ provide }: TestProject): Promise<() => Promise<void>> {
  const state = mkdtempSync(join(tmpdir(), "roomcast-"));
  const persisted = ["--persist-to", state];
  runWrangler(["d1", "migrations", "apply", "DB", "--local", ...persisted]);
  const server = await startTestServer(persisted, SETTINGS, "/healthz");
  provide("roomcastUrl", server.url);
  return async () => {
    await server.stop();
    rmSync(state, { recursive: true, force: true });
  };
}
