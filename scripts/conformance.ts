/**
 * Serves, on port 3000, what the official suites of the Engine.IO and Socket.IO protocols expect: `docs/
 * engine.io-protocol/v4-test-suite` and `docs/socket.io-protocol/v5-test-suite` of socketio/socket.io, each run with
 * `npm ci && npm test` in a checkout of its own.
 */
import { spawn } from "node:child_process";

const port = process.argv[2] ?? "3000";
const server = spawn(
  "wrangler",
  ["dev", "--config", "test/conformance/wrangler.toml", "--ip", "127.0.0.1", "--port", port, "--log-level", "warn"],
  { stdio: ["ignore", "inherit", "inherit"] },
);

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => server.kill(signal));
server.on("exit", (code) => process.exit(code ?? 0));
