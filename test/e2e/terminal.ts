/** A terminal at the root of a clone: types statements into bash, and keeps a server that one of them starts. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const START_MS = 240_000;
const STATEMENT_MS = 300_000;
const STOP_MS = 15_000;
const PAGES_PORT = "8787";
const run = promisify(execFile);

/** Statements that serve until they are stopped, and how each says where. */
const SERVERS = [
  { typed: /^(npm ci && )?npm start\b/, says: /Home +(http\S+)/ },
  { typed: /^npx wrangler dev\b/, says: /Ready on (http\S+)/ },
  { typed: /^npm run dev\b/, says: /Local: +(http\S+)/ },
];
export const serves = (text: string): boolean => SERVERS.some(({ typed }) => typed.test(text));

/** A statement that goes on listening, and for how long it may. */
const LISTENS = /^npx --no-install node listen\.ts$/;
const LISTENS_SECONDS = 15;

/** As in a terminal that was opened by hand: without what `npm run` adds. */
function freshEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("npm_") || name === "npm_config_cache");
  const path = (process.env.PATH ?? "").split(":").filter((folder) => !/node_modules/.test(folder));
  return { ...Object.fromEntries(own), PATH: path.join(":"), NO_COLOR: "1", npm_config_prefer_offline: "true" };
}

export class Terminal {
  readonly #folder: string;
  readonly #port: string;
  readonly #environment = freshEnvironment();
  #server: ChildProcess | undefined;
  #isClosed = false;
  /** The statement that started it. */
  serving: string | undefined;

  /** `port`: in the place of 8787. */
  constructor(folder: string, port: string) {
    this.#folder = folder;
    this.#port = port;
  }

  /** Makes a file that a page says to make. */
  make(path: string, code: string): void {
    writeFileSync(join(this.#folder, path), `${code.replaceAll(PAGES_PORT, this.#port)}\n`);
  }

  #onPort(text: string): string {
    const there = text.replaceAll(PAGES_PORT, this.#port);
    if (text === "npm run demo") return `${text} -- http://localhost:${this.#port}`;
    if (this.#port === PAGES_PORT || !/^(npm ci && )?npm start|^npx wrangler dev/.test(text) || /--port/.test(text))
      return there;
    return `${there}${/ -- |wrangler/.test(there) ? "" : " --"} --port ${this.#port}`;
  }

  /**
   * Types statements, one after the other, in the shell that a session's name stands for: variables, functions and the folder last.
   * @returns what they printed
   * @throws Error with what they printed, if one fails, a call is refused, or one with the comment `# 400` is not
   */
  async type(session: string, texts: string[], variables: Record<string, string> = {}): Promise<string> {
    const state = join(this.#folder, "..", `${session.replaceAll("/", "-")}.sh`);
    const script = [
      `source ${state} 2>/dev/null || true`,
      "set -eo pipefail",
      'curl() { command curl --fail-with-body "$@"; }',
      ...texts.map((text) => this.#onPort(text.replace(/ \[--\w+\]/g, ""))).map(statement),
      `{ declare -p; declare -f; printf 'cd %q\\n' "$PWD"; } > ${state}`,
    ];
    const options = { cwd: this.#folder, env: { ...this.#environment, ...variables }, timeout: STATEMENT_MS };
    const { stdout, stderr } = await run("bash", ["-c", script.join("\n")], options);
    return stdout + stderr;
  }

  /** Types a statement that starts a server, in the place of the one that runs, and waits until it serves. */
  async serve(text: string): Promise<void> {
    await this.stop();
    if (this.#isClosed) throw new Error("The terminal is closed.");
    const says = SERVERS.find(({ typed }) => typed.test(text))?.says;
    if (!says) throw new Error(`${text} is not known to serve`);
    const typed = this.#onPort(text.replace(/ +#.*$/, ""));
    const options = { cwd: this.#folder, env: this.#environment, detached: true } as const;
    const server = spawn("bash", ["-c", typed], { ...options, stdio: ["ignore", "pipe", "pipe"] });
    this.#server = server;
    this.serving = text;
    let printed = "";
    const address = new Promise<string>((resolve) => {
      const look = (chunk: unknown) => {
        printed += String(chunk);
        const [, found] = says.exec(printed) ?? [];
        if (found) resolve(found);
      };
      server.stdout.on("data", look);
      server.stderr.on("data", look);
    });
    const fail = (how: string) => Promise.reject(new Error(`${typed} ${how}:\n${printed}`));
    const ended = once(server, "exit").then(() => fail("ended"));
    const late = sleep(START_MS, undefined, { ref: false }).then(() => fail("did not serve"));
    ended.catch(() => undefined);
    late.catch(() => undefined);
    const answer = await fetch(await Promise.race([address, ended, late]));
    await answer.body?.cancel();
    if (!answer.ok) await fail(`answered ${answer.status}`);
  }

  /** Stops the server, and starts no other. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.stop();
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.serving = undefined;
    if (server?.pid === undefined || server.exitCode !== null) return;
    const group = -server.pid;
    const ended = once(server, "exit");
    process.kill(group, "SIGTERM");
    const late = setTimeout(() => process.kill(group, "SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(late);
  }
}

/** A call that is shown for its refusal has the status behind it. */
function statement(text: string): string {
  if (LISTENS.test(text)) return `timeout ${LISTENS_SECONDS} ${text} || [ $? = 124 ]`;
  const [, call, status] = /^(curl .*?) +# (4\d\d)\b.*$/s.exec(text) ?? [];
  return call ? `if ${call}; then echo "was not refused with ${status}"; exit 1; fi` : text;
}
