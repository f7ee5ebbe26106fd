/**
 * `npm run demo [-- http://localhost:8787]`: fills a development server of this machine with a world to look at. `npm start -- --demo`
 * does the same. `--persist-to FOLDER` as for the server; WEBHOOK_SECRET as an environment variable, if it is not that of .dev.vars.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { adminSql } from "./admin-sql.ts";
import type { People } from "./demo/accounts.ts";
import { ADMIN, PASSWORD, PEOPLE } from "./demo/people.ts";
import { weekOf } from "./demo/past.ts";
import { makeWorld } from "./demo/world.ts";
import { option, persistence, root, runWrangler } from "./tools.ts";

const OWN_MACHINE = new Set(["localhost", "127.0.0.1", "[::1]"]);
const DAY_MS = 86_400_000;

/** @throws Error the address is another machine's, or the service there is not in development */
async function requireDevelopment(origin: string): Promise<void> {
  const { hostname, protocol } = new URL(origin);
  if (!OWN_MACHINE.has(hostname) || protocol !== "http:") {
    throw new Error(`${origin} is not of this machine: the demo world is for a server here alone.`);
  }
  const health = await fetch(`${origin}/healthz`).catch(() => undefined);
  if (!health) throw new Error(`Nothing answers at ${origin}. Start the server first: npm start`);
  const { environment } = z.object({ environment: z.string().optional() }).parse(await health.json());
  // Only a server in development says what it is.
  if (environment === undefined) throw new Error(`The server at ${origin} is in production: it gets no demo world.`);
}

/** What `npm start` gave the server. */
function webhookSecret(): string {
  const given = process.env.WEBHOOK_SECRET ?? /^WEBHOOK_SECRET=(.+)$/m.exec(developmentSecrets())?.[1];
  if (!given) throw new Error("Give the server's WEBHOOK_SECRET as an environment variable.");
  return given;
}

function developmentSecrets(): string {
  try {
    return readFileSync(join(root, ".dev.vars"), "utf8");
  } catch {
    return "";
  }
}

/** Beside the running server. */
function runSql(where: string[], statements: string): void {
  const file = join(tmpdir(), `roomcast-demo-${process.pid}.sql`);
  writeFileSync(file, statements);
  try {
    runWrangler(["d1", "execute", "DB", "--local", ...where, "--file", file]);
  } finally {
    rmSync(file);
  }
}

/** Once, right after it was made: from then on its people have registered last week. The first two may be older than it. */
function makeWeek({ all }: People, where: string[]): void {
  const isNew = all.slice(2).every(({ registeredAt }) => Date.now() - registeredAt.getTime() < DAY_MS);
  if (isNew) runSql(where, weekOf(all.map(({ id }) => id)));
}

/**
 * Makes the demo world at a development server of this machine.
 * @param args of `npm start`: `--persist-to`, if the server has it
 * @throws Error any other server, and whatever that one refuses
 */
export async function makeDemo(origin: string, args: string[]): Promise<string> {
  await requireDevelopment(origin);
  const started = Date.now();
  const where = persistence(args);
  const people = await makeWorld({ origin, secret: webhookSecret() }, (username) => runSql(where, adminSql(username)));
  makeWeek(people, where);
  return summary(Math.round((Date.now() - started) / 1000));
}

const summary = (seconds: number): string => `
  The demo world is there (${seconds} s). Everybody's password: ${PASSWORD}

    ${ADMIN}   the admin: /admin, /chat, /live
    ${PEOPLE.slice(1, -1)
      .map(({ username }) => username)
      .join(", ")}
`;

if (import.meta.main) {
  const args = process.argv.slice(2);
  const origin = args.find((arg) => /^https?:\/\//.test(arg)) ?? `http://localhost:${option(args, "port") ?? "8787"}`;
  try {
    console.log(await makeDemo(new URL(origin).origin, args));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
