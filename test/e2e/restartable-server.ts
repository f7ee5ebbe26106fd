/** A server of one's own: a migrated database and an empty bucket in a new folder, under `wrangler dev`. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { buildPages } from "../../scripts/pages.ts";
import { root, runWrangler, unattended } from "../../scripts/tools.ts";

const wrangler = fileURLToPath(new URL("../../node_modules/wrangler/bin/wrangler.js", import.meta.url));

const SETTINGS = {
  ENVIRONMENT: "development",
  JWT_SECRET_KEY: "e2e-only-secret-of-at-least-32-bytes!",
  FILES_SIGNING_KEY: "e2e-only-signing-key-of-32-bytes-min",
  PASSWORD_SCRYPT_LOG_N: "8",
};

const SignedIn = z.object({ user: z.object({ id: z.number() }), token: z.string() });

export type User = { id: number; token: string };

export class Server {
  readonly origin: string;
  readonly #port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), "roomcast-e2e-"));
  readonly #settings: Record<string, string>;
  #process: ChildProcess | undefined;

  /** `settings` on top of those of development. */
  constructor(port: number, settings: Record<string, string> = {}) {
    this.#port = port;
    this.#settings = { ...SETTINGS, ...settings };
    this.origin = `http://127.0.0.1:${port}`;
    buildPages();
    runWrangler(["d1", "migrations", "apply", "DB", "--local", "--persist-to", this.#folder]);
  }

  /** Starts, or starts again on what is there. */
  async start(): Promise<void> {
    const vars = Object.entries(this.#settings).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
    const where = [
      "--ip",
      "127.0.0.1",
      "--port",
      String(this.#port),
      "--inspector-port",
      "0",
      "--persist-to",
      this.#folder,
    ];
    this.#process = spawn(process.execPath, [wrangler, "dev", ...where, "--log-level", "error", ...vars], {
      cwd: root,
      env: unattended,
      stdio: ["ignore", "ignore", "inherit"],
      // A group of its own, so that its workerd ends with it.
      detached: true,
    });
    for (let attempt = 0; attempt < 300; attempt += 1) {
      const answer = await fetch(`${this.origin}/healthz`).catch(() => undefined);
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error("The server did not start");
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    const { pid } = this.#process ?? {};
    if (pid === undefined) return;
    const ended = new Promise((resolve) => this.#process?.once("exit", resolve));
    process.kill(-pid, "SIGKILL");
    await ended;
    this.#process = undefined;
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async mintUser(): Promise<User> {
    const username = `user_${Math.random().toString(36).slice(2, 10)}`;
    const response = await fetch(`${this.origin}/api/v1/auth/register`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ username, email: `${username}@example.com`, password: "correct horse" }),
    });
    const { user, token } = SignedIn.parse(await response.json());
    return { id: user.id, token };
  }

  /** Rows of a query on the local D1 database, or on the bucket's. */
  query(store: "d1" | "r2", sql: string): Record<string, unknown>[] {
    const folder = join(this.#folder, "v3", store);
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
    for (const file of files.filter((name) => name.endsWith(".sqlite") && !name.includes("metadata"))) {
      const database = new DatabaseSync(join(folder, file), { readOnly: true });
      try {
        return database.prepare(sql).all();
      } catch (error) {
        // Another database of the same store.
        if (!String(error).includes("no such table")) throw error;
      } finally {
        database.close();
      }
    }
    throw new Error(`No ${store} database answers ${sql}`);
  }

  /** Resident memory of workerd, in bytes: `wrangler dev` runs two, the Worker and the proxy in front of it. */
  memory(): number {
    return this.#workerds()
      .map((pid) => readFileSync(`/proc/${pid}/status`, "utf8"))
      .reduce((sum, status) => sum + Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024, 0);
  }

  #workerds(): number[] {
    const group = this.#process?.pid;
    return readdirSync("/proc").flatMap((entry) => {
      if (!/^\d+$/.test(entry)) return [];
      try {
        const [, name, rest] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${entry}/stat`, "utf8")) ?? [];
        return name === "workerd" && Number(rest?.split(" ")[2]) === group ? [Number(entry)] : [];
      } catch {
        // It ended between being listed and being read.
        return [];
      }
    });
  }
}
