/**
 * What the admin's polls cost beside a bare Worker that asks D1 the same, without sign-in, limits or schemas:
 * `node bench/rest.ts [--users 20000] [--seconds 4] [--rounds 2]` (Node 24), a minute. Both on the same workerd binary, with
 * a seeded database each, in interleaved rounds.
 */
import type { Miniflare } from "miniflare";
import { migrate } from "../scripts/miniflare.ts";
import { option } from "../scripts/tools.ts";
import { HOST, register, startRoomcast, startWorker } from "./load.ts";
import { closedLoop, Measured, median, type Rate, rounded } from "./measure.ts";
import { filling } from "./seed.ts";

const users = Number(option(process.argv, "users") ?? "20000");
const seconds = Number(option(process.argv, "seconds") ?? "4");
const rounds = Number(option(process.argv, "rounds") ?? "2");
const PORT = { room: 8870, bare: 8871 };
const PARALLEL = 8;

/** The statements of the same calls, as short as they can be. */
const BARE = `
const days = "SELECT * FROM stats_days WHERE day > ? ORDER BY day";
const reports = "SELECT status, sum(count) AS count FROM stats_reports GROUP BY status";
const page = "SELECT * FROM users WHERE id IN (SELECT id FROM users ORDER BY created_at DESC, id DESC LIMIT 20) ORDER BY created_at DESC, id DESC";
export default {
  async fetch(request, { DB }) {
    const { pathname } = new URL(request.url);
    const day = Math.floor(Date.now() / 86400000) - 7;
    const totals = DB.prepare("SELECT * FROM stats_totals");
    const statements = pathname.endsWith("/overview")
      ? [totals, DB.prepare(reports), DB.prepare(days).bind(day)]
      : [DB.prepare(page), totals];
    const answers = await DB.batch(statements);
    return Response.json(answers.map(({ results }) => results));
  },
};
`;

type Database = Awaited<ReturnType<Miniflare["getD1Database"]>>;

async function seed(database: Database): Promise<void> {
  await database.batch(filling(users).map((statement) => database.prepare(statement)));
}

async function ask(port: number, path: string, token: string): Promise<void> {
  const answer = await fetch(`http://${HOST}:${port}/api/v1${path}`, { headers: { Authorization: `Bearer ${token}` } });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
}

const room = await startRoomcast(PORT.room, { RATE_LIMIT_ADMIN_API: "1000000000" });
const roomServer = new Measured();
const bare = await startWorker(PORT.bare, BARE, { d1Databases: ["DB"] });
const bareServer = new Measured();
try {
  const [database, bareDatabase] = [await room.getD1Database("DB"), await bare.getD1Database("DB")];
  await migrate(bareDatabase);
  await Promise.all([seed(database), seed(bareDatabase)]);
  const [token = ""] = await register(PORT.room, 1);
  await database.prepare("UPDATE users SET role = 'admin' WHERE username = 'bench_0'").run();
  const table = [];
  for (const path of ["/admin/stats/overview", "/admin/users"]) {
    const found: { ours: Rate; bare: Rate }[] = [];
    const load = (server: Measured, port: number, forSeconds: number) =>
      closedLoop(server, { parallel: PARALLEL, seconds: forSeconds }, () => ask(port, path, token));
    await load(roomServer, PORT.room, 1);
    await load(bareServer, PORT.bare, 1);
    for (let round = 0; round < rounds; round += 1) {
      found.push({
        ours: await load(roomServer, PORT.room, seconds),
        bare: await load(bareServer, PORT.bare, seconds),
      });
    }
    const of = (figure: (rate: Rate) => number, who: "ours" | "bare") =>
      median(found.map((round) => figure(round[who])));
    const [ours, theirs] = [of(({ cpuMs }) => cpuMs, "ours"), of(({ cpuMs }) => cpuMs, "bare")];
    table.push({
      call: path,
      "CPU ms each": rounded(ours),
      "bare Worker": rounded(theirs),
      "calls/s": rounded(of(({ perSecond }) => perSecond, "ours")),
      "bare calls/s": rounded(of(({ perSecond }) => perSecond, "bare")),
      "bare CPU / ours (goal 0.6)": rounded(theirs / ours),
    });
  }
  console.log(`${users} users, ${PARALLEL} calls under way`);
  console.table(table);
} finally {
  await Promise.all([room.dispose(), bare.dispose()]);
}
