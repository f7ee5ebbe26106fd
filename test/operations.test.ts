/** What an operator is given is true: metrics, alerts, the dashboard and the runbook name the same things. */
import { createExecutionContext, runDurableObjectAlarm, waitOnExecutionContext } from "cloudflare:test";
import { env, tracing } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import runbook from "../docs/operations.md?raw";
import dashboard from "../ops/grafana/roomcast.json?raw";
import alerts from "../ops/prometheus/alerts.yml?raw";
import { config } from "../src/config.ts";
import { runCron } from "../src/cron.ts";
import { PARKED_AFTER_ATTEMPTS } from "../src/db/outbox-parked.ts";
import { AppError } from "../src/errors.ts";
import { sendersOf } from "../src/features/webhooks/endpoint.ts";
import { callOnce, objectCaller } from "../src/platform/objects.ts";
import { act, mintAdmin, post, run } from "./support/admin.ts";
import { call, costOf, mintUser } from "./support/api.ts";
import { makeEndpoint, standIn } from "./support/backend.ts";
import { passTime } from "./support/clock.ts";
import { fetchWith } from "./support/settings.ts";
import { never, stalled } from "./support/stalled.ts";

async function scrape(): Promise<string> {
  const { body } = await call<string>("//metrics?token=test-metrics-token");
  return body;
}

const named = (text: string): string[] => [...new Set(text.match(/\broomcast_[a-z0-9_]+/g))];
/** A histogram's own series are named after it. */
const family = (name: string): string => name.replace(/_(bucket|sum|count)$/, "");
const countIn = (text: string, series: string): number => Number(text.split(`${series} `)[1]?.split("\n")[0] ?? 0);

describe("metrics", () => {
  it("each that an alert, the dashboard or the runbook names is exposed, with its help", async () => {
    const exposed = await scrape();
    for (const name of [...named(alerts), ...named(dashboard), ...named(runbook)].map(family)) {
      expect(exposed).toMatch(new RegExp(`^# HELP ${name} \\w`, "m"));
    }
  });

  it("are all in the runbook's table, with what each costs", async () => {
    const exposed = [...(await scrape()).matchAll(/^# HELP (\w+)/gm)].map(([, name]) => name);
    const rows = runbook.split("\n").filter((line) => /^\| `roomcast_/.test(line));
    expect(
      exposed.filter((name) => !rows.some((row) => row.includes(`\`${name}`) && /\| [^|]+ \|$/.test(row))),
    ).toEqual([]);
    for (const row of rows) expect(row.split(" | ")).toHaveLength(3);
  });

  it("count refusals by their reason, and what requests cost", async () => {
    const before = await scrape();
    expect((await call("/auth/me")).status).toBe(401);
    const [ann, bob] = [await mintUser(), await mintUser()];
    const body = { receiverId: bob.id, content: "hi" };
    expect((await call("/messages", { method: "POST", token: ann.token, body })).status).toBe(201);
    const after = await scrape();
    const more = (series: string) => countIn(after, series) - countIn(before, series);
    expect(more('roomcast_refused_total{over="http",code="UNAUTHORIZED"}')).toBe(1);
    expect(more('roomcast_d1_rows_total{what="written"}')).toBeGreaterThan(0);
    expect(more("roomcast_d1_duration_ms_count")).toBeGreaterThan(1);
  });

  it("count deliveries by receiver and outcome, and failed calls of objects by the kind of their error", async () => {
    const before = await scrape();
    const more = async (series: string) => countIn(await scrape(), series) - countIn(before, series);
    const [ann, bob] = [await mintUser(), await mintUser()];
    const body = { receiverId: bob.id, content: "hi" };
    expect((await call("/messages", { method: "POST", token: ann.token, body })).status).toBe(201);
    const arrived = 'roomcast_outbox_deliveries_total{kind="user",outcome="arrived"}';
    await vi.waitFor(async () => expect(await more(arrived)).toBeGreaterThan(0));
    const failsAs = (marks: object) => () => Promise.reject(Object.assign(new Error("no"), marks));
    const kinds = {
      overloaded: { overloaded: true, retryable: true },
      reset: { durableObjectReset: true },
      lost: { retryable: true },
      failed: {},
    };
    for (const [kind, marks] of Object.entries(kinds)) {
      await expect(callOnce(objectCaller(env), failsAs(marks))).rejects.toThrow("no");
      expect([kind, await more(`roomcast_object_errors_total{kind="${kind}"}`)]).toEqual([kind, 1]);
    }
    const slow = { ...objectCaller(env), config: { ...config(env), TIMEOUT_OBJECTS_SECONDS: 0.01 } };
    await expect(callOnce(slow, never)).rejects.toThrow();
    expect(await more('roomcast_object_errors_total{kind="late"}')).toBe(1);
    // What an object refuses is an answer.
    await expect(callOnce(slow, () => Promise.reject(new AppError("FORBIDDEN")))).rejects.toThrow();
    expect(await more('roomcast_object_errors_total{kind="failed"}')).toBe(1);
  });

  it("cost one query a scrape, which writes nothing and calls nothing", async () => {
    const answer = await call("//metrics?token=test-metrics-token");
    expect(costOf(answer)).toMatchObject({ d1_queries: 1, d1_rows_written: 0, object_calls: 0 });
  });

  it("are well-formed: every line is a comment or a series with a number", async () => {
    for (const line of (await scrape()).trimEnd().split("\n")) {
      expect(line).toMatch(/^(# (HELP|TYPE) roomcast_\w+ .+|roomcast_\w+(\{(\w+="[^"\n]*",?)+\})? [\d.]+)$/);
    }
  });
});

it("every alert has a heading in the runbook, and every heading there an alert", () => {
  const names = [...alerts.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  const headings = [...runbook.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(5);
  expect(headings).toEqual(names);
  for (const name of names) expect(alerts).toContain(`runbook: docs/operations.md#${name?.toLowerCase()}`);
});

describe("when something breaks, an alert fires, and what its runbook says ends it", () => {
  const backend = standIn();
  /** As often as ops/prometheus/prometheus.yml asks. */
  const SCRAPED_EVERY_SECONDS = 15;

  /** Whether an alert's condition holds between two scrapes; `for` and the windows of rates only say how long it has to. */
  function holds(name: string, before: string, after: string): boolean {
    const [, expression = ""] = new RegExp(`- alert: ${name}\\n\\s+expr: (.+)`).exec(alerts) ?? [];
    const counted = (text: string, counter: string, code?: string): number =>
      [...text.matchAll(new RegExp(`^${counter}(\\{.*\\})? (.+)$`, "gm"))]
        .filter(([, labels = ""]) => code === undefined || labels.includes(`code="${code}"`))
        .reduce((sum, [, , count]) => sum + Number(count), 0);
    const [, value, limit] = /^(.+) > ([\d.]+)$/.exec(expression) ?? [];
    if (!value || !limit) throw new Error(`Not understood: ${name}: ${expression}`);
    const [, counter, code] = /^sum\(rate\((\w+)(?:\{code="(\w+)"\})?\[\w+\]\)\)$/.exec(value) ?? [];
    if (!counter) return counted(after, value) > Number(limit);
    return (counted(after, counter, code) - counted(before, counter, code)) / SCRAPED_EVERY_SECONDS > Number(limit);
  }

  const scrapeWith = async (DB: D1Database) => await (await ask("/metrics?token=test-metrics-token", DB)).text();
  const ask = (path: string, DB: D1Database): Promise<Response> =>
    fetchWith({ DB, TIMEOUT_DATABASE_SECONDS: "1" }, path);

  const ringSenders = ({ id, createdAt }: { id: number; createdAt: string }) =>
    Promise.all(
      sendersOf({ id, bornAt: Date.parse(createdAt) }).map((name) =>
        runDurableObjectAlarm(env.WEBHOOK_SENDER.getByName(name)),
      ),
    );

  it("a stalled D1: RoomcastDatabaseStalled, from a scrape that answers without it, until it answers again", async () => {
    const calm = await scrape();
    const answers = await Promise.all(
      ["videos", "users/1", "streams"].map((list) => ask(`/api/v1/${list}`, stalled())),
    );
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
    const broken = await scrapeWith(stalled());
    expect(broken).not.toContain("roomcast_outbox_parked ");
    expect(holds("RoomcastDatabaseStalled", calm, broken)).toBe(true);
    expect((await call("/videos")).status).toBe(200);
    const mended = await scrape();
    expect(mended).toMatch(/^roomcast_outbox_parked \d/m);
    expect(holds("RoomcastDatabaseStalled", broken, mended)).toBe(false);
  });

  it("a poisoned row: RoomcastOutboxParked, until an admin has tried it again or given it up", async () => {
    const [admin, user] = [await mintAdmin(), await mintUser()];
    expect(holds("RoomcastOutboxParked", "", await scrape())).toBe(false);
    for (const payload of ["no json", '{"frames":7}']) {
      await run("INSERT INTO outbox (target, payload, created_at) VALUES (?, ?, 0)", `user:${user.id}`, payload);
    }
    expect(holds("RoomcastOutboxLagging", "", await scrape())).toBe(true);
    for (let minute = 0; minute < PARKED_AFTER_ATTEMPTS; minute += 1) {
      const context = createExecutionContext();
      await runCron(env, context);
      await waitOnExecutionContext(context);
      await run("UPDATE outbox SET attempted_at = 0");
    }
    const text = await scrape();
    expect([holds("RoomcastOutboxLagging", "", text), holds("RoomcastOutboxParked", "", text)]).toEqual([false, true]);
    const found = await call(`/admin/outbox/parked?search=user:${user.id}`, { token: admin.token });
    const [first, second] = found.body.parked;
    await run("UPDATE outbox_parked SET payload = '{\"frames\":[]}' WHERE id = ?", first.id);
    expect((await post(admin, `/outbox/parked/${first.id}/retry`)).status).toBe(200);
    expect(holds("RoomcastOutboxParked", "", await scrape())).toBe(true);
    expect((await act(admin, "DELETE", `/outbox/parked/${second.id}`, { reason: "of no use" })).status).toBe(200);
    const mended = await scrape();
    expect([holds("RoomcastOutboxLagging", "", mended), holds("RoomcastOutboxParked", "", mended)]).toEqual([
      false,
      false,
    ]);
  });

  it("a dead endpoint: RoomcastWebhookFailing, until it takes a test, or an admin switches it off", async () => {
    const admin = await mintAdmin();
    backend.answer = () => new Response(null, { status: 502 });
    const { id, createdAt } = await makeEndpoint(backend, admin, ["user.banned"]);
    const user = await mintUser();
    expect((await post(admin, `/users/${user.id}/ban`, { reason: "spam" })).status).toBe(200);
    await vi.waitFor(async () => {
      await ringSenders({ id, createdAt });
      expect(backend.heard.length).toBeGreaterThan(0);
    });
    const since = () => run("SELECT failing_since FROM webhooks WHERE id = ?", id);
    await vi.waitFor(async () => expect(await since()).not.toEqual([{ failing_since: null }]));
    expect(holds("RoomcastWebhookFailing", "", await scrape())).toBe(false);
    passTime(900);
    expect(holds("RoomcastWebhookFailing", "", await scrape())).toBe(true);
    const path = `/webhooks/${id}`;
    expect((await post(admin, `${path}/test`)).body).toMatchObject({ state: "parked", status: 502 });
    expect(holds("RoomcastWebhookFailing", "", await scrape())).toBe(true);
    // Its own people mend it: the test is taken, and what waits goes out.
    backend.answer = () => new Response(null, { status: 204 });
    expect((await post(admin, `${path}/test`)).body).toMatchObject({ state: "delivered" });
    expect(holds("RoomcastWebhookFailing", "", await scrape())).toBe(false);
    await ringSenders({ id, createdAt });
    const { deliveries } = (await act(admin, "GET", `${path}/deliveries?search=user.banned`)).body;
    expect(deliveries).toMatchObject([{ state: "delivered" }]);
    // It is gone for good: 410 switches it off, and an admin who does so, too, says that this is known.
    backend.answer = () => new Response(null, { status: 410 });
    expect((await post(admin, `${path}/test`)).body).toMatchObject({ state: "parked", status: 410 });
    passTime(900);
    expect(holds("RoomcastWebhookFailing", "", await scrape())).toBe(true);
    expect((await act(admin, "PATCH", path, { isActive: false })).status).toBe(200);
    expect(holds("RoomcastWebhookFailing", "", await scrape())).toBe(false);
  });

  it("costs a row at the first failure and one when it is over, however many calls fail", async () => {
    const admin = await mintAdmin();
    const { id } = await makeEndpoint(backend, admin, ["user.banned"]);
    backend.answer = () => new Response(null, { status: 500 });
    const writes = vi.spyOn(env.DB, "prepare");
    const noted = () => writes.mock.calls.filter(([sql]) => /^update "webhooks" set "failing_since"/.test(sql)).length;
    for (let time = 0; time < 3; time += 1) await post(admin, `/webhooks/${id}/test`);
    expect(noted()).toBe(1);
    backend.answer = () => new Response(null, { status: 204 });
    for (let time = 0; time < 3; time += 1) await post(admin, `/webhooks/${id}/test`);
    expect(noted()).toBe(2);
  });
});

describe("traces", () => {
  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;

  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** The log lines of calls from now on. */
  function requestLines(): Record<string, unknown>[] {
    const lines: Record<string, unknown>[] = [];
    vi.spyOn(console, "log").mockImplementation((line) => {
      const parsed = JSON.parse(String(line));
      if (parsed.event === "http.request") lines.push(parsed);
    });
    return lines;
  }

  /** As the platform's, in a call that is traced. */
  function traced() {
    const nothing = () => {};
    const span = {
      isTraced: true,
      spanContext: () => ({ traceId, spanId: "00f067aa0ba902b7", traceFlags: 1 }),
      updateName: vi.fn().mockReturnThis(),
      setAttribute: vi.fn().mockReturnThis(),
      setAttributes: vi.fn().mockReturnThis(),
      setStatus: vi.fn().mockReturnThis(),
      recordException: nothing,
      end: nothing,
    };
    vi.spyOn(tracing, "getActiveSpan").mockReturnValue(span);
    return span;
  }

  /** The headers of a test call to an endpoint of a product's backend. */
  async function headersOut(): Promise<Headers> {
    const { token } = await mintAdmin();
    const sent: Headers[] = [];
    vi.spyOn(globalThis, "fetch").mockImplementation(async (_, init) => {
      sent.push(new Headers(init?.headers));
      return new Response(null, { status: 204 });
    });
    const body = { url: "https://product.example/hooks", events: ["user.banned"] };
    const { id } = (await call("/admin/webhooks", { method: "POST", token, body })).body;
    expect((await call(`/admin/webhooks/${id}/test`, { method: "POST", token })).status).toBe(200);
    await call(`/admin/webhooks/${id}`, { method: "DELETE", token });
    expect(sent).toHaveLength(1);
    return sent[0] ?? new Headers();
  }

  it("of a caller are named in the call's log line, and taken from nothing that is not well-formed", async () => {
    const lines = requestLines();
    const bad = [
      traceparent.toUpperCase(),
      traceparent.replace("00-", "ff-"),
      `00-${"0".repeat(32)}-00f067aa0ba902b7-01`,
      "x",
    ];
    for (const header of [traceparent, `${traceparent.replace("00-", "01-")}-more`, ...bad]) {
      await call("/users/1", { headers: { traceparent: header } });
    }
    expect(lines.map((line) => line.callersTraceId)).toEqual([traceId, traceId, ...bad.map(() => undefined)]);
    expect(lines.every((line) => line.traceId === undefined)).toBe(true);
  });

  it("that are on are named in the log, have the route's name, and go on in a product's backend", async () => {
    const [lines, span] = [requestLines(), traced()];
    await call("/users/1", { headers: { traceparent } });
    expect(lines).toMatchObject([{ traceId, callersTraceId: traceId }]);
    expect(span.updateName).toHaveBeenCalledWith("GET /api/v1/users/:id");
    expect(span.setAttribute).toHaveBeenCalledWith("roomcast.callers_trace_id", traceId);
    expect((await headersOut()).get("traceparent")).toBe(traceparent);
  });

  it("that are off send nothing along", async () => {
    expect((await headersOut()).has("traceparent")).toBe(false);
  });
});
