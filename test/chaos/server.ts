/**
 * The built Worker under Miniflare, in a process group of its own that can be killed at any moment: `ChaosServer` is what the
 * run sees; the rest of the file is that process.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { z } from "zod";
import { COMPATIBILITY, durableObjects, migrate } from "../../scripts/miniflare.ts";

const CRON_EVERY_MS = 2000;

/**
 * Miniflare's first call of a binding, or of an eviction, blocks this process, which then does not read what workerd logs;
 * and workerd, whose pipe fills while clients come back, waits for it to be read: neither ever goes on. So failures alone
 * are logged.
 */
const QUIET = `{
  const say = console.log;
  console.log = (line) => String(line).includes('"level":"error"') && say(line);
}
`;

const Options = z.object({ script: z.string(), folder: z.string(), port: z.number() });
/** `admin`: a username that is made one, should there be such an account; null once there are clients. */
const Start = Options.extend({ admin: z.string().nullable() });
type Options = z.infer<typeof Options>;

/** `pick`, from 0 up to 1: which of the class's objects. */
const Eviction = z.object({ className: z.string(), pick: z.number(), webSockets: z.enum(["close", "hibernate"]) });
export type Eviction = z.infer<typeof Eviction>;

export const SETTINGS = {
  ENVIRONMENT: "development",
  JWT_SECRET_KEY: "chaos-only-secret-of-at-least-32-bytes",
  WEBHOOK_SECRET: "chaos-only-secret-of-media-servers",
  FILES_SIGNING_KEY: "chaos-only-signing-key-of-32-bytes",
  PASSWORD_SCRYPT_LOG_N: "1",
  RATE_LIMIT_MESSAGES: "1000000000",
  RATE_LIMIT_WRITES: "1000000000",
  RATE_LIMIT_LOGINS: "1000000",
  RATE_LIMIT_HANDSHAKES: "1000000",
  RATE_LIMIT_SIGNALING: "1000000000",
  RATE_LIMIT_SERVER_API: "1000000000",
  // Of a stream's viewers who come natively, some sit in the room and some in an audience object.
  AUDIENCE_OBJECT_MAX: "2",
  TOPICS_OPEN: "chaos.*",
};

export class ChaosServer {
  readonly #options: Options;
  #process: ChildProcess | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Resolves once it answers. */
  async start(admin: string | null = null): Promise<void> {
    const start = JSON.stringify({ ...this.#options, admin });
    const child = fork(import.meta.filename, [start], { detached: true });
    this.#process = child;
    const [message] = await Promise.race([
      once(child, "message"),
      once(child, "exit").then(() => Promise.reject(new Error("The server did not start."))),
    ]);
    if (message !== "ready") throw new Error(`The server said ${JSON.stringify(message)}.`);
  }

  /** SIGKILL to the whole group, workerd with it: nothing is flushed, nobody is told. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child?.pid) return;
    const ended = once(child, "exit");
    process.kill(-child.pid, "SIGKILL");
    await ended;
  }

  /** Takes an object out of memory: sleeping with its sockets, or with them closed as a reset leaves it. */
  evict(eviction: Eviction): void {
    this.#process?.send(eviction);
  }
}

async function serve({ script, folder, port, admin }: z.infer<typeof Start>): Promise<void> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      name: "roomcast",
      host: "127.0.0.1",
      port,
      modules: true,
      script: QUIET + readFileSync(script, "utf8"),
      ...COMPATIBILITY,
      handleStructuredLogs: ({ message }) => {
        if (process.env.CHAOS_LOG) process.stderr.write(`${message}\n`);
      },
      d1Databases: ["DB"],
      r2Buckets: ["FILES"],
      resourcePersistencePath: join(folder, "state"),
      durableObjects: durableObjects(),
      bindings: SETTINGS,
      unsafeTriggerHandlers: true,
    }),
  );
  await miniflare.ready;
  if (admin !== null) await prepare(miniflare, admin);
  const evict = async ({ className, pick, webSockets }: Eviction) => {
    const ids = await miniflare.listDurableObjectIds(className);
    const id = ids[Math.floor(pick * ids.length)];
    if (id) await miniflare.unsafeEvictDurableObject("roomcast", className, { id, webSockets });
  };
  // An object that is just being made cannot be evicted; the next eviction finds another.
  process.on("message", (message) => void evict(Eviction.parse(message)).catch(() => undefined));
  process.on("disconnect", () => process.exit());
  process.send?.("ready");
  for (;;) {
    await sleep(CRON_EVERY_MS);
    await fetch(`http://127.0.0.1:${port}/cdn-cgi/mf/scheduled`).catch(() => undefined);
  }
}

/** An empty database is migrated; `admin` becomes one, should there be such an account. */
async function prepare(miniflare: Miniflare, admin: string): Promise<void> {
  const database = await miniflare.getD1Database("DB");
  const made = await database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'users'").first();
  if (!made) await migrate(database);
  await database.prepare("UPDATE users SET role = 'admin' WHERE username = ?").bind(admin).run();
}

const [, entry, options] = process.argv;
if (entry === import.meta.filename) await serve(Start.parse(JSON.parse(options ?? "{}")));
