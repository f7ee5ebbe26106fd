/**
 * The list of live streams with and without keeping it in memory: `node bench/streams-cache.ts` (Node 24), some 20 s.
 * STREAMS (5000) live streams; each round asks REQUESTS (300) times, one after the other and 16 at once.
 */
import { HOST, percentile, post, register, startRoomcast } from "./load.ts";

const STREAMS = Number(process.env.STREAMS ?? 5000);
const REQUESTS = Number(process.env.REQUESTS ?? 300);
const PORT = { with: 8868, without: 8869 };
const KINDS = ["status=live", "status=featured"];

async function prepare(port: number, settings: Record<string, string>) {
  const miniflare = await startRoomcast(port, { DEBUG_COST: "1", ...settings });
  const [token] = await register(port, 1);
  await post(port, "/streams", {}, token);
  const database = await miniflare.getD1Database("DB");
  const live = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${STREAMS})
    INSERT INTO streams (user_id, title, key_hash, status, session, started_at, last_seen_at, created_at, updated_at, players)
    SELECT 1, 'Stream ' || i, 'hash-' || i, 'live', 's' || i, i, i, i, i, i % 97 FROM n`;
  await database.batch([database.prepare(live)]);
  return miniflare;
}

type Sample = { ms: number; rowsRead: number };

async function ask(port: number, query: string): Promise<Sample> {
  const started = performance.now();
  const answer = await fetch(`http://${HOST}:${port}/streams?${query}`);
  await answer.text();
  const ms = performance.now() - started;
  return { ms, rowsRead: Number(/d1_rows_read=(\d+)/.exec(answer.headers.get("x-cost") ?? "")?.[1]) };
}

async function askMany(port: number, query: string, atOnce: number) {
  const samples: Sample[] = [];
  const started = performance.now();
  const worker = async () => {
    for (let at = 0; at < REQUESTS / atOnce; at += 1) samples.push(await ask(port, query));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const perSecond = samples.length / ((performance.now() - started) / 1000);
  const ms = samples.map((sample) => sample.ms);
  return {
    query,
    atOnce,
    p50: percentile(ms, 0.5).toFixed(2),
    p99: percentile(ms, 0.99).toFixed(2),
    perSecond: Math.round(perSecond),
    rowsRead: percentile(
      samples.map(({ rowsRead }) => rowsRead),
      0.5,
    ),
  };
}

const kept = await prepare(PORT.with, {});
const asked = await prepare(PORT.without, { CACHE_STREAM_LISTS_SECONDS: "0" });
try {
  const rows: object[] = [];
  for (const query of KINDS) {
    for (const atOnce of [1, 16]) {
      // The first of each pair warms up.
      for (const isWarm of [false, true]) {
        const without = await askMany(PORT.without, query, atOnce);
        const withIt = await askMany(PORT.with, query, atOnce);
        if (isWarm) rows.push({ kept: "no", ...without }, { kept: "yes", ...withIt });
      }
    }
  }
  console.log(`${STREAMS} live streams, 20 to a page; latency in ms`);
  console.table(rows);
} finally {
  await Promise.all([kept.dispose(), asked.dispose()]);
}
