/** What an operator is given is true: metrics, alerts, the dashboard and the runbook name the same things. */
import { describe, expect, it } from "vitest";
import runbook from "../docs/operations.md?raw";
import dashboard from "../ops/grafana/roomcast.json?raw";
import alerts from "../ops/prometheus/alerts.yml?raw";
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
