/** What a client sees of a database, or an object, that does not answer. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { startContext } from "../src/context.ts";
import { deliverNow, enqueue, handleOutbox, pendingFor } from "../src/db/outbox.ts";
import { AppError } from "../src/errors.ts";
import { callObject } from "../src/platform/objects.ts";
import { mintUser } from "./support/api.ts";
import { environmentWith, fetchWith } from "./support/settings.ts";
import { TestSocket } from "./support/socket.ts";
import { never, stalled } from "./support/stalled.ts";

const ask = (path: string, DB: D1Database, init?: RequestInit): Promise<Response> =>
  fetchWith({ DB, TIMEOUT_DATABASE_SECONDS: "1" }, path, init);

const FAILURES = [
  "D1_ERROR: database is locked: SQLITE_BUSY",
  "D1_ERROR: D1 DB is overloaded. Requests queued for too long.",
  "D1_ERROR: Network connection lost.",
  "D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.",
];

describe("a database that does not answer", () => {
  it("is a clear 503 that says when to come back, within the time limit, over REST", async () => {
    const ann = await mintUser("ann");
    const headers = { Authorization: `Bearer ${ann.token}` };
    for (const [path, init] of [
      ["/api/v1/auth/me", { headers }],
      ["/api/v1/videos", {}],
      ["/healthz", {}],
      [
        "/api/v1/auth/login",
        {
          method: "POST",
          body: '{"username":"a_b","password":"some-password"}',
          headers: { "Content-Type": "application/json" },
        },
      ],
    ] as const) {
      const began = Date.now();
      const response = await ask(path, stalled(), init);
      expect([response.status, response.headers.get("Retry-After")], path).toEqual([503, "5"]);
      expect((await response.json<{ error: { code: string } }>()).error.code).toBe("UNAVAILABLE");
      expect(Date.now() - began).toBeLessThan(4000);
    }
  });

  it("is the same when the database says itself that it is not there", async () => {
    for (const message of FAILURES) {
      const response = await ask(
        "/api/v1/videos",
        stalled(() => Promise.reject(new Error(message))),
      );
      expect([response.status, response.headers.get("Retry-After")], message).toEqual([503, "5"]);
    }
    const wrong = stalled(() => Promise.reject(new Error("D1_ERROR: no such column: x")));
    expect((await ask("/api/v1/videos", wrong)).status).toBe(500);
  });

  it("closes a socket with 1012, so that its client comes back", async () => {
    const ann = await mintUser("ann");
    const response = await ask(`/api/v1/ws?token=${ann.token}`, stalled(), { headers: { Upgrade: "websocket" } });
    if (!response.webSocket) throw new Error(`Answered ${response.status}`);
    expect(await new TestSocket(response.webSocket).nextClose()).toMatchObject({
      code: 1012,
      reason: "UNAVAILABLE; Retry-After: 5",
    });
  });
});

describe("an object that does not answer", () => {
  const impatient = () => startContext({ env: environmentWith({ TIMEOUT_OBJECTS_SECONDS: "1" }), later: () => {} });

  it("is UNAVAILABLE, and is not asked again", async () => {
    const ctx = impatient();
    const asked = callObject(ctx, ctx.env.USER_HUB, "77001", () => never());
    await expect(asked).rejects.toMatchObject({ code: "UNAVAILABLE", retryAfterSeconds: 5 });
    await expect(asked).rejects.toBeInstanceOf(AppError);
    expect(ctx.cost.objectCalls).toBe(1);
  });

  it("keeps its news in the outbox, and no attempt counts against them", async () => {
    const [ctx, target] = [impatient(), `stalled:${crypto.randomUUID()}` as const];
    let isStalled = true;
    handleOutbox("stalled", (call) =>
      callObject(call, call.env.USER_HUB, "77002", () => (isStalled ? never() : Promise.resolve())),
    );
    await enqueue(ctx, target, {});
    const pending = () => pendingFor(ctx, target);
    expect(await deliverNow(ctx, await pending())).toBe(0);
    const row = await env.DB.prepare("SELECT attempts FROM outbox WHERE target = ?").bind(target).first();
    expect(row).toEqual({ attempts: 0 });
    isStalled = false;
    expect(await deliverNow(ctx, await pending())).toBe(1);
    expect(await pending()).toEqual([]);
  });
});
