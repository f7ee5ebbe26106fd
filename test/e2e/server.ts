/** A real server for end-to-end checks: its own port, its own empty database, gone when it is stopped. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildPages } from "../../scripts/pages.ts";
import { root, runWrangler, unattended } from "../../scripts/tools.ts";

const wrangler = fileURLToPath(new URL("../../node_modules/wrangler/bin/wrangler.js", import.meta.url));

type CallOptions = { method?: string; token?: string; body?: unknown };
// biome-ignore lint/suspicious/noExplicitAny: checks look into answers freely; expectations are their types.
type Answer = { status: number; headers: Headers; body: any };

export type Server = {
  origin: string;
  /** Where its database and its bucket are. */
  folder: string;
  /** Runs SQL on the server's database, beside it. */
  sql(statements: string): void;
  /** Calls `/api/v1<path>`. */
  call(path: string, options?: CallOptions): Promise<Answer>;
  stop(): Promise<void>;
};

/**
 * Starts a server with an empty, migrated database. `vars` are settings on top of those of development; `fill` may put rows
 * into the database's file before the server opens it.
 */
export async function startServer(
  port: number,
  vars: Record<string, string> = {},
  fill?: (databaseFile: string) => void,
): Promise<Server> {
  buildPages();
  const folder = mkdtempSync(join(tmpdir(), "roomcast-e2e-"));
  const local = ["--local", "--persist-to", folder];
  runWrangler(["d1", "migrations", "apply", "DB", ...local]);
  fill?.(databaseFile(folder));
  const settings = {
    ENVIRONMENT: "development",
    JWT_SECRET_KEY: "end-to-end-secret-of-at-least-32-bytes",
    FILES_SIGNING_KEY: "end-to-end-signing-key-of-32-bytes-min",
    PASSWORD_SCRYPT_LOG_N: "8",
    ...vars,
  };
  const args = ["dev", "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", String(port + 1)];
  const given = Object.entries(settings).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const child = spawn(process.execPath, [wrangler, ...args, "--persist-to", folder, ...given], {
    cwd: root,
    env: unattended,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const origin = `http://127.0.0.1:${port}`;
  await untilHealthy(origin, child);
  return {
    origin,
    folder,
    sql: (statements) => {
      const file = join(folder, "statements.sql");
      writeFileSync(file, statements);
      runWrangler(["d1", "execute", "DB", ...local, "--file", file]);
    },
    call: async (path, { method = "GET", token, body } = {}) => {
      const response = await fetch(`${origin}/api/v1${path}`, {
        method,
        headers: {
          ...(token ? { Authorization: `Bearer ${token}` } : {}),
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, headers: response.headers, body: await response.json() };
    },
    stop: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Where Miniflare keeps the one D1 database; beside it lies a file of its own about all of them. */
export function databaseFile(folder: string): string {
  const databases = join(folder, "v3", "d1", "miniflare-D1DatabaseObject");
  const [name] = readdirSync(databases).filter((file) => file.endsWith(".sqlite") && file !== "metadata.sqlite");
  if (!name) throw new Error(`There is no database in ${databases}.`);
  return join(databases, name);
}

const PATIENCE_MS = 60_000;

async function untilHealthy(origin: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}.`);
    const answer = await fetch(`${origin}/healthz`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  child.kill("SIGTERM");
  throw new Error("The server did not come up.");
}
