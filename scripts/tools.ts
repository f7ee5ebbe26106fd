/** Running wrangler from our scripts, with the Node that came with the project. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..");
const wranglerBin = join(root, "node_modules/wrangler/bin/wrangler.js");

/** Set where secrets and a database are there already: the build hook leaves them alone. */
export const PREPARED = "ROOMCAST_PREPARED";

/** No prompts, no telemetry: these commands run unattended. */
export const unattended = { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false", [PREPARED]: "1" };

/** Starts wrangler and leaves it running. */
export function startWrangler(args: string[]): ChildProcess {
  return spawn(process.execPath, [wranglerBin, ...args], {
    cwd: root,
    env: unattended,
    stdio: ["ignore", "inherit", "inherit"],
  });
}

/** A local server beside us has the file of its database for a moment; then nothing of what was asked for is done. */
const BUSY = /SQLITE_BUSY/;
const TRIES = 5;

/** Runs wrangler to its end and answers what it printed; again, where a server held the database. Exits with its output if it fails. */
export function runWrangler(args: string[], input?: string, tries = 1): string {
  const result = spawnSync(process.execPath, [wranglerBin, ...args], {
    cwd: root,
    env: unattended,
    encoding: "utf8",
    input,
  });
  if (result.status === 0) return result.stdout;
  if (tries < TRIES && BUSY.test(result.stdout + result.stderr)) return runWrangler(args, input, tries + 1);
  console.error(result.stdout, result.stderr);
  console.error(`\nFailed: wrangler ${args.join(" ")}`);
  process.exit(result.status ?? 1);
}

/** The value of `--name value` or `--name=value` among the arguments. */
export function option(args: string[], name: string): string | undefined {
  const at = args.indexOf(`--${name}`);
  if (at >= 0) return args[at + 1];
  return args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
}

/** The arguments that are neither options nor values of these options. */
export const positionals = (args: string[], options: string[]): string[] =>
  args.filter((arg, at) => !arg.startsWith("-") && !options.some((name) => args[at - 1] === `--${name}`));

/** `--persist-to DIR`, for the commands that must look at the same local database. */
export function persistence(args: string[]): string[] {
  const folder = option(args, "persist-to");
  return folder ? ["--persist-to", folder] : [];
}

/** `--env NAME`: which environment of wrangler.toml is meant. */
export function environment(args: string[]): string[] {
  const name = option(args, "env");
  return name ? ["--env", name] : [];
}

/**
 * Which database or bucket is meant, as wrangler's own commands are told: this machine's, or with `--remote` production's, or another
 * environment's with `--env` as well.
 */
export const whereOf = (args: string[]): string[] =>
  args.includes("--remote") ? ["--remote", ...environment(args)] : ["--local", ...persistence(args)];
