/** Traces as a collector gets them: the platform's own spans, and what Roomcast says of them (docs/operations.md). */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { buildWorker, COMPATIBILITY, durableObjects, migrate } from "../../scripts/miniflare.ts";

/** A streaming tail worker: keeps which spans began, in which object, of which trace. */
const COLLECTOR = `
  const spans = [];
  export default {
    fetch: () => Response.json(spans),
    tailStream({ event: { entrypoint = "Worker" }, spanContext: { traceId } }) {
      return { spanOpen: ({ event: { name } }) => void spans.push({ name, where: entrypoint, traceId }) };
    },
  };`;

const Spans = z.array(z.object({ name: z.string(), where: z.string(), traceId: z.string() }));
const RequestLine = z.object({ event: z.literal("http.request"), path: z.string(), traceId: z.string() });
const SignedIn = z.object({ token: z.string() });

const folder = mkdtempSync(join(tmpdir(), "roomcast-traces-"));
const logged: string[] = [];
let miniflare: Miniflare;

beforeAll(async () => {
  const script = readFileSync(buildWorker(folder), "utf8");
  const { compatibilityDate } = COMPATIBILITY;
  const bindings = {
    ENVIRONMENT: "development",
    JWT_SECRET_KEY: "trace-only-secret-of-at-least-32-bytes",
    PASSWORD_SCRYPT_LOG_N: "1",
  };
  const roomcast = {
    name: "roomcast",
    modules: true,
    script,
    ...COMPATIBILITY,
    d1Databases: ["DB"],
    r2Buckets: ["FILES"],
    durableObjects: durableObjects(),
    bindings,
    streamingTails: ["collector"],
  };
  const collector = {
    name: "collector",
    modules: true,
    script: COLLECTOR,
    compatibilityDate,
    compatibilityFlags: ["experimental"],
  };
  const handleStructuredLogs = ({ message }: { message: string }) => void logged.push(message);
  miniflare = new Miniflare(convertV4MiniflareOptions({ handleStructuredLogs, workers: [roomcast, collector] }));
  await migrate(await miniflare.getD1Database("DB"));
}, 60_000);

afterAll(async () => {
  await miniflare.dispose();
  rmSync(folder, { recursive: true, force: true });
});

async function post(path: string, body: object, more: Record<string, string> = {}): Promise<unknown> {
  const headers = { "Content-Type": "application/json", ...more };
  const init = { method: "POST", body: JSON.stringify(body), headers };
  return (await miniflare.dispatchFetch(`http://localhost/api/v1${path}`, init)).json();
}

async function spans(): Promise<z.infer<typeof Spans>> {
  const collector = await miniflare.getWorker("collector");
  return Spans.parse(await (await collector.fetch("http://collector/")).json());
}

it("one trace id leads from a call through D1 into the room's object and back, and stands in its log line", async () => {
  const account = { username: "ann", email: "ann@example.com", password: "correct horse" };
  const { token } = SignedIn.parse(await post("/auth/register", account));
  const headers = { Authorization: `Bearer ${token}` };
  await post("/rooms", { id: "lobby", name: "Lobby", isGroup: true }, headers);
  await post("/rooms/lobby/messages", { content: "Hi" }, headers);
  await expect.poll(() => logged.some((line) => line.includes("/rooms/lobby/messages"))).toBe(true);
  const line = logged.find((one) => one.includes("/rooms/lobby/messages")) ?? "";
  const { traceId } = RequestLine.parse(JSON.parse(line));
  const names = (where: string, all: z.infer<typeof Spans>) =>
    all.filter((span) => span.traceId === traceId && span.where === where).map(({ name }) => name);
  const all = await spans();
  expect(names("Worker", all)).toEqual(
    expect.arrayContaining(["d1_batch", "durable_object_subrequest", "jsRpcSession", "jsRpcCall"]),
  );
  expect(names("ChatRoom", all)).toEqual(expect.arrayContaining(["jsRpcCall", "durable_object_storage_exec"]));
});
