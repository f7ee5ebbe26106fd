import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { clientAddress } from "../src/auth/rate-limit.ts";
import { config } from "../src/config.ts";
import { ConfigError } from "../src/settings/config-error.ts";
import { inert } from "../src/text.ts";
import { call, mintUser, ORIGIN, worker } from "./support/api.ts";
import { PRODUCTION } from "./support/production.ts";
import { callWith } from "./support/settings.ts";

afterEach(() => vi.restoreAllMocks());

const fetchWorker = (path: string, init: RequestInit = {}) => worker.fetch(`${ORIGIN}${path}`, init);

describe("failures have the contract's one form", () => {
  it("an unknown path", async () => {
    const { status, body } = await call("/no/such/path");
    expect(status).toBe(404);
    expect(body).toEqual({
      error: { code: "NOT_FOUND", message: expect.any(String), timestamp: expect.stringMatching(/\.\d{3}Z$/) },
    });
  });

  it("a body that does not parse, with an entry for the body as a whole", async () => {
    const init = { method: "POST", body: '{"a":', headers: { "Content-Type": "application/json" } };
    const response = await fetchWorker("/api/v1/auth/login", init);
    expect(await response.json()).toMatchObject({
      error: { code: "INVALID_REQUEST", details: [{ path: "", message: expect.stringContaining("JSON") }] },
    });
  });

  it.each([
    ["broken JSON", '{"a":', "application/json", 400, "INVALID_REQUEST"],
    ["no body", undefined, undefined, 400, "INVALID_REQUEST"],
    ["a JSON string", '"hello"', "application/json", 400, "INVALID_REQUEST"],
    ["a form", "username=a", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"],
    ["XML", "<a/>", "text/xml", 415, "UNSUPPORTED_MEDIA_TYPE"],
  ])("%s", async (_name, body, type, status, code) => {
    const response = await fetchWorker("/api/v1/auth/login", {
      method: "POST",
      ...(body === undefined ? {} : { body }),
      headers: type ? { "Content-Type": type } : {},
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
  });

  it("a body over its limit is refused, and read no further than spares its sender a reset", async () => {
    const declared = await fetchWorker("/api/v1/auth/login", {
      method: "POST",
      body: `{"username":"${"x".repeat(300_000)}"}`,
      headers: { "Content-Type": "application/json" },
    });
    let pulled = 0;
    const endless = new ReadableStream({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new TextEncoder().encode("x".repeat(65_536)));
        if (pulled > 1000) controller.close();
      },
    });
    const chunked = await fetchWorker("/api/v1/auth/login", {
      method: "POST",
      body: endless,
      headers: { "Content-Type": "application/json" },
    });
    expect([declared.status, chunked.status]).toEqual([413, 413]);
    expect(await chunked.json()).toMatchObject({ error: { code: "PAYLOAD_TOO_LARGE" } });
    // 256 KiB are allowed, and 2 MiB more drained (src/http/drain.ts): pieces of 64 KiB, and one on the way.
    expect(pulled).toBeLessThan(40);
  });

  it("a failure inside says nothing of what happened", async () => {
    const user = await mintUser();
    await env.DB.prepare("ALTER TABLE notifications RENAME TO hidden_notifications").run();
    const { status, body, headers } = await call("/notifications", { token: user.token });
    await env.DB.prepare("ALTER TABLE hidden_notifications RENAME TO notifications").run();
    expect(status).toBe(500);
    expect(body.error).toMatchObject({ code: "INTERNAL_ERROR", message: "Something went wrong on our side." });
    expect(JSON.stringify(body)).not.toMatch(/notifications|D1_|SQL|\.ts/);
    expect(headers.get("X-Request-Id")).toBeTruthy();
  });
});

it("a trailing slash is accepted", async () => {
  const user = await mintUser();
  expect((await call("/auth/me/", { token: user.token })).status).toBe(200);
});

describe("pages of other origins", () => {
  const preflight = (origin: string) =>
    fetchWorker("/api/v1/auth/me", {
      method: "OPTIONS",
      headers: {
        Origin: origin,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization",
      },
    });

  it("may call the API if they are named, exactly", async () => {
    for (const origin of ["http://localhost:3000", "http://127.0.0.1:8080"]) {
      const { headers, status } = await preflight(origin);
      expect(status).toBe(204);
      expect(headers.get("Access-Control-Allow-Origin")).toBe(origin);
      expect(headers.get("Access-Control-Allow-Methods")).toContain("PATCH");
      expect(headers.get("Access-Control-Allow-Credentials")).toBe("true");
    }
    for (const origin of [
      "https://evil.example",
      "http://localhost.evil.example",
      "null",
      "https://localhost:3000@evil.example",
    ]) {
      expect((await preflight(origin)).headers.get("Access-Control-Allow-Origin")).toBeNull();
    }
  });

  it("may send whatever headers they ask for, if they are named", async () => {
    const asked = "x-own-header, idempotency-key, upload-length";
    const ask = (origin: string) =>
      fetchWorker("/api/v1/messages", {
        method: "OPTIONS",
        headers: { Origin: origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": asked },
      });
    const { headers } = await ask("http://localhost:3000");
    const allowed = (headers.get("Access-Control-Allow-Headers") ?? "").toLowerCase().split(/,\s*/);
    expect(allowed).toEqual(asked.split(", "));
    expect(headers.get("Vary")).toMatch(/origin/i);
    expect((await ask("https://evil.example")).headers.get("Access-Control-Allow-Origin")).toBeNull();
  });

  it("are named as people write them, or the Worker does not start", () => {
    const named = (ALLOWED_ORIGINS: string) => config({ ...env, ALLOWED_ORIGINS }).ALLOWED_ORIGINS;
    expect(named("https://App.Example.com/")).toEqual(["https://app.example.com"]);
    expect(named("HTTPS://app.example.com:443, http://localhost:5173/")).toEqual([
      "https://app.example.com",
      "http://localhost:5173",
    ]);
    expect(named("https://bücher.example")).toEqual(["https://xn--bcher-kva.example"]);
    expect(named("capacitor://localhost")).toEqual(["capacitor://localhost"]);
    for (const odd of [
      "*",
      "null",
      "app.example.com",
      "localhost:3000",
      "https://a.example/app",
      "https://*.a.example",
      "https://u@a.example",
    ]) {
      expect(() => named(odd)).toThrow(/ALLOWED_ORIGINS/);
    }
  });

  it("see the allow-list alone once one is set", () => {
    const settings = { ...env, ALLOWED_ORIGINS: "https://app.example.com, https://admin.example.com" };
    expect(config(settings).ALLOWED_ORIGINS).toEqual(["https://app.example.com", "https://admin.example.com"]);
  });
});

describe("answers", () => {
  it("carry a request id that the log has too, and security headers", async () => {
    const lines: string[] = [];
    vi.spyOn(console, "log").mockImplementation((line) => lines.push(String(line)));
    const user = await mintUser();
    const { headers } = await call("/auth/me?token=should-not-be-logged", { token: user.token });
    const id = headers.get("X-Request-Id");
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(lines.some((line) => line.includes(`"requestId":"${id}"`) && line.includes('"status":200'))).toBe(true);
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("Cache-Control")).toBe("private, no-store");
    expect(headers.get("Content-Security-Policy")).toContain("default-src 'none'");
    expect(headers.get("Strict-Transport-Security")).toBeTruthy();
    expect(lines.join("\n")).not.toMatch(/eyJ|correct horse|should-not-be-logged|scrypt/);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
  });

  it("tell what they cost", async () => {
    const user = await mintUser();
    const { headers } = await call("/auth/me", { token: user.token });
    expect(headers.get("X-Cost")).toMatch(/^d1_queries=2, d1_rows_read=\d+, d1_rows_written=0, object_calls=0$/);
  });
});

describe("for operators", () => {
  it("health needs no token", async () => {
    expect((await call("//healthz")).body).toEqual({ status: "ok", environment: "development" });
    // What is only for development takes a server that says nothing for production.
    expect((await callWith(PRODUCTION, `${ORIGIN}/healthz`)).body).toEqual({ status: "ok" });
  });

  it("metrics need the scrape token", async () => {
    expect((await call("//metrics")).status).toBe(401);
    expect((await call("//metrics?token=wrong")).status).toBe(401);
    const { status, body } = await call<string>("//metrics", {
      headers: { Authorization: "Bearer test-metrics-token" },
    });
    expect(status).toBe(200);
    expect(body).toMatch(/^roomcast_http_requests_total\{method="GET",status="200"\} \d+$/m);
    expect(body).toMatch(/_bucket\{le="\+Inf"\} \d+/);
  });
});

describe("settings", () => {
  const production = {
    ENVIRONMENT: "production",
    JWT_SECRET_KEY: "k".repeat(32),
    ALLOWED_ORIGINS: "https://app.example.com",
    WEBHOOK_SECRET: "w".repeat(16),
    FILES_SIGNING_KEY: "f".repeat(32),
  };

  it("production starts with its secrets, and names the one that is missing", () => {
    expect(config({ ...production }).isProduction).toBe(true);
    for (const name of ["JWT_SECRET_KEY", "ALLOWED_ORIGINS", "WEBHOOK_SECRET", "FILES_SIGNING_KEY"] as const) {
      const { [name]: _left, ...rest } = production;
      expect(() => config(rest)).toThrow(new RegExp(name));
    }
  });

  it("refuses a short key, a cheap hash in production, and a limit that is no number", () => {
    const secrets = [
      "JWT_SECRET_KEY",
      "JWT_SECRET_KEY_PREVIOUS",
      "WEBHOOK_SECRET",
      "FILES_SIGNING_KEY",
      "METRICS_TOKEN",
    ];
    for (const name of [...secrets, "TURN_SHARED_SECRET"]) {
      const settings = { ...production, [name]: "short" };
      expect(() => config(settings)).toThrow(new RegExp(`Setting ${name} must have at least (16|32) characters`));
      expect(() => config({ ...settings, ENVIRONMENT: "development" })).toThrow(new RegExp(name));
    }
    const one = { ...production, WEBHOOK_SECRET: `${"w".repeat(16)},short` };
    expect(() => config(one)).toThrow(/WEBHOOK_SECRET/);
    expect(() => config({ ...production, PASSWORD_SCRYPT_LOG_N: "8" })).toThrow(/PASSWORD_SCRYPT_LOG_N/);
    expect(() => config({ ...production, RATE_LIMIT_MESSAGES: "many" })).toThrow(ConfigError);
  });
});

describe("user-written text", () => {
  it.each([
    "I'm",
    "a & b",
    "1 < 2",
    "<3",
    "a<1",
    "😀👍🏽",
    'say "hi"',
    "x > y",
    "if a<=b",
    "line\nbreak",
    "only = 5 on = 2",
  ])("%j stays as typed", (text) => expect(inert(text)).toBe(text));

  it.each([
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</textarea><svg/onload=alert(1)>",
    "<!--",
    "<?xml",
    '" onmouseover="alert(1)',
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "<a href='javascript:x'>",
    "<\u202Escript>",
    "<\u0000script>",
  ])("%j comes out inert, and doing it twice changes nothing", (text) => {
    const safe = inert(text);
    expect(safe).not.toMatch(/<[a-z/!?]/i);
    expect(safe).not.toMatch(/javascript\s*:/i);
    expect(safe).not.toMatch(/\bon\w+\s*=/i);
    expect(inert(safe)).toBe(safe);
  });
});

it("limits go by Cloudflare's address alone, and an IPv6 network counts as one", () => {
  const from = (headers: Record<string, string>) => clientAddress(new Request(ORIGIN, { headers }));
  expect(from({ "X-Forwarded-For": "1.2.3.4", "X-Real-IP": "1.2.3.4" })).toBe("");
  expect(from({ "CF-Connecting-IP": "1.2.3.4", "X-Forwarded-For": "9.9.9.9" })).toBe("1.2.3.4");
  expect(from({ "CF-Connecting-IP": "2001:db8:1:2:3:4:5:6" })).toBe("2001:db8:1:2::/64");
  expect(from({ "CF-Connecting-IP": "2001:db8:1:2::9" })).toBe("2001:db8:1:2::/64");
  expect(from({ "CF-Connecting-IP": "::1" })).toBe("0:0:0:0::/64");
});
