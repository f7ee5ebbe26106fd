import { createExecutionContext, evictDurableObject, waitOnExecutionContext } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { runCron } from "../src/cron.ts";
import { handleOutbox } from "../src/db/outbox.ts";
import { PARKED_AFTER_ATTEMPTS } from "../src/db/outbox-parked.ts";
import { mintAdmin } from "./support/admin.ts";
import { call, mintUser, type TestUser } from "./support/api.ts";
import { mintStream } from "./support/media.ts";
import { openHub, openSocket } from "./support/socket.ts";

/** What a Worker leaves behind that dies between the commit and the push. */
const leave = (user: TestUser, n: number, ageSeconds = 0) =>
  env.DB.prepare("INSERT INTO outbox (target, payload, created_at) VALUES (?, ?, ?)")
    .bind(
      `user:${user.id}`,
      JSON.stringify({ frames: [{ type: "test:event", data: { n } }] }),
      Date.now() - ageSeconds * 1000,
    )
    .run();

const pendingOf = (user: TestUser) =>
  env.DB.prepare("SELECT count(*) AS n FROM outbox WHERE target = ?").bind(`user:${user.id}`).first<number>("n");

async function sweep(): Promise<void> {
  const context = createExecutionContext();
  await runCron(env, context);
  await waitOnExecutionContext(context);
}

const rowsOf = async (target: string) =>
  (
    await env.DB.prepare("SELECT id, attempts FROM outbox WHERE target = ? ORDER BY id")
      .bind(target)
      .all<{ id: number; attempts: number }>()
  ).results;

const numbers = (frames: { type: string; data?: { n?: number } }[]) =>
  frames.flatMap(({ type, data }) => (type === "test:event" ? (data?.n ?? []) : []));

describe("a crash between commit and push loses nothing", () => {
  it("the user who connects finds it in the log", async () => {
    const user = await mintUser();
    for (const n of [1, 2, 3]) await leave(user, n);
    const socket = await openSocket(`/ws?token=${user.token}&since=0`);
    expect((await socket.next("connected")).seq).toBe(3);
    expect(numbers(await socket.collect("test:event", 3))).toEqual([1, 2, 3]);
    expect(await pendingOf(user)).toBe(0);
  });

  it("the sweep delivers it to a user who is connected, and leaves fresh rows to those who write them", async () => {
    const user = await mintUser();
    const socket = await openHub(user);
    for (const n of [1, 2]) await leave(user, n, 60);
    await sweep();
    expect(numbers(await socket.collect("test:event", 2))).toEqual([1, 2]);
    expect(await pendingOf(user)).toBe(0);
    await leave(user, 3, 5);
    await sweep();
    expect(await pendingOf(user)).toBe(1);
  });

  it("the next push takes along what an earlier one left, in order", async () => {
    const [ann, bob] = [await mintUser(), await mintUser()];
    const socket = await openHub(bob);
    await leave(bob, 1);
    await leave(bob, 2);
    await call("/messages", { method: "POST", token: ann.token, body: { receiverId: bob.id, content: "three" } });
    await socket.collect("message:new", 1);
    expect(socket.frames.slice(1).map(({ type, seq }) => [type, seq])).toEqual([
      ["test:event", 1],
      ["test:event", 2],
      ["message:new", 3],
    ]);
  });

  it("nothing comes twice when the push arrived and only the clearing was lost", async () => {
    const user = await mintUser();
    const socket = await openHub(user);
    await leave(user, 1, 60);
    const row = await env.DB.prepare("SELECT * FROM outbox WHERE target = ?").bind(`user:${user.id}`).first();
    await sweep();
    await socket.collect("test:event", 1);
    await env.DB.prepare("INSERT INTO outbox (id, target, payload, created_at) VALUES (?, ?, ?, ?)")
      .bind(row?.id, row?.target, row?.payload, row?.created_at)
      .run();
    await evictDurableObject(env.USER_HUB.getByName(String(user.id)));
    await sweep();
    expect(await pendingOf(user)).toBe(0);
    await leave(user, 2, 60);
    await sweep();
    expect(numbers(await socket.collect("test:event", 2))).toEqual([1, 2]);
  });

  it("the cron's work outlives it by the platform's own waitUntil, called as a method", async () => {
    const [owner, context] = [await mintUser("owner"), createExecutionContext()];
    const { id } = await mintStream(owner);
    await env.DB.prepare(
      "UPDATE streams SET status = 'live', session = 's', started_at = 1, last_seen_at = 1, lease_until = 1 WHERE id = ?",
    )
      .bind(id)
      .run();
    const lifetime = {
      waitUntil(this: unknown, work: Promise<unknown>) {
        if (this !== lifetime) throw new TypeError("Illegal invocation");
        context.waitUntil(work);
      },
    };
    await runCron(env, lifetime);
    await waitOnExecutionContext(context);
    expect(await rowsOf(`stream:${id}`)).toEqual([]);
  });
});

describe("what a receiver cannot take", () => {
  const poison = (user: TestUser, payload = '{"frames":7}') =>
    env.DB.prepare("INSERT INTO outbox (target, payload, created_at) VALUES (?, ?, 0) RETURNING id")
      .bind(`user:${user.id}`, payload)
      .first<number>("id");
  /** As many sweeps as it takes, without the minutes between them. */
  const sweepOften = async (user: TestUser) => {
    for (let times = 0; times < PARKED_AFTER_ATTEMPTS; times += 1) {
      await sweep();
      await env.DB.prepare("UPDATE outbox SET attempted_at = 0 WHERE target = ?").bind(`user:${user.id}`).run();
    }
  };
  const parked = async (admin: TestUser) =>
    (await call("/admin/outbox/parked?limit=100", { token: admin.token })).body.parked;

  it("holds up nothing that comes after it, and is put aside after five attempts", async () => {
    const [admin, user] = [await mintAdmin(), await mintUser()];
    const socket = await openHub(user);
    const ids = [await poison(user), await poison(user, "no json")];
    await leave(user, 2, 60);
    await sweep();
    expect(numbers(await socket.collect("test:event", 1))).toEqual([2]);
    expect(await pendingOf(user)).toBe(2);
    await sweep();
    // Within ten seconds of each other, two attempts are one.
    expect((await rowsOf(`user:${user.id}`)).map(({ attempts }) => attempts)).toEqual([1, 1]);
    await sweepOften(user);
    expect(await pendingOf(user)).toBe(0);
    const mine = (await parked(admin)).filter(({ target }: { target: string }) => target === `user:${user.id}`);
    expect(mine).toMatchObject([
      { id: ids[0], attempts: 5, bytes: 12, reason: expect.stringContaining("ZodError") },
      { id: ids[1], attempts: 5, bytes: 7, reason: "The payload is no JSON." },
    ]);
    expect(JSON.stringify(mine)).not.toContain(":7}");
    expect((await call("/auth/logout", { method: "POST", token: user.token })).status).toBe(200);
    expect((await socket.nextClose()).code).toBe(4001);
  });

  it("is no reason to put aside what was sent to an object that could not be reached", async () => {
    const target = `busy:${crypto.randomUUID()}`;
    const failures = [{ overloaded: true }, { retryable: true }, { durableObjectReset: true }];
    let tries = 0;
    handleOutbox("busy", () => Promise.reject(Object.assign(new Error("Not now"), failures[tries++ % 3])));
    await env.DB.prepare("INSERT INTO outbox (target, payload, created_at) VALUES (?, '{}', 0)").bind(target).run();
    for (let times = 0; times < 2 * PARKED_AFTER_ATTEMPTS; times += 1) await sweep();
    expect(tries).toBe(2 * PARKED_AFTER_ATTEMPTS);
    expect((await rowsOf(target)).map(({ attempts }) => attempts)).toEqual([0]);
    handleOutbox("busy", () => Promise.resolve());
    await sweep();
    expect(await rowsOf(target)).toEqual([]);
  });

  it("keeps the sweep from nobody else, with eleven hundred rows of its own", async () => {
    const [first, user] = [crypto.randomUUID(), await mintUser()];
    // Nobody delivers to these; their ids and their names come before the user's.
    for (const target of [`nobody:${first}`, "zzz:last"]) {
      await env.DB.prepare(`INSERT INTO outbox (target, payload, created_at) WITH RECURSIVE n (i) AS (
        SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100) SELECT ?, '{}', 1 FROM n`)
        .bind(target)
        .run();
    }
    const socket = await openHub(user);
    for (let n = 1; n <= 120; n += 1) await leave(user, n, 60);
    await sweep();
    expect(await socket.collect("test:event", 120)).toHaveLength(120);
    expect(await pendingOf(user)).toBe(0);
    expect(await rowsOf(`nobody:${first}`)).toHaveLength(1100);
    await env.DB.prepare("DELETE FROM outbox WHERE target LIKE 'nobody:%' OR target LIKE 'zzz:%'").run();
  });

  it("an admin has it delivered again, behind what came since, or gives it up; both are on record", async () => {
    const [admin, user] = [await mintAdmin(), await mintUser()];
    const socket = await openHub(user);
    const [again, up] = [await poison(user), await poison(user)];
    await sweepOften(user);
    await leave(user, 1);
    const fixed = JSON.stringify({ frames: [{ type: "test:event", data: { n: 2 } }] });
    await env.DB.prepare("UPDATE outbox_parked SET payload = ? WHERE id = ?").bind(fixed, again).run();
    const path = (id: number | null) => `/admin/outbox/parked/${id}`;
    const retried = await call(`${path(again)}/retry`, { method: "POST", token: admin.token });
    expect([retried.status, retried.body.success]).toEqual([200, true]);
    expect(numbers(await socket.collect("test:event", 2))).toEqual([1, 2]);
    const discard = { method: "DELETE", token: admin.token, body: { reason: "not worth it" } };
    expect((await call(path(up), discard)).status).toBe(200);
    for (const id of [again, up]) {
      expect((await call(path(id), discard)).status).toBe(404);
      expect((await call(`${path(id)}/retry`, { method: "POST", token: admin.token })).status).toBe(404);
    }
    const { entries } = (await call("/admin/audit?targetType=outbox", { token: admin.token })).body;
    expect(entries.slice(0, 2)).toMatchObject([
      { action: "discard", targetId: String(up), reason: "not worth it", details: { target: `user:${user.id}` } },
      { action: "retry", targetId: String(again), reason: null, details: { target: `user:${user.id}` } },
    ]);
    expect(
      entries.filter(({ targetId }: { targetId: string }) => [String(up), String(again)].includes(targetId)),
    ).toHaveLength(2);
  });

  it("is shown to admins alone, and counted for the operators", async () => {
    const [admin, user] = [await mintAdmin(), await mintUser()];
    await poison(user);
    await sweepOften(user);
    const paths = [
      ["GET", ""],
      ["POST", "/1/retry"],
      ["DELETE", "/1"],
    ] as const;
    for (const [method, path] of paths) {
      const ask = (token?: string) =>
        call(`/admin/outbox/parked${path}`, {
          method,
          token,
          ...(method === "DELETE" ? { body: { reason: "x" } } : {}),
        });
      expect((await ask()).status, method).toBe(401);
      expect((await ask(user.token)).status, method).toBe(403);
    }
    const bad = { method: "DELETE", token: admin.token, body: {} };
    expect((await call("/admin/outbox/parked/1", bad)).status).toBe(400);
    expect((await call("/admin/outbox/parked?limit=0", { token: admin.token })).status).toBe(400);
    const metrics = await exports.default.fetch("https://x.test/metrics?token=test-metrics-token");
    const text = await metrics.text();
    expect(text).toMatch(/^roomcast_outbox_parked_total\{kind="user"\} [1-9]/m);
    expect(text).toMatch(/^roomcast_outbox_parked [1-9]/m);
    expect(text).toMatch(/^roomcast_outbox_oldest_seconds \d/m);
  });
});

it("twenty writers at once: every frame once, gap-free, in the order of the commits", async () => {
  const bob = await mintUser();
  const socket = await openHub(bob);
  const writers = await Promise.all(Array.from({ length: 20 }, () => mintUser()));
  const sent = await Promise.all(
    writers.map(({ token }) =>
      call("/messages", { method: "POST", token, body: { receiverId: bob.id, content: "at once" } }),
    ),
  );
  const frames = await socket.collect("message:new", 20);
  expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, n) => n + 1));
  const committed = sent.map(({ body }) => body.id).sort((a, b) => a - b);
  expect(frames.map(({ data }) => data.id)).toEqual(committed);
});
