/** What an operator is given is true: metrics, alerts, the dashboard and the runbook name the same things. */
import { tracing } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import runbook from "../docs/operations.md?raw";
import dashboard from "../ops/grafana/roomcast.json?raw";
import alerts from "../ops/prometheus/alerts.yml?raw";
import { mintAdmin } from "./support/admin.ts";
import { call, mintUser } from "./support/api.ts";

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

  it("count refusals by their reason, and what requests cost", async () => {
    const before = await scrape();
    expect((await call("/auth/me")).status).toBe(401);
    expect((await call("/messages/conversations", { token: (await mintUser()).token })).status).toBeLessThan(500);
    const after = await scrape();
    const more = (series: string) => countIn(after, series) - countIn(before, series);
    expect(more('roomcast_refused_total{over="http",code="UNAUTHORIZED"}')).toBe(1);
    expect(more('roomcast_d1_rows_total{what="written"}')).toBeGreaterThan(0);
    expect(more("roomcast_d1_duration_ms_count")).toBeGreaterThan(1);
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
    const span = {
      isTraced: true,
      spanContext: () => ({ traceId, spanId: "00f067aa0ba902b7", traceFlags: 1 }),
      updateName: vi.fn(),
      setAttribute: vi.fn(),
    };
    vi.spyOn(tracing, "getActiveSpan").mockReturnValue(span as never);
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
