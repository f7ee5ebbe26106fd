/**
 * Roomcast on one machine: the Worker on workerd, with D1, R2 and the objects' storage in files below `DATA`. Settings are environment
 * variables, by the names of the README; `HOST` (127.0.0.1), `PORT` (8787) and `DATA` (./data) are this program's own. TLS is a proxy's.
 * `npm run bundle` makes one file of it, beside the Worker; ops/self-host/README.md says how it is run.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { SETTING_NAMES } from "../../src/config.ts";
import { type Bundle, migrate } from "./migrate.ts";
import { fetchOutside } from "./outside.ts";

const CRON_EVERY_MS = 60_000;
const WATCHED_EVERY_MS = 5000;
/** So often in a row nobody listens: there is no runtime, and a new process is better. */
const REFUSALS = 4;
const ANSWER_MS = 10_000;

const folder = import.meta.dirname;
const { HOST = "127.0.0.1", PUBLIC_URL } = process.env;
const DATA = resolve(process.env.DATA ?? "data");
const PORT = Number(process.env.PORT ?? "8787");

function settings(): Record<string, string> {
  const given = Object.entries({ ENVIRONMENT: "production", ...process.env });
  return Object.fromEntries(given.filter((entry): entry is [string, string] => SETTING_NAMES.includes(entry[0])));
}

function start({ compatibility, durableObjects }: Bundle): Miniflare {
  return new Miniflare(
    convertV4MiniflareOptions({
      name: "roomcast",
      host: HOST,
      port: PORT,
      // The proxy speaks TLS; the Worker is told the address that clients use, and answers with it.
      upstream: PUBLIC_URL,
      modules: true,
      script: readFileSync(join(folder, "worker.js"), "utf8"),
      ...compatibility,
      bindings: settings(),
      // As wrangler.toml serves them; what is no page is the Worker's.
      assets: {
        directory: join(folder, "public"),
        binding: "ASSETS",
        assetConfig: { html_handling: "auto-trailing-slash" },
        routerConfig: { has_user_worker: true },
      },
      d1Databases: { DB: "roomcast" },
      r2Buckets: { FILES: "roomcast-files" },
      durableObjects,
      versionMetadata: "CF_VERSION_METADATA",
      resourcePersistencePath: join(DATA, "state"),
      outboundService: fetchOutside,
      cf: false,
      unsafeTriggerHandlers: true,
      logRequests: false,
      handleStructuredLogs: ({ message }) => process.stdout.write(`${message}\n`),
    }),
  );
}

const own = `http://${HOST === "0.0.0.0" ? "127.0.0.1" : HOST}:${PORT}`;
const ask = async (path: string): Promise<{ ok: boolean; text: string }> => {
  const answer = await fetch(own + path, { signal: AbortSignal.timeout(ANSWER_MS) });
  return { ok: answer.ok, text: await answer.text() };
};

/** The platform's cron, each minute. */
function tick(): void {
  setInterval(() => void ask("/cdn-cgi/local/scheduled").catch(() => undefined), CRON_EVERY_MS);
}

/**
 * Miniflare starts its runtime again when that crashes. If nobody listens all the same, this program ends, and whoever runs it starts
 * the whole. One that is only slow is let be.
 */
function watch(): void {
  let refusals = 0;
  setInterval(async () => {
    refusals = await ask("/healthz").then(
      () => 0,
      (error: unknown) => (error instanceof DOMException && error.name === "TimeoutError" ? 0 : refusals + 1),
    );
    if (refusals < REFUSALS) return;
    console.error("There is no runtime any more.");
    process.exit(1);
  }, WATCHED_EVERY_MS);
}

if (!PUBLIC_URL) {
  console.error("Set PUBLIC_URL: where people reach the service, as https://chat.example.com.");
  process.exit(2);
}
mkdirSync(DATA, { recursive: true, mode: 0o700 });
const bundle: Bundle = JSON.parse(readFileSync(join(folder, "bundle.json"), "utf8"));
const server = start(bundle);
await server.ready;
const applied = await migrate(await server.getD1Database("DB"), bundle.migrations);
const health = await ask("/healthz");
if (!health.ok) {
  console.error(health.text);
  await server.dispose();
  process.exit(2);
}
tick();
watch();
console.log(
  `Roomcast listens at http://${HOST}:${PORT} for ${PUBLIC_URL}. Migrations applied: ${applied.join(", ") || "none"}.`,
);
