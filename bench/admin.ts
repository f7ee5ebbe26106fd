/**
 * What the admin's calls cost as the service grows, and how many the polls bear:
 * `node bench/admin.ts [--port 8910] [--sizes 1000,100000,1000000] [--seconds 30]`.
 * Fills a local D1 with that many users, a like for each (and videos, comments, follows, views, reports in proportion),
 * triggers on, and prints rows read (`meta.rows_read`, sign-in and rate limit included) and milliseconds for each call.
 */
import { DatabaseSync } from "node:sqlite";
import { option } from "../scripts/tools.ts";
import { type Server, startServer } from "../test/e2e/server.ts";
import { filling } from "./seed.ts";

const port = Number(option(process.argv, "port") ?? "8910");
const sizes = (option(process.argv, "sizes") ?? "1000,100000,1000000").split(",").map(Number);
const seconds = Number(option(process.argv, "seconds") ?? "30");
const RATE = 100;
const REPEATS = 5;

const POLLS = ["/admin/stats/overview", "/admin/stats/charts", "/admin/stats/recent-activity?limit=10"];
const CALLS = [
  ...POLLS,
  ...["users", "videos", "reports", "audit"].flatMap((list) => [`/admin/${list}`, `/admin/${list}?page=10`]),
  "/admin/users?sort_by=follower_count&status=active&page=10",
  "/admin/videos?sort_by=likes&visibility=private&page=10",
  "/admin/users?page=1000",
  "/admin/users?search=lovelace_77",
  "/admin/users?search=user_&sort_by=follower_count",
  "/admin/users?search=zz",
  "/admin/videos?search=harbour",
];

function fill(file: string, users: number): void {
  const database = new DatabaseSync(file);
  database.exec("PRAGMA synchronous = OFF");
  const started = Date.now();
  for (const statement of filling(users)) database.exec(statement);
  database.close();
  console.log(`\n${users.toLocaleString("en")} users filled in, with triggers, in ${(Date.now() - started) / 1000} s`);
}

async function signIn(server: Server): Promise<string> {
  const body = { username: "boss", email: "boss@example.org", password: "correct horse" };
  const { body: answer } = await server.call("/auth/register", { method: "POST", body });
  server.sql("UPDATE users SET role = 'admin' WHERE username = 'boss'");
  return answer.token;
}

type Measured = { rows: number; ms: number };

async function measure(server: Server, token: string, path: string): Promise<Measured> {
  const times: number[] = [];
  let rows = 0;
  for (let nth = 0; nth < REPEATS; nth += 1) {
    const started = performance.now();
    const { status, headers } = await server.call(path, { token });
    times.push(performance.now() - started);
    if (status !== 200) throw new Error(`${path} answered ${status}`);
    rows = Number(/d1_rows_read=(\d+)/.exec(headers.get("X-Cost") ?? "")?.[1]);
  }
  return { rows, ms: median(times) };
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Sends RATE calls a second whether or not the earlier ones are answered. */
async function hold(server: Server, token: string, path: string): Promise<void> {
  const times: number[] = [];
  let errors = 0;
  const ask = async () => {
    const started = performance.now();
    const status = await server.call(path, { token }).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status !== 200) errors += 1;
    times.push(performance.now() - started);
  };
  const started = performance.now();
  const asked: Promise<void>[] = [];
  for (let nth = 0; nth < RATE * seconds; nth += 1) {
    const wait = started + (nth * 1000) / RATE - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    asked.push(ask());
  }
  await Promise.all(asked);
  const total = (performance.now() - started) / 1000;
  times.sort((a, b) => a - b);
  const at = (share: number) => (times[Math.floor(times.length * share)] ?? 0).toFixed(1);
  console.log(
    `${path}: ${times.length} calls in ${total.toFixed(1)} s, ${errors} errors, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
  );
  if (errors > 0) process.exitCode = 1;
}

const results = new Map<number, Map<string, Measured>>();
for (const size of sizes) {
  const settings = { DEBUG_COST: "1", RATE_LIMIT_ADMIN_API: "100000000" };
  const server = await startServer(port, settings, (file) => fill(file, size));
  try {
    const token = await signIn(server);
    const bySize = new Map<string, Measured>();
    for (const path of CALLS) bySize.set(path, await measure(server, token, path));
    results.set(size, bySize);
    if (size === sizes.at(-1)) await hold(server, token, "/admin/stats/overview");
  } finally {
    await server.stop();
  }
}

console.log(`\nrows read / ms (median of ${REPEATS}), by number of users`);
console.log(["call".padEnd(56), ...sizes.map((size) => size.toLocaleString("en").padStart(18))].join(""));
for (const path of CALLS) {
  const cells = sizes.map((size) => {
    const { rows = 0, ms = 0 } = results.get(size)?.get(path) ?? {};
    return `${rows.toLocaleString("en")} / ${ms.toFixed(0)}`.padStart(18);
  });
  console.log([path.padEnd(56), ...cells].join(""));
}
for (const path of POLLS) {
  const rows = sizes.map((size) => results.get(size)?.get(path)?.rows ?? 0);
  const holds = rows.every((count) => count < 100 && count === rows[0]);
  console.log(`${holds ? "ok  " : "FAIL"} ${path} reads ${[...new Set(rows)].join(", ")} rows at every size`);
  if (!holds) process.exitCode = 1;
}
