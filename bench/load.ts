/** What benchmarks share: Roomcast on workerd without wrangler's proxy, and users to load it with. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { buildWorker, COMPATIBILITY, durableObjects, migrate } from "../scripts/miniflare.ts";

export const HOST = "127.0.0.1";

type Options = Parameters<typeof convertV4MiniflareOptions>[0];

/** A Worker of its own on workerd. */
export async function startWorker(port: number, script: string, more: object = {}): Promise<Miniflare> {
  // Roomcast writes a line for each socket.
  const isSilent = { handleStructuredLogs: () => {} };
  const options = { host: HOST, port, modules: true, script, ...COMPATIBILITY, ...isSilent, ...more } as Options;
  const miniflare = new Miniflare(convertV4MiniflareOptions(options));
  await miniflare.ready;
  return miniflare;
}

let built: string | undefined;

/** The product as it is deployed; built once. */
function roomcast(): string {
  if (built !== undefined) return built;
  const folder = mkdtempSync(join(tmpdir(), "roomcast-bench-"));
  built = readFileSync(buildWorker(folder), "utf8");
  rmSync(folder, { recursive: true });
  return built;
}

/** The product with an empty database and no limits that a load would meet. */
export async function startRoomcast(port: number, settings: Record<string, string> = {}): Promise<Miniflare> {
  const miniflare = await startWorker(port, roomcast(), {
    d1Databases: ["DB"],
    r2Buckets: ["FILES"],
    durableObjects: durableObjects(),
    bindings: {
      ENVIRONMENT: "development",
      JWT_SECRET_KEY: "bench-only-secret-of-at-least-32-bytes",
      PASSWORD_SCRYPT_LOG_N: "1",
      RATE_LIMIT_MESSAGES: "1000000000",
      RATE_LIMIT_WRITES: "1000000000",
      RATE_LIMIT_LOGINS: "1000000",
      ...settings,
    },
  });
  await migrate(await miniflare.getD1Database("DB"));
  return miniflare;
}

export async function post<T>(port: number, path: string, body: unknown, token?: string): Promise<T> {
  const answer = await fetch(`http://${HOST}:${port}/api/v1${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
  return answer.json() as Promise<T>;
}

/** Tokens of fresh users. */
export async function register(port: number, count: number): Promise<string[]> {
  const tokens: string[] = [];
  for (let at = 0; at < count; at += 1) {
    const account = { username: `bench_${at}`, email: `bench_${at}@example.com`, password: "correct horse" };
    tokens.push((await post<{ token: string }>(port, "/auth/register", account)).token);
  }
  return tokens;
}

/** The value that `share` (0 to 1) of all lie under. */
export function percentile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
